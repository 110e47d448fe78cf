/**
 * A member of a consumer group that pulls. Fits RecordSource (sinks/ports.ts).
 * Positions never come from Kafka: the handler says where each partition starts. While it thinks, librdkafka keeps the
 * partitions paused, and while it finishes work on revoked ones the next owner waits.
 */
import kafka from 'node-rdkafka';
import type { AssignmentHandler, RecordSource, SourceRecord, TopicPartition } from '../sinks/ports.ts';
import type { KubetapeError } from '../events/errors.ts';
import { called, connectClient, disconnectClient, partitionsOfTopics } from './client.ts';
import { commonProperties, type KafkaConnection } from './connection.ts';
import { ASSIGN, kafkaError, REVOKE, type DriverError } from './errors.ts';
import { told, TopicIds, topicIdProperties } from './topic-ids.ts';

export interface GroupConsumerSettings {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  /** Static membership: who comes back under the same name within the session timeout keeps its partitions. */
  readonly instanceId?: string | undefined;
  /** Most bytes that librdkafka fetches ahead. */
  readonly queuedMaxBytes: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** The driver waits so long for each further record of a batch, not for the batch. */
const PER_RECORD_TIMEOUT_MS = 5;
const IDLE_MS = 20;
/** A worker that died is missed after so long; one with a name of its own (static membership) may take longer to come back. */
const SESSION_TIMEOUT_MS = 10_000;
const STATIC_SESSION_TIMEOUT_MS = 45_000;
/** A member learns of a rebalance by its next heartbeat: a partition that moves is nobody's for as long. */
const HEARTBEAT_MS = 1_000;
const MAX_POLL_INTERVAL_MS = 300_000;
/** What was to be fetched is not there: deleted, or cut off when a broker lost its end of the log. */
const GONE: ReadonlySet<number> = new Set([-140, -139]); // offset reset, log truncation

export class GroupConsumer implements RecordSource {
  readonly #brokers: readonly string[];
  readonly #consumer: kafka.KafkaConsumer;
  #handler: AssignmentHandler | null = null;
  /** Rebalances are handled one after the other. */
  #rebalancing: Promise<void> = Promise.resolve();
  #failure: KubetapeError | null = null;
  #stopping = false;
  readonly #topicIds: TopicIds;
  /** Where the end was reached since the partition was assigned or sought: what was reached before says nothing of now. */
  readonly #ends = new Map<string, number>();

  constructor(settings: GroupConsumerSettings) {
    this.#brokers = settings.connection.brokers;
    const config = {
      'session.timeout.ms': settings.instanceId === undefined ? SESSION_TIMEOUT_MS : STATIC_SESSION_TIMEOUT_MS,
      'heartbeat.interval.ms': HEARTBEAT_MS,
      'max.poll.interval.ms': MAX_POLL_INTERVAL_MS,
      'queued.max.messages.kbytes': Math.max(1024, Math.floor(settings.queuedMaxBytes / 1024)),
      'queued.min.messages': 10_000,
      // Of each partition, and compressed: what arrives is several times as much. A larger record comes all the same.
      'fetch.message.max.bytes': 256 * 1024,
      // The default of a second would show as a second of lag whenever the queue was full.
      'fetch.queue.backoff.ms': 20,
      'fetch.wait.max.ms': 100,
      'fetch.error.backoff.ms': 100,
      ...commonProperties(settings.connection),
      ...topicIdProperties(settings.connection.properties?.['debug']),
      'group.id': settings.groupId,
      ...(settings.instanceId === undefined ? {} : { 'group.instance.id': settings.instanceId }),
      'partition.assignment.strategy': 'cooperative-sticky',
      'enable.auto.commit': false,
      'enable.auto.offset.store': false,
      'isolation.level': 'read_committed',
      // The markers of transactions take offsets too: only this tells that there is nothing left to read.
      'enable.partition.eof': true,
      rebalance_cb: (error: DriverError, partitions: TopicPartition[]) => this.#rebalance(error, partitions),
    };
    // An offset that is gone is an error, not a silent jump.
    this.#consumer = new kafka.KafkaConsumer(config as unknown as kafka.ConsumerGlobalConfig, { 'auto.offset.reset': 'error' });
    this.#topicIds = new TopicIds(this.#consumer, (topic) => this.#handler?.recreated?.(topic));
  }

