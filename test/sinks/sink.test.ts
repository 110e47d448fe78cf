/** The sink worker, whole, in memory. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { KubetapeError } from '../../src/events/errors.ts';
import { Sink, type SinkSettings } from '../../src/sinks/sink.ts';
import { changeValue, FakeLog, FakeStore, recordingTelemetry, uidOf, until, type Fault } from './fakes.ts';

const TOPIC = 'k8s-pods';
const SETTINGS: SinkSettings = { maxRows: 10, maxBytes: 1 << 20, maxWaitMs: 0, writersMax: 2, memoryMaxBytes: 1 << 20, drainMs: 500 };

/** A test that fails leaves a worker behind. */
const stops: AbortController[] = [];
after(() => stops.forEach((stop) => stop.abort()));

/** Time runs as fast as it is looked at. */
function rig(settings: Partial<SinkSettings> = {}) {
  const log = new FakeLog();
  const store = new FakeStore();
  const telemetry = recordingTelemetry();
  let nowMs = 1_000_000;
  const date = { nowMs: Date.UTC(2026, 10, 20) };
  const clock = { now: () => (nowMs += 5), date: () => date.nowMs, random: () => 0.5 };
  const stop = new AbortController();
  stops.push(stop);
  const sink = new Sink(
    log,
    store,
    [
      { topic: TOPIC, content: 'changes' },
      { topic: 'event-stream', content: 'facts' },
    ],
    { ...SETTINGS, ...settings },
    telemetry,
    clock,
  );
  const running = { done: false, error: null as unknown };
  const run = async (): Promise<void> => {
    await sink.run(stop.signal).catch((error: unknown) => (running.error = error));
    running.done = true;
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await until(() => running.done);
    assert.equal(running.error, null);
  };
  const skipTo = (ms: number): void => void (nowMs += ms);
  return { log, store, telemetry, sink, run, end, running, stop, skipTo, date };
}

const changes = (count: number, from = 1): Buffer[] =>
  Array.from({ length: count }, (_, n) => changeValue({ uid: uidOf(n % 7), resourceVersion: from + n }));
const versions = (store: FakeStore): number[] => store.rows.map(({ resourceVersion }) => Number(resourceVersion));
const sorted = (numbers: readonly number[]): number[] => [...numbers].toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
const unreachable = new KubetapeError('POSTGRES_UNREACHABLE', 'gone');

test('S1 once: all records of all partitions are stored once, tombstones only move the position', async () => {
  const { log, store, run, end } = rig();
  log.append(TOPIC, 0, [...changes(25), null], 1);
  log.append(TOPIC, 1, changes(13, 26), 3);
  void run();
  await until(() => store.rows.length === 38);
  await until(() => store.positions.get('k8s-pods 0')?.nextOffset === 26);
  await end();
  assert.deepEqual(sorted(versions(store)), upTo(38));
  assert.ok(log.stopped);
});

test('S1 once: whatever the store runs into, before or after its commit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('ok', 'before', 'after', 'fence'), { maxLength: 30 }),
      fc.integer({ min: 1, max: 60 }),
      async (faults, count) => {
        const { log, store, run, end } = rig();
        log.append(TOPIC, 0, changes(count), 2);
        const queue = [...faults];
        store.fault = (): Fault | null => {
          const next = queue.shift() ?? 'ok';
          if (next === 'before' || next === 'after') return { when: next, error: unreachable };
          if (next === 'fence') return { when: 'before', error: new KubetapeError('OFFSET_FENCED', 'not yours') };
          return null;
        };
        void run();
        await until(() => store.rows.length >= count);
        await end();
        assert.deepEqual(versions(store), upTo(count));
      },
    ),
    { numRuns: 60 },
  );
});

test('S1 once: a commit that happened without an answer is found by the fence, and its records are not stored again', async () => {
  const { log, store, run, end, telemetry } = rig();
  log.append(TOPIC, 0, changes(5));
  let first = true;
  store.fault = () => {
    const lost = first;
    first = false;
    return lost ? { when: 'after', error: unreachable } : null;
  };
  void run();
  await until(() => telemetry.told.some(({ what, facts }) => what === 'retry' && facts['code'] === 'OFFSET_FENCED'));
  log.append(TOPIC, 0, changes(2, 6));
  await until(() => store.rows.length >= 7);
  await end();
  assert.deepEqual(versions(store), upTo(7));
});

