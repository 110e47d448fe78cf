import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaptureTelemetry } from '../../src/capture/ports.ts';
import { KubetapeError } from '../../src/events/errors.ts';
import { listen } from './listen.ts';

const EXPECTED = [
  'kubetape_audit_drift_objects',
  'kubetape_audit_equal_timestamp_seconds',
  'kubetape_audit_objects',
  'kubetape_audits_total',
  'kubetape_batch_bytes',
  'kubetape_batch_retries_total',
  'kubetape_batch_rows',
  'kubetape_build_info',
  'kubetape_change_age_seconds',
  'kubetape_changes_total',
  'kubetape_clock_steps_total',
  'kubetape_consumer_lag_records',
  'kubetape_consumer_lag_seconds',
  'kubetape_coverage_ratio',
  'kubetape_database_operation_seconds',
  'kubetape_database_operations_total',
  'kubetape_dead_letters_total',
  'kubetape_discarded_changes_total',
  'kubetape_duplicate_changes_total',
  'kubetape_errors_total',
  'kubetape_gaps_total',
  'kubetape_kafka_errors_total',
  'kubetape_leader',
  'kubetape_list_seconds',
  'kubetape_listed_objects',
  'kubetape_messages_consumed_total',
  'kubetape_messages_produced_total',
  'kubetape_partitions',
  'kubetape_ready',
  'kubetape_relists_total',
  'kubetape_ring_bytes',
  'kubetape_ring_records',
  'kubetape_rows_written_total',
  'kubetape_transaction_bytes',
  'kubetape_transaction_records',
  'kubetape_transaction_retries_total',
  'kubetape_transaction_seconds',
  'kubetape_unwatched_seconds_total',
  'kubetape_upsert_seconds',
  'kubetape_watch_progress_age_seconds',
  'kubetape_watch_restarts_total',
  'kubetape_watch_state',
];

test('the metrics are these: dashboards and alerts rest on their names', () => {
  const { telemetry } = listen();
  const names = telemetry.registry.getMetricsAsArray().map(({ name }) => name);
  assert.deepEqual(names.filter((name) => name.startsWith('kubetape_')).toSorted(), EXPECTED);
  assert.ok(names.includes('process_resident_memory_bytes') && names.includes('nodejs_eventloop_lag_seconds'));
});

test('capture: its port is fitted, and what happens is counted', async () => {
  const { telemetry, lines, samples } = listen();
  const capture: CaptureTelemetry = telemetry.capture;
  capture.changes({ resource: 'pods', op: 'u', count: 3 });
  capture.changeAge({ resource: 'pods', seconds: 0.2, stage: 'produced' });
  capture.transaction({
    records: 4,
    bytes: 100,
    seconds: 0.01,
    messagesByTopic: new Map([
      ['k8s-pods', 3],
      ['shared-state', 1],
    ]),
  });
  capture.ring({ records: 7, bytes: 70 });
  capture.coverage({ resource: 'pods', namespace: 'a', sinceMs: Date.now() - 100_000_000, unwatchedMs: 25_000_000 });
  capture.coverage({ resource: 'pods', namespace: 'b', sinceMs: Date.now() - 100_000_000, unwatchedMs: 0 });
  capture.expiredEvents({ count: 2 });
  capture.gap({ resource: 'pods', cause: 'expired', from: '5', to: '9', seconds: 41 });
  assert.deepEqual(await samples('kubetape_changes_total'), ['kubetape_changes_total{resource="pods",op="u"} 3']);
  assert.deepEqual(await samples('kubetape_messages_produced_total'), [
    'kubetape_messages_produced_total{topic="k8s-pods"} 3',
    'kubetape_messages_produced_total{topic="shared-state"} 1',
  ]);
  assert.deepEqual(await samples('kubetape_change_age_seconds_count'), [
    'kubetape_change_age_seconds_count{resource="pods",stage="produced"} 1',
  ]);
  const [coverage = ''] = await samples('kubetape_coverage_ratio');
  assert.ok(Math.abs(Number(coverage.split(' ')[1]) - 0.75) < 0.001, 'the worst of its namespaces');
  assert.deepEqual(await samples('kubetape_ring_records'), ['kubetape_ring_records 7']);
  assert.deepEqual(await samples('kubetape_discarded_changes_total'), ['kubetape_discarded_changes_total{reason="event-expired"} 2']);
  assert.deepEqual(await samples('kubetape_unwatched_seconds_total'), [
    'kubetape_unwatched_seconds_total{resource="pods",cause="expired"} 41',
  ]);
  assert.equal(lines.length, 1);
  assert.deepEqual(
    [lines[0]?.['level'], lines[0]?.['role'], lines[0]?.['cluster'], lines[0]?.['stage'], lines[0]?.['from']],
    ['warn', 'test', 'c1', 'capture', '5'],
  );
});

