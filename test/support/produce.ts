/** Records as anybody could write them into a topic: any bytes, into a partition of one's choice. */
import kafka from 'node-rdkafka';
import type { Stack } from '../../scripts/stack/stack.ts';

const TIMEOUT_MS = 15_000;

export interface RawRecord {
  /** A compacted topic takes none without. */
  readonly key: string;
  readonly value: Buffer | null;
}

/** Resolves once the broker has them. @returns their offsets */
export async function produce(stack: Stack, topic: string, partition: number, records: readonly RawRecord[]): Promise<number[]> {
  const producer = new kafka.Producer({ 'metadata.broker.list': stack.brokers, dr_cb: true, 'message.max.bytes': 8_000_000 });
  await new Promise<void>((resolve, reject) =>
    producer.connect({ timeout: TIMEOUT_MS }, (error) => (error ? reject(new Error(error.message)) : resolve())),
  );
  try {
    const offsets: number[] = [];
    const delivered = new Promise<void>((resolve, reject) => {
      producer.on('delivery-report', (error, { offset }) => {
        if (error) reject(new Error(error.message));
        offsets.push(offset);
        if (offsets.length === records.length) resolve();
      });
    });
    producer.setPollInterval(10);
    for (const { key, value } of records) producer.produce(topic, partition, value, key);
    await delivered;
    return offsets;
  } finally {
    await new Promise<void>((resolve) => {
      producer.disconnect(TIMEOUT_MS, () => resolve());
    });
  }
}