test('S1 once: rebalances in the middle of batches, as often as the group likes', async () => {
  const { log, store, run, end } = rig();
  const at = { topic: TOPIC, partition: 0 };
  log.append(TOPIC, 0, changes(200), 1);
  void run();
  for (let round = 0; round < 6; round += 1) {
    await until(() => store.rows.length > round * 20);
    await log.revoke([at]);
    const held = store.rows.length;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(store.rows.length, held, 'nothing is written once the revocation has resolved');
    await log.assign([at]);
  }
  await until(() => store.rows.length === 200);
  await end();
  assert.deepEqual(versions(store), upTo(200));
});

test('S2 bounded: a store that hangs stops the fetching, not the polling; afterwards everything comes', async () => {
  const { log, store, run, end } = rig({ memoryMaxBytes: 20_000 });
  const gate = Promise.withResolvers<void>();
  store.gate = gate.promise;
  log.append(TOPIC, 0, changes(3_000));
  void run();
  await until(() => log.paused.size > 0);
  const polls = log.polls;
  await until(() => log.polls > polls + 50);
  gate.resolve();
  await until(() => store.rows.length === 3_000, 50_000);
  await end();
  assert.deepEqual(versions(store), upTo(3_000));
});

test('S3 alive: it polls while the store is away, waits longer each time, and is not ready', async () => {
  const { log, store, run, end, sink, telemetry } = rig();
  let away = true;
  store.fault = () => (away ? { when: 'before', error: unreachable } : null);
  log.append(TOPIC, 0, changes(3));
  void run();
  const retries = (): number[] => telemetry.told.filter(({ what }) => what === 'retry').map(({ facts }) => Number(facts['delayMs']));
  await until(() => retries().length >= 8, 50_000);
  assert.deepEqual(retries().slice(0, 8), [150, 300, 600, 1200, 2400, 4800, 7500, 7500]);
  const [health] = sink.health();
  assert.equal(health?.ready, false);
  assert.match(health.reason ?? '', /gone/);
  away = false;
  await until(() => store.rows.length === 3, 50_000);
  assert.equal(telemetry.told.findLast(({ what }) => what === 'partitionState')?.facts['state'], 'running');
  await end();
});

test('S4 apart: partitions that cannot be written hold up no other, with one writer only', async () => {
  const { log, store, run, end, sink } = rig({ writersMax: 1, memoryMaxBytes: 50_000 });
  const refused = new KubetapeError('POSTGRES_FAILED', 'a permission is missing');
  store.fault = ({ partition }) => (partition < 2 ? { when: 'before', error: partition === 0 ? refused : unreachable } : null);
  for (const partition of [0, 1]) log.append(TOPIC, partition, changes(500));
  log.append(TOPIC, 2, changes(500));
  void run();
  await until(() => store.rows.length === 500, 20_000);
  assert.equal(store.mostActive, 1);
  assert.deepEqual(
    sink.health().map(({ partition, reason }) => ({ partition, wrong: /permission|gone/.test(reason ?? '') })),
    [0, 1, 2].map((partition) => ({ partition, wrong: partition < 2 })),
  );
  await end();
});

test('S5 drains: stopped in the middle of a write, that write is finished and nothing else is begun', async () => {
  const { log, store, run, end, running, stop } = rig();
  const gate = Promise.withResolvers<void>();
  store.gate = gate.promise;
  log.append(TOPIC, 0, changes(50));
  void run();
  await until(() => store.active === 1);
  stop.abort();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(running.done, false);
  gate.resolve();
  await end();
  assert.equal(store.writes.length, 1);
  assert.equal(store.rows.length, store.positions.get('k8s-pods 0')?.nextOffset);
});

