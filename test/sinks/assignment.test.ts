/** Partitions that come, go, and cannot be had: in memory. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { KubetapeError } from '../../src/events/errors.ts';
import { Sink } from '../../src/sinks/sink.ts';
import { changeValue, FakeLog, FakeStore, recordingTelemetry, uidOf, until } from './fakes.ts';

const TOPIC = 'k8s-pods';
const ZERO = { topic: TOPIC, partition: 0 };
const changes = (count: number, from = 1): Buffer[] =>
  Array.from({ length: count }, (_, n) => changeValue({ uid: uidOf(n % 7), resourceVersion: from + n }));

/** A test that fails leaves a worker behind. */
const stops: AbortController[] = [];
after(() => stops.forEach((stop) => stop.abort()));

function rig() {
  const log = new FakeLog();
  const store = new FakeStore();
  const telemetry = recordingTelemetry();
  let nowMs = 1_000_000;
  const clock = { now: () => (nowMs += 5), date: Date.now, random: () => 0.5 };
  const settings = { maxRows: 10, maxBytes: 1 << 20, maxWaitMs: 0, writersMax: 2, memoryMaxBytes: 1 << 20, drainMs: 500 };
  const sink = new Sink(log, store, [{ topic: TOPIC, content: 'changes' }], settings, telemetry, clock);
  const stop = new AbortController();
  stops.push(stop);
  const run = (): Promise<void> => sink.run(stop.signal);
  return { log, store, telemetry, sink, run, stop, skipTo: (ms: number) => void (nowMs += ms) };
}

const versions = (store: FakeStore): number[] => store.rows.map(({ resourceVersion }) => Number(resourceVersion));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

test('A1 exact: a partition that comes back while the store is slow to tell its position is fetched', async () => {
  const { log, store, run, stop } = rig();
  log.append(TOPIC, 0, changes(20));
  const running = run();
  await until(() => store.rows.length === 20);
  await log.revoke([ZERO]);
  const gate = Promise.withResolvers<void>();
  store.readGate = gate.promise;
  const assigning = log.assign([ZERO]);
  const polls = log.polls;
  await until(() => log.polls > polls + 20);
  assert.equal(log.paused.size, 0, 'a pause of what the source does not have yet would outlast the assignment');
  gate.resolve();
  await assigning;
  log.append(TOPIC, 0, changes(5, 21));
  await until(() => store.rows.length === 25);
  stop.abort();
  await running;
  assert.deepEqual(versions(store), upTo(25));
});

test('A1 exact: a writer that was fenced begins anew where the store stands, wherever that is', async () => {
  const { log, store, run, stop } = rig();
  log.append(TOPIC, 0, changes(40));
  const running = run();
  await until(() => store.rows.length === 40);
  // Another owner wrote ten more, and died.
  log.append(TOPIC, 0, changes(30, 41));
  store.positions.set('k8s-pods 0', { ...ZERO, nextOffset: 50, topicId: null });
  await until(() => store.rows.length === 60);
  stop.abort();
  await running;
  assert.deepEqual(versions(store), [...upTo(40), ...upTo(70).slice(50)]);
});

test('A2 no jump: a topic that is created again under a running worker is refused, though the new one is longer; the rest goes on', async () => {
  const { log, store, run, stop, sink, telemetry, skipTo } = rig();
  log.topicIds.set(TOPIC, 'old');
  log.append(TOPIC, 0, changes(10));
  const running = run();
  await until(() => store.rows.length === 10);
  log.topicIds.set(TOPIC, 'new');
  log.recreate(TOPIC);
  log.append(TOPIC, 0, changes(50, 100));
  await until(() => /created again since offset 10 was written/.test(sink.health()[0]?.reason ?? ''));
  assert.deepEqual(versions(store), upTo(10));
  const stopped = telemetry.told.filter(({ what, facts }) => what === 'partitionState' && facts['state'] === 'stopped');
  assert.equal(stopped.length, 1);
  // What the hint says: the positions of the topic are forgotten.
  assert.match(sink.health()[0]?.reason ?? '', /DELETE FROM k8s\.sink_offsets WHERE topic = 'k8s-pods'/);
  store.positions.clear();
  skipTo(20_000);
  await until(() => store.rows.length === 70);
  stop.abort();
  await running;
});

