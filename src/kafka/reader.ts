/** Topics read from their beginning to the end they have now, committed records only. Fits LogReader (capture/ports.ts). */
import kafka from 'node-rdkafka';
import type { LogMessage, LogReader } from '../capture/ports.ts';
import { called, connectClient, disconnectClient, partitionsOfTopics } from './client.ts';
import { commonProperties, type KafkaConnection } from './connection.ts';
import { kafkaError } from './errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const WATERMARKS_TIMEOUT_MS = 10_000;
const BATCH = 2_000;

export class TopicReader implements LogReader {
  readonly #connection: KafkaConnection;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  /** @param from offset at which to begin, by topic and partition; the first record where nothing is said */
  async readToEnd(
    topics: readonly string[],
    onMessage: (message: LogMessage) => void,
    signal: AbortSignal,
    from: ReadonlyMap<string, readonly (number | undefined)[]> = new Map(),
  ): Promise<void> {
    const { brokers } = this.#connection;
    const consumer = new kafka.KafkaConsumer(
      {
        ...commonProperties(this.#connection),
        // Never joined: partitions are assigned by hand. The driver insists on a name.
        'group.id': 'kubetape-reader',
        'enable.auto.commit': false,
        'isolation.level': 'read_committed',
        // The end of a partition is the last committed record, aborted ones and markers behind it included.
        'enable.partition.eof': true,
        'queued.max.messages.kbytes': 32 * 1024,
        'fetch.message.max.bytes': 8 * 1024 * 1024,
        'fetch.queue.backoff.ms': 20,
      },
      { 'auto.offset.reset': 'earliest' },
    );
    try {
      await connectClient(consumer, brokers, CONNECT_TIMEOUT_MS);
      const open = await this.#openPartitions(consumer, topics, from);
      if (open.size === 0) return;
      consumer.on('partition.eof', ({ topic, partition }: { topic: string; partition: number }) => open.delete(`${topic} ${partition}`));
      consumer.assign([...open.values()]);
      consumer.setDefaultConsumeTimeout(100);
      while (open.size > 0 && !signal.aborted) {
        const messages = await called<kafka.Message[]>((done) => consumer.consume(BATCH, done as never));
        for (const { topic, partition, offset, key, value } of messages) {
          onMessage({ topic, partition, offset, key: key?.toString() ?? '', value });
        }
      }
    } catch (error) {
      throw kafkaError(error, `reading ${topics.join(', ')}`, brokers);
    } finally {
      await disconnectClient(consumer, 3_000);
    }
  }

  /** Partitions with anything in them from where they are to be read. */
  async #openPartitions(
    consumer: kafka.KafkaConsumer,
    topics: readonly string[],
    from: ReadonlyMap<string, readonly (number | undefined)[]>,
  ): Promise<Map<string, { topic: string; partition: number; offset: number }>> {
    const counts = await partitionsOfTopics(consumer, topics, this.#connection.brokers);
    const open = new Map<string, { topic: string; partition: number; offset: number }>();
    for (const [topic, partitions] of counts) {
      for (let partition = 0; partition < partitions; partition += 1) {
        const { lowOffset, highOffset } = await called<kafka.WatermarkOffsets>((done) =>
          consumer.queryWatermarkOffsets(topic, partition, WATERMARKS_TIMEOUT_MS, done as never),
        );
        const offset = Math.max(lowOffset, from.get(topic)?.[partition] ?? 0);
        if (highOffset > offset) open.set(`${topic} ${partition}`, { topic, partition, offset });
      }
    }
    return open;
  }
}