test('S5 drains: a store that never answers is left behind in time', async () => {
  const { log, store, run, end, stop } = rig({ drainMs: 50 });
  store.gate = new Promise(() => undefined);
  log.append(TOPIC, 0, changes(5));
  void run();
  await until(() => store.active === 1);
  const startedMs = performance.now();
  stop.abort();
  await new Promise((resolve) => setTimeout(resolve, 80));
  await end();
  assert.ok(performance.now() - startedMs < 1_000);
});

test('a partition without a stored position begins with the oldest record that the log holds', async () => {
  const { log, store, run, end } = rig();
  log.append(TOPIC, 0, changes(5));
  const held = log.partitions.get('k8s-pods 0');
  assert.ok(held);
  held.low = 3;
  held.records.splice(0, 3);
  void run();
  await until(() => store.rows.length === 2);
  await end();
  assert.deepEqual(versions(store), [4, 5]);
});

test('a position that the log does not hold stops this partition only, says what to do, and goes on once a person did it', async () => {
  const { log, store, run, end, sink, skipTo } = rig();
  log.append(TOPIC, 0, changes(5));
  log.append(TOPIC, 1, changes(5, 6));
  store.positions.set('k8s-pods 0', { topic: TOPIC, partition: 0, nextOffset: 900, topicId: null });
  void run();
  await until(() => store.rows.length === 5);
  const health = sink.health().find(({ partition }) => partition === 0);
  assert.equal(health?.ready, false);
  assert.match(health.reason ?? '', /database has it up to 900.*UPDATE k8s\.sink_offsets SET next_offset = 0/);
  assert.ok(log.paused.has('k8s-pods 0'));
  store.positions.set('k8s-pods 0', { topic: TOPIC, partition: 0, nextOffset: 0, topicId: null });
  skipTo(20_000);
  await until(() => store.rows.length === 10);
  await end();
  assert.deepEqual(sorted(versions(store)), upTo(10));
});

test('a topic that was created again is refused although its offsets look right', async () => {
  const { log, store, run, end, sink } = rig();
  log.append(TOPIC, 0, changes(50));
  log.topicIds.set(TOPIC, 'new');
  store.positions.set('k8s-pods 0', { topic: TOPIC, partition: 0, nextOffset: 10, topicId: 'old' });
  void run();
  await until(() => /created again/.test(sink.health()[0]?.reason ?? ''));
  await end();
  assert.equal(store.rows.length, 0);
});

test('a schema that was dropped and made anew while it runs is filled from the log', async () => {
  const { log, store, run, end } = rig();
  log.append(TOPIC, 0, changes(20));
  void run();
  await until(() => store.rows.length === 20);
  store.positions.clear();
  store.rows.length = 0;
  log.append(TOPIC, 0, changes(1, 21));
  await until(() => store.rows.length === 21);
  await end();
  assert.deepEqual(versions(store), upTo(21));
});

test('poison goes to the dead letters, each with its offset, and everything around it is stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }), async (bad) => {
      const { log, store, run, end, telemetry } = rig({ maxRows: 16 });
      log.append(TOPIC, 0, changes(40));
      store.poison = ({ resourceVersion }) => bad.includes(Number(resourceVersion));
      void run();
      await until(() => store.rows.length + store.deadLetters.length === 40);
      await end();
      assert.deepEqual(
        versions(store),
        upTo(40).filter((version) => !bad.includes(version)),
      );
      assert.deepEqual(
        store.deadLetters.map(({ record, code, sqlstate }) => [record.offset + 1, code, sqlstate]),
        sorted(bad).map((version) => [version, 'ROW_REJECTED', '22P05']),
      );
      assert.equal(telemetry.told.filter(({ what }) => what === 'deadLetter').length, bad.length);
    }),
    { numRuns: 40 },
  );
});