test('A2 no jump: a topic that is created again while a position is being read', async () => {
  const { log, store, run, stop, sink } = rig();
  log.append(TOPIC, 0, changes(10));
  log.topicIds.set(TOPIC, 'old');
  store.positions.set('k8s-pods 0', { ...ZERO, nextOffset: 5, topicId: 'old' });
  const gate = Promise.withResolvers<void>();
  store.readGate = gate.promise;
  const running = run();
  await until(() => log.polls > 5);
  // The id was asked for before it changed.
  log.topicIds.set(TOPIC, 'new');
  log.recreate(TOPIC);
  gate.resolve();
  await until(() => /created again/.test(sink.health()[0]?.reason ?? ''));
  stop.abort();
  await running;
  assert.equal(store.rows.length, 0);
});

test('A2 no jump: a source that lost its way is led back, each partition to where the store stands, or refused', async () => {
  const { log, store, run, stop, sink } = rig();
  for (const partition of [0, 1]) log.append(TOPIC, partition, changes(10, 1 + 10 * partition));
  const running = run();
  await until(() => store.rows.length === 20);
  const held = log.partitions.get('k8s-pods 1');
  assert.ok(held);
  held.low = 15;
  held.high = 20;
  held.records.length = 0;
  log.outOfRange();
  await until(() => /expects 10 next: 5 offsets were deleted/.test(sink.health().find(({ partition }) => partition === 1)?.reason ?? ''));
  log.append(TOPIC, 0, changes(10, 21));
  log.append(TOPIC, 1, changes(10, 31));
  await until(() => store.rows.length === 30);
  stop.abort();
  await running;
  assert.deepEqual(versions(store).slice(20), upTo(30).slice(20));
});

test('A3 hands over: nothing is written, and nothing told, of a partition that was taken away while its position was sought', async () => {
  const { log, store, run, stop, telemetry, sink } = rig();
  log.append(TOPIC, 0, changes(10));
  const running = run();
  await until(() => store.rows.length === 10);
  const gate = Promise.withResolvers<void>();
  store.readGate = gate.promise;
  store.fault = () => ({ when: 'before', error: new KubetapeError('OFFSET_FENCED', 'another worker') });
  log.append(TOPIC, 0, changes(5, 11));
  await until(
    () => sink.health()[0]?.reason === 'its position is being read. ' || sink.health()[0]?.reason === 'its position is being read',
  );
  await log.revoke([ZERO]);
  const told = telemetry.told.length;
  gate.resolve();
  const polls = log.polls;
  await until(() => log.polls > polls + 20);
  stop.abort();
  await running;
  assert.equal(store.rows.length, 10);
  assert.deepEqual(
    telemetry.told.slice(told).filter(({ what }) => what === 'partitionState'),
    [],
  );
  assert.deepEqual(sink.health(), []);
});

test('A4 apart: a partition whose position cannot be read says why, and the other one is written', async () => {
  const { log, store, run, stop, sink } = rig();
  log.append(TOPIC, 0, changes(10));
  const running = run();
  await until(() => store.rows.length === 10);
  log.append(TOPIC, 1, changes(10, 11));
  const read = store.position.bind(store);
  let away = true;
  store.position = async (at) => {
    if (at.partition === 1 && away) throw new KubetapeError('POSTGRES_UNREACHABLE', 'no answer');
    return read(at);
  };
  void log.assign([{ topic: TOPIC, partition: 1 }]);
  log.append(TOPIC, 0, changes(10, 21));
  await until(() => store.rows.length === 20);
  assert.match(sink.health().find(({ partition }) => partition === 1)?.reason ?? '', /no answer/);
  away = false;
  const untilMs = Date.now() + 10_000;
  while (store.rows.length < 30 && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
  stop.abort();
  await running;
  assert.equal(store.rows.length, 30);
});
