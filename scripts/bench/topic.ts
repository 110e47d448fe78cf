/** A topic as an independent client sees it: what was committed, and whether anything is missing or there twice. */
import kafka from 'node-rdkafka';
import { TopicReader } from '../../src/kafka/reader.ts';
import type { Stack } from '../stack/stack.ts';

export interface Count {
  readonly records: number;
  /** Distinct resourceVersions: each change has its own. */
  readonly distinct: number;
}

const FIELD = Buffer.from('"resourceVersion":"');

/** Reads all committed records; tombstones do not count. */
export async function countRecords(stack: Stack, topic: string): Promise<Count> {
  const versions = new Set<string>();
  let records = 0;
  await new TopicReader({ brokers: stack.brokers.split(','), clientId: 'kubetape-bench' }).readToEnd(
    [topic],
    ({ value }) => {
      if (value === null) return;
      const at = value.indexOf(FIELD) + FIELD.length;
      records += 1;
      versions.add(value.toString('latin1', at, value.indexOf(0x22, at)));
    },
    AbortSignal.timeout(300_000),
  );
  return { records, distinct: versions.size };
}

/** Creates a topic of the same policy as kubetape's, for those that cannot. */
export async function createTopic(stack: Stack, topic: string, partitions: number): Promise<void> {
  const admin = kafka.AdminClient.create({ 'metadata.broker.list': stack.brokers });
  const wanted = { topic, num_partitions: partitions, replication_factor: 1, config: { 'max.message.bytes': '8388608' } };
  await new Promise<void>((resolve, reject) => admin.createTopic(wanted, 10_000, (error) => (error ? reject(error) : resolve())));
  admin.disconnect();
}

/** Follows how many records a topic holds, for writers without transactions (whose markers take offsets too). */
export class TopicEnd {
  readonly #consumer: kafka.KafkaConsumer;
  readonly #topic: string;
  readonly #partitions: number;

  private constructor(consumer: kafka.KafkaConsumer, topic: string, partitions: number) {
    this.#consumer = consumer;
    this.#topic = topic;
    this.#partitions = partitions;
  }

  static async open(stack: Stack, topic: string, partitions: number): Promise<TopicEnd> {
    const consumer = new kafka.KafkaConsumer({ 'metadata.broker.list': stack.brokers, 'group.id': 'kubetape-bench-end' }, {});
    await new Promise<void>((resolve, reject) => consumer.connect({}, (error) => (error ? reject(error) : resolve())));
    return new TopicEnd(consumer, topic, partitions);
  }

  async records(): Promise<number> {
    const ends = await Promise.all(
      Array.from(
        { length: this.#partitions },
        (_, partition) =>
          new Promise<number>((resolve, reject) =>
            this.#consumer.queryWatermarkOffsets(this.#topic, partition, 10_000, (error, offsets) =>
              error ? reject(error) : resolve(offsets.highOffset),
            ),
          ),
      ),
    );
    return ends.reduce((sum, end) => sum + end, 0);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#consumer.disconnect(() => resolve());
    });
  }
}