test('a record that is no change record is a dead letter; one of a newer version stops its partition, and is no dead letter', async () => {
  const { log, store, run, end, sink } = rig();
  log.append(TOPIC, 0, [...changes(2), Buffer.from('{'), ...changes(1, 3), Buffer.from('{"v":2}'), ...changes(3, 4)]);
  log.append(TOPIC, 1, changes(3, 11));
  void run();
  await until(
    () => store.rows.length === 6 && /Upgrade the sinks/.test(sink.health().find(({ partition }) => partition === 0)?.reason ?? ''),
  );
  await end();
  assert.deepEqual(sorted(versions(store)), [1, 2, 3, 11, 12, 13]);
  assert.deepEqual(
    store.deadLetters.map(({ record, code }) => [record.offset, code]),
    [[2, 'RECORD_INVALID']],
  );
  assert.equal(store.positions.get('k8s-pods 0')?.nextOffset, 4);
});

test('a person may pass over the record that stops a partition: its position is compared now and then', async () => {
  const { log, store, run, end, skipTo } = rig();
  log.append(TOPIC, 0, [...changes(2), Buffer.from('{"v":2}'), ...changes(2, 3)]);
  void run();
  await until(() => store.positions.get('k8s-pods 0')?.nextOffset === 2);
  store.positions.set('k8s-pods 0', { topic: TOPIC, partition: 0, nextOffset: 3, topicId: null });
  skipTo(20_000);
  await until(() => store.rows.length === 4);
  await end();
  assert.deepEqual(sorted(versions(store)), upTo(4));
});

test('facts become facts', async () => {
  const { log, store, run, end } = rig();
  const fact = {
    v: 1,
    type: 'coverage.gap',
    ts: '2026-11-20T17:00:00Z',
    cluster: 'c',
    resource: 'pods',
    namespace: '',
    name: '',
    detail: { cause: 'expired' },
  };
  log.append('event-stream', 0, [Buffer.from(JSON.stringify(fact)), Buffer.from('{"v":1}')]);
  void run();
  await until(() => store.facts.length === 1 && store.deadLetters.length === 1);
  await end();
  assert.equal(store.facts[0]?.detail.toString(), '{"cause":"expired"}');
});

test('a partition without records notices that the store is away, and another one: it is not ready, and it is filled again', async () => {
  const { log, store, run, end, sink, skipTo } = rig();
  log.append(TOPIC, 0, changes(5));
  void run();
  await until(() => store.rows.length === 5);
  store.fault = () => ({ when: 'before', error: unreachable });
  skipTo(15_000);
  await until(() => /gone/.test(sink.health()[0]?.reason ?? ''));
  store.fault = () => null;
  store.positions.clear();
  store.rows.length = 0;
  skipTo(15_000);
  await until(() => store.rows.length === 5);
  await end();
  assert.deepEqual(versions(store), upTo(5));
});

test('a quiet partition is moved over the markers behind its last record, so that retention does not look like a loss', async () => {
  const { log, store, run, end, skipTo } = rig();
  log.append(TOPIC, 0, changes(3), 2);
  void run();
  await until(() => store.rows.length === 3);
  assert.equal(store.positions.get('k8s-pods 0')?.nextOffset, 3);
  skipTo(40_000);
  await until(() => store.positions.get('k8s-pods 0')?.nextOffset === 5);
  log.append(TOPIC, 0, changes(1, 4));
  await until(() => store.rows.length === 4);
  await end();
  assert.deepEqual(versions(store), upTo(4));
});

test("C1 two clocks: the machine's clock jumps back and forth, in the middle of batches and of waiting: nothing waits for it, no age is negative", async () => {
  const { log, store, run, end, telemetry, date } = rig({ maxWaitMs: 50 });
  let writes = 0;
  store.fault = () => ((writes += 1) % 3 === 0 ? { when: 'before', error: unreachable } : null);
  for (let round = 0; round < 12; round += 1) {
    date.nowMs += round % 2 === 0 ? -3_600_000 : 1_800_000;
    log.append(TOPIC, 0, changes(3, 1 + 3 * round));
    if (round === 0) void run();
    await until(() => store.rows.length === 3 * (round + 1));
  }
  await end();
  assert.deepEqual(versions(store), upTo(36));
  for (const { what, facts } of telemetry.told) {
    if (what === 'changeAge' || what === 'lag') assert.ok(Number(facts['seconds']) >= 0, `${what} ${String(facts['seconds'])}`);
  }
});
