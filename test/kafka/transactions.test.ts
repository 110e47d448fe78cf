import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { KAFKA_HOME, ROOT } from '../../scripts/setup/places.mjs';
import type { Stack } from '../../scripts/stack/stack.ts';
import type { LogMessage, OutgoingMessage } from '../../src/capture/ports.ts';
import { KubetapeError } from '../../src/events/errors.ts';
import type { TopicSpec } from '../../src/events/topics.ts';
import { describeTopics, ensureTopics } from '../../src/kafka/admin.ts';
import type { KafkaConnection } from '../../src/kafka/connection.ts';
import { GroupConsumer } from '../../src/kafka/group-consumer.ts';
import { TopicReader } from '../../src/kafka/reader.ts';
import { TransactionalProducer } from '../../src/kafka/transactional-producer.ts';
import { ownStack, sharedStack } from '../support/stack.ts';

let names = 0;
const unique = (): string => `t-${process.pid}-${Date.now().toString(36)}-${(names += 1)}`;
const forever = (): AbortSignal => new AbortController().signal;
const messages = (topic: string, from: number, to: number): OutgoingMessage[] =>
  Array.from({ length: to - from }, (_, at) => ({ topic, key: `k${(from + at) % 50}`, value: Buffer.from(String(from + at)) }));