test('watch state: each watch is in one state, watches of single namespaces add up', async () => {
  const { telemetry, samples } = listen();
  telemetry.capture.watchState({ resource: 'pods', namespace: 'a', state: 'listing' });
  telemetry.capture.watchState({ resource: 'pods', namespace: 'b', state: 'watching' });
  telemetry.capture.watchState({ resource: 'pods', namespace: 'a', state: 'watching' });
  const nonZero = (await samples('kubetape_watch_state')).filter((line) => !line.endsWith(' 0'));
  assert.deepEqual(nonZero, ['kubetape_watch_state{resource="pods",state="watching"} 2']);
});

test('sink: what happens is counted; a partition that is gone has no lag', async () => {
  const { telemetry, lines, samples } = listen();
  const { sink } = telemetry;
  sink.recordsConsumed({ topic: 'x.k8s-pods', count: 5 });
  sink.batchWritten({ resource: 'pods', partition: 0, rows: 4, duplicates: 1, bytes: 400, seconds: 0.02 });
  sink.databaseOperation({ operation: 'upsert', outcome: 'ok', seconds: 0.02 });
  sink.deadLetter({ topic: 'x.k8s-pods', partition: 0, offset: 3, code: 'ROW_REJECTED' });
  sink.partitionState({ topic: 'x.k8s-pods', partition: 0, state: 'running' });
  sink.lag({ topic: 'x.k8s-pods', partition: 0, records: 9, seconds: 1.5 });
  assert.deepEqual(await samples('kubetape_duplicate_changes_total'), ['kubetape_duplicate_changes_total{resource="pods"} 1']);
  assert.deepEqual(await samples('kubetape_dead_letters_total'), ['kubetape_dead_letters_total{resource="pods",code="ROW_REJECTED"} 1']);
  assert.deepEqual(await samples('kubetape_consumer_lag_records'), ['kubetape_consumer_lag_records{topic="x.k8s-pods",partition="0"} 9']);
  assert.deepEqual(await samples('kubetape_partitions'), ['kubetape_partitions{state="running"} 1']);
  sink.partitionState({ topic: 'x.k8s-pods', partition: 0, state: 'revoked' });
  assert.deepEqual(await samples('kubetape_consumer_lag_records'), []);
  assert.deepEqual(await samples('kubetape_partitions'), ['kubetape_partitions{state="running"} 0']);
  assert.equal(lines.find((line) => line['level'] === 'error')?.['offset'], 3);
});

test('an outage is told while it is news, and counted throughout', async () => {
  const { telemetry, lines, samples } = listen();
  for (let attempt = 1; attempt <= 64; attempt += 1)
    telemetry.sink.retry({ topic: 'k8s-pods', partition: 0, code: 'POSTGRES_UNREACHABLE', attempt, delayMs: 1, message: 'no answer' });
  assert.deepEqual(
    lines.map((line) => line['attempt']),
    [1, 2, 3, 4, 8, 16, 32, 64],
  );
  assert.deepEqual(await samples('kubetape_batch_retries_total'), ['kubetape_batch_retries_total{code="POSTGRES_UNREACHABLE"} 64']);
});

test('a line holds named facts only: whatever else an object brings along stays out', () => {
  const { telemetry, lines } = listen();
  const facts = { records: 3, object: { metadata: { name: 'hush' } }, list: ['a', { hush: 1 }] };
  telemetry.log('test').info('x', facts as never);
  telemetry.process.failed({
    error: new KubetapeError('KAFKA_FAILED', 'it broke', { cause: new SyntaxError('Unexpected token in {"hush":1}') }),
  });
  assert.doesNotMatch(JSON.stringify(lines), /hush/);
  assert.deepEqual([lines[0]?.['records'], lines[0]?.['list']], [3, ['a']]);
  assert.deepEqual(
    [lines[1]?.['level'], lines[1]?.['msg'], lines[1]?.['code'], lines[1]?.['cause']],
    ['fatal', 'it broke', 'KAFKA_FAILED', { name: 'SyntaxError' }],
  );
});

test('frames of a stack are written at debug level only', () => {
  for (const level of ['info', 'debug'] as const) {
    const { telemetry, lines } = listen(level);
    telemetry.process.failed({ error: new TypeError('x is not a function') });
    assert.equal(JSON.stringify(lines).includes('telemetry.test.ts'), level === 'debug');
    assert.match(JSON.stringify(lines), /x is not a function/);
  }
});
