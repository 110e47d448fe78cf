/** The worker between a real Kafka and a real Postgres: what fakes of the group and of seeking cannot prove. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { topicSpecs } from '../../src/events/topics.ts';
import { ensureTopics } from '../../src/kafka/admin.ts';
import { GroupConsumer } from '../../src/kafka/group-consumer.ts';
import { TransactionalProducer } from '../../src/kafka/transactional-producer.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { Sink } from '../../src/sinks/sink.ts';
import { freshDatabase } from '../postgres/database.ts';
import { sharedStack } from '../support/stack.ts';
import { changeValue, recordingTelemetry, uidOf } from './fakes.ts';

const stack = await sharedStack();
const { database } = await freshDatabase();
const id = `sink-${randomUUID().slice(0, 8)}`;
const connection = { brokers: stack.brokers.split(','), clientId: id };
const topic = `${id}.k8s-pods`;
await ensureTopics(connection, topicSpecs(['pods'], { prefix: `${id}.`, partitions: 3 }), 1);
const producer = new TransactionalProducer({ connection, transactionalId: id, topics: [topic] });
await producer.open(new AbortController().signal);
after(() => producer.close());

let version = 0;
async function produce(count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => {
    version += 1;
    const uid = uidOf(version % 50);
    return { topic, key: `test/shop/pod-${uid.slice(-3)}`, value: changeValue({ uid, resourceVersion: version }) };
  });
  await producer.commit(messages);
}

const workers: { stop: () => Promise<void> }[] = [];
after(() => Promise.all(workers.map(({ stop }) => stop())));
function startWorker(group = id) {
  const source = new GroupConsumer({ connection, groupId: group, queuedMaxBytes: 8 << 20 });
  const telemetry = recordingTelemetry();
  const settings = { maxRows: 200, maxBytes: 1 << 20, maxWaitMs: 10, writersMax: 2, memoryMaxBytes: 8 << 20, drainMs: 5_000 };
  const sink = new Sink(source, new PostgresStore(database), [{ topic, content: 'changes' }], settings, telemetry);
  const ended = new AbortController();
  const running = sink.run(ended.signal);
  const worker = {
    sink,
    telemetry,
    stop: async () => {
      ended.abort();
      await running;
    },
  };
  workers.push(worker);
  return worker;
}

/** All versions that were produced, each once. */
async function allOnce(): Promise<void> {
  let found = { n: 0, versions: 0 };
  for (const untilMs = Date.now() + 60_000; Date.now() < untilMs; await sleep(50)) {
    const [row] = await database
      .query<{ n: number; versions: number }>(
        'SELECT count(*)::int AS n, count(DISTINCT resource_version)::int AS versions FROM k8s.pods_history',
      )
      .catch(() => []);
    found = row ?? found;
    if (found.n >= version) break;
  }
  assert.deepEqual(found, { n: version, versions: version });
}

const first = startWorker();

test('S1 once: everything that is in the topic, and it is ready and without lag', async () => {
  for (let round = 0; round < 5; round += 1) await produce(500);
  await allOnce();
  for (const untilMs = Date.now() + 10_000; first.sink.health().some(({ ready, lag }) => !ready || lag !== 0) && Date.now() < untilMs;)
    await sleep(100);
  assert.deepEqual(
    first.sink.health().map(({ ready, lag }) => ({ ready, lag })),
    Array.from({ length: 3 }, () => ({ ready: true, lag: 0 })),
  );
});

test('S1 once: a position that was set back under a running worker: it goes there, and what is stored is not stored again', async () => {
  await database.query('UPDATE k8s.sink_offsets SET next_offset = 7');
  await produce(300);
  await allOnce();
  assert.ok(first.telemetry.told.some(({ what, facts }) => what === 'retry' && facts['code'] === 'OFFSET_FENCED'));
});

test('S1 once: workers that come and go while records come', async () => {
  const feeding = (async () => {
    for (let round = 0; round < 40; round += 1) {
      await produce(50);
      await sleep(25);
    }
  })();
  await sleep(200);
  startWorker();
  await sleep(1_500);
  await first.stop();
  startWorker();
  await feeding;
  await allOnce();
});

test('S1 once: a second group on the same database, by mistake', async () => {
  const stray = startWorker(`${id}-stray`);
  for (let round = 0; round < 20; round += 1) {
    await produce(50);
    await sleep(50);
  }
  await allOnce();
  await stray.stop();
});

test('G8 rebuild: the schema is dropped under running workers and migrated anew', async () => {
  await database.query('DROP SCHEMA k8s CASCADE');
  await sleep(300);
  await migrate(database);
  await produce(1);
  await allOnce();
});