describe('the log', () => {
  let stack: Stack;
  let connection: KafkaConnection;

  before(async () => {
    stack = await sharedStack();
    connection = { brokers: [stack.brokers], clientId: 'test' };
  });

  async function topic(partitions = 3, config: Record<string, string> = {}): Promise<string> {
    const name = unique();
    await ensureTopics(connection, [{ name, partitions, config }], -1);
    return name;
  }
  async function producer(topics: readonly string[], transactionalId = unique()): Promise<TransactionalProducer> {
    const one = new TransactionalProducer({ connection, transactionalId, topics });
    await one.open(forever());
    return one;
  }
  async function read(name: string): Promise<LogMessage[]> {
    const found: LogMessage[] = [];
    await new TopicReader(connection).readToEnd([name], (message) => found.push(message), AbortSignal.timeout(30_000));
    return found;
  }
  const values = (found: readonly LogMessage[]): number[] => found.map(({ value }) => Number(value?.toString())).toSorted((a, b) => a - b);

  it('a record that the broker refuses takes its whole transaction with it, and the writer goes on', async () => {
    const [narrow, wide] = [await topic(1, { 'max.message.bytes': '2000' }), await topic(1)];
    const writer = await producer([narrow, wide]);
    // Random bytes: they do not become fewer on the way.
    const refused = [...messages(wide, 0, 10), { topic: narrow, key: 'large', value: randomBytes(5_000) }];
    await assert.rejects(writer.commit(refused), (error) => error instanceof KubetapeError && error.code === 'KAFKA_FAILED');
    assert.deepEqual([await read(narrow), await read(wide)], [[], []], 'nothing of it is visible');
    await writer.commit(messages(wide, 10, 20));
    await writer.close();
    assert.deepEqual(
      values(await read(wide)),
      Array.from({ length: 10 }, (_, at) => 10 + at),
    );
  });

  it('a reader ends at the end: of an empty topic, behind markers, and with every record in order of its key', async () => {
    const name = await topic();
    assert.deepEqual(await read(name), []);
    const writer = await producer([name]);
    await writer.commit(messages(name, 0, 500));
    await writer.commit(messages(name, 500, 1000));
    await writer.close();
    const found = await read(name);
    assert.deepEqual(
      values(found),
      Array.from({ length: 1000 }, (_, at) => at),
    );
    const last = new Map<string, number>();
    for (const { key, value } of found) {
      assert.ok(Number(value?.toString()) > (last.get(key) ?? -1));
      last.set(key, Number(value?.toString()));
    }
  });

  it('kill -9 in the middle of a transaction: the successor opens at once, and nothing of it is ever visible', async () => {
    const name = await topic();
    const id = unique();
    const child = spawn(process.execPath, [path.join(ROOT, 'test', 'kafka', 'open-transaction.ts'), stack.brokers, name, id], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    const startedMs = Date.now();
    const successor = await producer([name], id);
    assert.ok(Date.now() - startedMs < 5000, `it took ${Date.now() - startedMs} ms`);
    await successor.commit(messages(name, 100, 110));
    await successor.close();
    assert.deepEqual(
      values(await read(name)),
      Array.from({ length: 10 }, (_, at) => 100 + at),
    );
  });

  it('an older writer is fenced: it writes nothing more and says KAFKA_FENCED', async () => {
    const name = await topic();
    const id = unique();
    const older = await producer([name], id);
    await older.commit(messages(name, 0, 10));
    const newer = await producer([name], id);
    await assert.rejects(
      older.commit(messages(name, 10, 20)),
      (error: unknown) => error instanceof KubetapeError && error.code === 'KAFKA_FENCED',
    );
    await newer.commit(messages(name, 20, 30));
    await Promise.all([older.close(), newer.close()]);
    assert.deepEqual(values(await read(name)), [
      ...Array.from({ length: 10 }, (_, at) => at),
      ...Array.from({ length: 10 }, (_, at) => 20 + at),
    ]);
  });

  it('fenced in the middle of a transaction, at whatever moment: it never takes the log back', async () => {
    for (let delayMs = 0; delayMs <= 60; delayMs += 4) {
      const name = await topic(12);
      const id = unique();
      const older = await producer([name], id);
      await older.commit(messages(name, 0, 10));
      const inTheMiddle = Promise.allSettled([older.commit(messages(name, 10, 3_000))]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const newer = await producer([name], id);
      const [outcome] = await inTheMiddle;
      const isOver = (error: unknown): boolean =>
        error instanceof KubetapeError && (error.code === 'KAFKA_FENCED' || error.code === 'KAFKA_WRITER_LOST');
      if (outcome.status === 'rejected') assert.ok(isOver(outcome.reason), String(outcome.reason));
      for (const _again of [1, 2]) await assert.rejects(older.commit(messages(name, 10, 3_000)), isOver);
      await newer.commit(messages(name, 5_000, 5_010));
      await Promise.all([older.close(), newer.close()]);
      const found = values(await read(name));
      assert.equal(new Set(found).size, found.length, 'nothing twice');
      const batch = found.filter((value) => value >= 10 && value < 3_000).length;
      assert.equal(batch, outcome.status === 'fulfilled' ? 2_990 : 0, `after ${delayMs} ms`);
      assert.equal(found.filter((value) => value >= 5_000).length, 10);
    }
  });

  it('a missing topic is named, before anything is written', async () => {
    const name = unique();
    await assert.rejects(
      producer([name]),
      (error: unknown) => error instanceof KubetapeError && error.code === 'KAFKA_TOPIC_MISSING' && error.message.includes(name),
    );
  });

  it('a broker that is not there is named within seconds', async () => {
    const startedMs = Date.now();
    await assert.rejects(
      describeTopics({ ...connection, brokers: ['127.0.0.1:1'] }, 3000),
      (error: unknown) => error instanceof KubetapeError && error.code === 'KAFKA_UNREACHABLE' && error.message.includes('127.0.0.1:1'),
    );
    assert.ok(Date.now() - startedMs < 8000);
  });

  it('topics: created once, left alone afterwards, and another partition count is told', async () => {
    const name = unique();
    const spec: TopicSpec = { name, partitions: 2, config: { 'cleanup.policy': 'compact' } };
    assert.deepEqual(
      (await ensureTopics(connection, [spec], -1)).map(({ action }) => action),
      ['created'],
    );
    assert.deepEqual(
      (await ensureTopics(connection, [spec], -1)).map(({ action }) => action),
      ['unchanged'],
    );
    const [differs] = await ensureTopics(connection, [{ ...spec, partitions: 5 }], -1);
    assert.equal(differs?.action, 'differs');
    assert.equal((await describeTopics(connection)).topics.get(name), 2);
    // What nobody set is completed and told; what somebody set otherwise is told and left alone.
    const more: TopicSpec = {
      ...spec,
      config: { 'cleanup.policy': 'compact', 'max.message.bytes': '8388608', 'min.compaction.lag.ms': '1000' },
    };
    const [completed] = await ensureTopics(connection, [more], -1);
    assert.equal(completed?.action, 'completed');
    assert.match(completed.detail, /min.compaction.lag.ms = 1000/);
    assert.equal((await ensureTopics(connection, [more], -1))[0]?.action, 'unchanged');
    const [other] = await ensureTopics(connection, [{ ...spec, config: { 'cleanup.policy': 'delete' } }], -1);
    assert.equal(other?.action, 'differs');
    assert.match(other.detail, /cleanup.policy is compact/);
  });

  it('keys lie where Java puts them', async () => {
    const name = await topic(7);
    const writer = await producer([name]);
    const keys = Array.from({ length: 40 }, (_, at) => `cluster/ns-${at}/name-${'x'.repeat(at)}`);
    await writer.commit(keys.map((key) => ({ topic: name, key, value: Buffer.from('x') })));
    await writer.close();
    const places = javaPartitions(stack, keys, 7);
    for (const { key, partition } of await read(name)) assert.equal(partition, places.get(key), key);
  });

  it('a group gives each partition to one member, at the offset that its handler says, and hands over when one leaves', async () => {
    const name = await topic(4);
    const writer = await producer([name]);
    await writer.commit(messages(name, 0, 400));
    await writer.close();
    const groupId = unique();
    const member = (): { consumer: GroupConsumer; owned: Set<number>; read: number[] } => {
      const owned = new Set<number>();
      return { consumer: new GroupConsumer({ connection, groupId, queuedMaxBytes: 1 << 20 }), owned, read: [] };
    };
    const [first, second] = [member(), member()];
    const start = async ({ consumer, owned }: typeof first) =>
      consumer.start([name], {
        assigned: async (partitions) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          for (const { partition } of partitions) owned.add(partition);
          return partitions.map((at) => ({ ...at, offset: 10 }));
        },
        revoked: async (partitions) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          for (const { partition } of partitions) owned.delete(partition);
        },
      });
    const polling = new AbortController();
    const poll = async ({ consumer, read: seen }: typeof first) => {
      while (!polling.signal.aborted) for (const { offset } of await consumer.poll(100)) seen.push(offset);
    };
    await start(first);
    const loops = [poll(first)];
    await until(() => first.owned.size === 4 && first.read.length > 0);
    assert.equal(Math.min(...first.read), 10);
    await start(second);
    loops.push(poll(second));
    await until(() => first.owned.size === 2 && second.owned.size === 2);
    assert.deepEqual([...first.owned, ...second.owned].toSorted(), [0, 1, 2, 3]);
    // Leaving hands over through `revoked`, within its time.
    const startedMs = Date.now();
    await second.consumer.stop(5000);
    assert.ok(Date.now() - startedMs < 5000);
    await until(() => first.owned.size === 4);
    polling.abort();
    await first.consumer.stop(5000);
    await Promise.allSettled(loops);
  });

  it('a broker killed under load and started again: every message once, none lost', async () => {
    const own = await ownStack('broker', ['kafka']);
    try {
      connection = { brokers: [own.brokers], clientId: 'test' };
      const name = await topic();
      const writer = await producer([name]);
      const load = (async () => {
        for (let at = 0; at < 60; at += 1) {
          for (;;) {
            try {
              await writer.commit(messages(name, at * 20, at * 20 + 20));
              break;
            } catch (error) {
              assert.ok(error instanceof KubetapeError && error.retryable, String(error));
              await new Promise((resolve) => setTimeout(resolve, 100));
            }
          }
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      await new Promise((resolve) => setTimeout(resolve, 400));
      await own.stop('kafka', 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await own.start('kafka');
      await load;
      await writer.close();
      assert.deepEqual(
        values(await read(name)),
        Array.from({ length: 1200 }, (_, at) => at),
      );
    } finally {
      connection = { brokers: [stack.brokers], clientId: 'test' };
      await own.reset();
    }
  });
});

/** Asks Kafka's own partitioner. */
function javaPartitions(stack: Stack, keys: readonly string[], partitions: number): Map<string, number> {
  const source = path.join(stack.dir, 'Partition.java');
  writeFileSync(
    source,
    'public class Partition { public static void main(String[] a) { for (int i = 1; i < a.length; i++) System.out.println(org.apache.kafka.common.utils.Utils.toPositive(org.apache.kafka.common.utils.Utils.murmur2(a[i].getBytes())) % Integer.parseInt(a[0])); } }',
  );
  const lines = execFileSync('java', ['-cp', path.join(KAFKA_HOME, 'libs', '*'), source, String(partitions), ...keys], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const places = lines.trim().split('\n').map(Number);
  return new Map(keys.map((key, at) => [key, places[at] ?? -1]));
}

async function until(isSo: () => boolean): Promise<void> {
  const untilMs = Date.now() + 30_000;
  while (!isSo()) {
    if (Date.now() > untilMs) throw new Error('waited 30 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