  async start(topics: readonly string[], handler: AssignmentHandler): Promise<void> {
    this.#handler = handler;
    await connectClient(this.#consumer, this.#brokers, CONNECT_TIMEOUT_MS);
    await partitionsOfTopics(this.#consumer, topics, this.#brokers);
    this.#consumer.on('event.error', (error) => {
      const failure = error as unknown as DriverError;
      // A second member with the same instance id, for one: waiting does not mend it.
      if (failure.isFatal === true) this.#failure ??= kafkaError(failure, 'consuming', this.#brokers);
    });
    this.#consumer.on('partition.eof', ({ topic, partition, offset }: { topic: string; partition: number; offset: number }) => {
      this.#ends.set(`${topic} ${partition}`, offset);
    });
    this.#consumer.setDefaultConsumeTimeout(PER_RECORD_TIMEOUT_MS);
    this.#consumer.subscribe([...topics]);
  }

  async poll(maxRecords: number): Promise<readonly SourceRecord[]> {
    if (this.#failure !== null) throw this.#failure;
    let messages: kafka.Message[];
    try {
      messages = await called<kafka.Message[]>((done) => this.#consumer.consume(maxRecords, done as never));
    } catch (error) {
      const failure = kafkaError(error, 'consuming', this.#brokers);
      if (this.#stopping) return [];
      if (GONE.has((error as DriverError).code ?? 0)) this.#handler?.outOfRange?.();
      if (!failure.retryable) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 250));
      return [];
    }
    if (messages.length === 0) await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    // Before these records are taken for those of the topic as it was.
    else await told();
    return messages.map((message) => ({
      topic: message.topic,
      partition: message.partition,
      offset: message.offset,
      key: typeof message.key === 'string' ? Buffer.from(message.key) : (message.key ?? null),
      value: message.value,
      timestampMs: message.timestamp ?? 0,
      headers: headersOf(message.headers),
    }));
  }

  pause(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.#consumer.pause([...partitions]);
  }

  resume(partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.#consumer.resume([...partitions]);
  }

  async seek(position: TopicPartition & { readonly offset: number }): Promise<void> {
    this.#forgetEnds([position]);
    try {
      await called((done) => this.#consumer.seek(position, REQUEST_TIMEOUT_MS, done));
    } catch (error) {
      throw kafkaError(error, `seeking ${position.topic}/${position.partition}`, this.#brokers);
    }
  }

  async watermarks({ topic, partition }: TopicPartition): Promise<{ low: number; high: number }> {
    try {
      const { lowOffset, highOffset } = await called<kafka.WatermarkOffsets>((done) =>
        this.#consumer.queryWatermarkOffsets(topic, partition, REQUEST_TIMEOUT_MS, done as never),
      );
      return { low: lowOffset, high: highOffset };
    } catch (error) {
      throw kafkaError(error, `asking for the offsets of ${topic}/${partition}`, this.#brokers);
    }
  }

  endReached({ topic, partition }: TopicPartition): number | null {
    return this.#ends.get(`${topic} ${partition}`) ?? null;
  }

  async topicId(topic: string): Promise<string | null> {
    try {
      return await this.#topicIds.of(topic);
    } catch (error) {
      throw kafkaError(error, `asking for the id of ${topic}`, this.#brokers);
    }
  }

  commitForDisplay(positions: readonly (TopicPartition & { readonly offset: number })[]): void {
    try {
      if (positions.length > 0) this.#consumer.commit([...positions]);
    } catch {
      // Between two generations of the group it is refused; the next one comes through.
    }
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    const untilMs = Date.now() + timeoutMs;
    // Leaving makes the group revoke everything; the handler is not to be cut off.
    const left = disconnectClient(this.#consumer, timeoutMs);
    await Promise.race([
      left.then(() => this.#rebalancing),
      new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, untilMs - Date.now())).unref()),
    ]);
  }

  #forgetEnds(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#ends.delete(`${topic} ${partition}`);
  }

  #rebalance(error: DriverError, partitions: TopicPartition[]): void {
    this.#rebalancing = this.#rebalancing.then(async () => {
      try {
        if (error.code === ASSIGN) {
          const positions = partitions.length === 0 ? [] : ((await this.#handler?.assigned(partitions)) ?? []);
          this.#forgetEnds(partitions);
          this.#consumer.incrementalAssign([...positions]);
        } else if (error.code === REVOKE) {
          if (partitions.length > 0) await this.#handler?.revoked(partitions);
          this.#consumer.incrementalUnassign(partitions.map(({ topic, partition }) => ({ topic, partition })));
          this.#forgetEnds(partitions);
        }
      } catch (cause) {
        if (!this.#stopping) this.#failure ??= kafkaError(cause, 'taking partitions over', this.#brokers);
      }
    });
  }
}

function headersOf(headers: kafka.MessageHeader[] | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const header of headers ?? []) for (const [name, value] of Object.entries(header)) found[name] = String(value);
  return found;
}
