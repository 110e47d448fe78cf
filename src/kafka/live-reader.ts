/**
 * Topics read from a moment on, for as long as somebody looks; committed records only. It joins no group, and moves nobody's
 * position.
 */
import kafka from 'node-rdkafka';
import { called, connectClient, disconnectClient } from './client.ts';
import { commonProperties, type KafkaConnection } from './connection.ts';
import { kafkaError } from './errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
const BATCH = 500;
const PER_RECORD_TIMEOUT_MS = 20;

export interface LiveRecord {
  readonly topic: string;
  /** null for a tombstone. */
  readonly value: Buffer | null;
}

export class LiveReader {
  readonly #connection: KafkaConnection;
  readonly #consumer: kafka.KafkaConsumer;
  readonly #partitions = new Map<string, readonly number[]>();

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
    this.#consumer = new kafka.KafkaConsumer(
      {
        ...commonProperties(connection),
        // Never joined: partitions are assigned by hand. The driver insists on a name.
        'group.id': 'kubetape-tail',
        'enable.auto.commit': false,
        'isolation.level': 'read_committed',
        'fetch.wait.max.ms': 50,
        'fetch.message.max.bytes': 8 * 1024 * 1024,
        'queued.max.messages.kbytes': 16 * 1024,
      },
      // Should the records be gone by the time they are read, what is left is what one came for.
      { 'auto.offset.reset': 'earliest' },
    );
  }

  /** @returns every topic there is @throws KubetapeError KAFKA_UNREACHABLE, KAFKA_UNAUTHORIZED */
  async start(): Promise<string[]> {
    const { brokers } = this.#connection;
    try {
      await connectClient(this.#consumer, brokers, CONNECT_TIMEOUT_MS);
      const { topics } = await called<kafka.Metadata>((done) =>
        this.#consumer.getMetadata({ allTopics: true, timeout: REQUEST_TIMEOUT_MS }, done as never),
      );
      for (const { name, partitions } of topics)
        this.#partitions.set(
          name,
          partitions.map(({ id }) => id),
        );
      return [...this.#partitions.keys()];
    } catch (error) {
      throw kafkaError(error, 'reading', brokers);
    }
  }

  /** @param sinceMs where to begin; null for the end */
  async assign(topics: readonly string[], sinceMs: number | null): Promise<void> {
    const partitions = topics.flatMap((topic) => (this.#partitions.get(topic) ?? []).map((partition) => ({ topic, partition })));
    try {
      this.#consumer.assign(await this.#positions(partitions, sinceMs));
      this.#consumer.setDefaultConsumeTimeout(PER_RECORD_TIMEOUT_MS);
    } catch (error) {
      throw kafkaError(error, 'reading', this.#connection.brokers);
    }
  }

  /** What has come; nothing after a moment of waiting. */
  async poll(): Promise<LiveRecord[]> {
    try {
      const messages = await called<kafka.Message[]>((done) => this.#consumer.consume(BATCH, done as never));
      return messages.map(({ topic, value }) => ({ topic, value }));
    } catch (error) {
      const failure = kafkaError(error, 'reading', this.#connection.brokers);
      if (!failure.retryable) throw failure;
      return [];
    }
  }

  async stop(): Promise<void> {
    await disconnectClient(this.#consumer, 2_000);
  }

  async #positions(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
    sinceMs: number | null,
  ): Promise<{ topic: string; partition: number; offset: number }[]> {
    if (sinceMs !== null) {
      const asked = partitions.map((one) => ({ ...one, offset: sinceMs }));
      const found = await called<{ topic: string; partition: number; offset: number }[]>((done) =>
        this.#consumer.offsetsForTimes(asked, REQUEST_TIMEOUT_MS, done as never),
      );
      // -1: nothing that new; librdkafka takes it for the end.
      return found.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
    }
    const ends: { topic: string; partition: number; offset: number }[] = [];
    for (const { topic, partition } of partitions) {
      const { highOffset } = await called<kafka.WatermarkOffsets>((done) =>
        this.#consumer.queryWatermarkOffsets(topic, partition, REQUEST_TIMEOUT_MS, done as never),
      );
      ends.push({ topic, partition, offset: highOffset });
    }
    return ends;
  }
}
