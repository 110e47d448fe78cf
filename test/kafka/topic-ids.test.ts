/** Topics that are deleted and created again, as a consumer meets them on a real broker. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { GroupConsumer } from '../../src/kafka/group-consumer.ts';
import { TransactionalProducer } from '../../src/kafka/transactional-producer.ts';
import { until } from '../support/kube.ts';
import { sharedStack } from '../support/stack.ts';
import { createTopic, deleteTopic } from '../support/topics.ts';

const stack = await sharedStack();
const connection = { brokers: [stack.brokers], clientId: 'test' };
const ends: (() => Promise<void>)[] = [];
after(() => Promise.all(ends.map((end) => end())));

async function fill(topic: string, records: number, word: string): Promise<void> {
  const producer = new TransactionalProducer({ connection, transactionalId: randomUUID(), topics: [topic] });
  await producer.open(AbortSignal.timeout(30_000));
  await producer.commit(Array.from({ length: records }, () => ({ topic, key: 'k', value: Buffer.from(word) })));
  await producer.close();
}

/** A member of its own group, polled until the test ends. */
async function member(topic: string): Promise<{ consumer: GroupConsumer; read: string[]; heard: string[]; assigned: () => number }> {
  const consumer = new GroupConsumer({ connection, groupId: randomUUID(), queuedMaxBytes: 1 << 20 });
  const read: string[] = [];
  const heard: string[] = [];
  let assignments = 0;
  await consumer.start([topic], {
    assigned: async (partitions) => {
      assignments += 1;
      return partitions.map((at) => ({ ...at, offset: assignments === 1 ? 0 : 20 }));
    },
    revoked: () => Promise.resolve(),
    recreated: (name) => {
      heard.push(name);
      read.push('RECREATED');
    },
  });
  let polling = true;
  const loop = (async () => {
    while (polling) for (const { value } of await consumer.poll(100)) read.push(value?.toString() ?? '');
  })();
  ends.push(async () => {
    polling = false;
    await loop;
    await consumer.stop(2_000);
  });
  return { consumer, read, heard, assigned: () => assignments };
}

test('T1 as it is: the id of a topic is the same however often it is asked for, and another one once it was created again', async () => {
  const topic = `ids-${randomUUID()}`;
  await createTopic(stack, topic, 2);
  const { consumer } = await member(topic);
  const id = await consumer.topicId(topic);
  assert.match(id ?? '', /^[A-Za-z0-9+/_-]{22}$/);
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => consumer.topicId(topic))), [id, id, id]);
  await deleteTopic(stack, topic);
  await createTopic(stack, topic, 2);
  await until('another id', async () => ![id, null].includes(await consumer.topicId(topic)));
});

test('T2 in time: a topic created again and filled beyond what was read is told before any of its records comes', async () => {
  const topic = `ids-${randomUUID()}`;
  await createTopic(stack, topic, 1);
  await fill(topic, 20, 'old');
  const { consumer, read, heard } = await member(topic);
  await until('the old records', () => read.length === 20);
  await consumer.topicId(topic);
  await deleteTopic(stack, topic);
  await createTopic(stack, topic, 1);
  await fill(topic, 60, 'new');
  await until('the word', () => heard.length > 0);
  await until('records of the new topic', () => read.includes('new'));
  assert.ok(read.indexOf('RECREATED') < read.indexOf('new'), read.join(' '));
});
