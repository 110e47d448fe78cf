/** Topics as they should be, and topics as they are. */
import kafka from 'node-rdkafka';
import type { TopicSpec } from '../events/topics.ts';
import { called, connectClient, disconnectClient } from './client.ts';
import { commonProperties, type KafkaConnection } from './connection.ts';
import { kafkaError, type DriverError } from './errors.ts';

export interface TopicOutcome {
  readonly topic: string;
  /** `differs`: it is there with other partitions; changing them would break the order of keys. */
  readonly action: 'created' | 'unchanged' | 'differs' | 'missing';
  readonly detail: string;
}

const TIMEOUT_MS = 15_000;
const ALREADY_EXISTS = 36;

/**
 * Creates the topics that are missing; what exists is left as it is and reported.
 * @param replication replicas of a new topic; -1 takes the broker's default
 * @param dryRun only says what would be done: `missing` in place of `created`
 */
export async function ensureTopics(
  connection: KafkaConnection,
  specs: readonly TopicSpec[],
  replication: number,
  dryRun = false,
): Promise<TopicOutcome[]> {
  const existing = await describeTopics(connection);
  const missing = specs.filter(({ name }) => !existing.topics.has(name));
  const created = new Set<string>();
  if (missing.length > 0 && !dryRun) {
    const admin = kafka.AdminClient.create(commonProperties(connection));
    try {
      for (const { name, partitions, config } of missing) {
        const topic = { topic: name, num_partitions: partitions, replication_factor: replication, config: { ...config } };
        try {
          await called((done) => admin.createTopic(topic as kafka.NewTopic, TIMEOUT_MS, done));
          created.add(name);
        } catch (error) {
          // Two at once: the other one was first.
          if ((error as DriverError).code !== ALREADY_EXISTS) throw kafkaError(error, `creating topic ${name}`, connection.brokers);
        }
      }
    } finally {
      admin.disconnect();
    }
    await untilVisible(
      connection,
      missing.map(({ name }) => name),
    );
  }
  return specs.map(({ name, partitions }) => {
    const has = existing.topics.get(name);
    if (created.has(name)) return { topic: name, action: 'created', detail: `${partitions} partitions` };
    if (has === undefined)
      return { topic: name, action: dryRun ? 'missing' : 'unchanged', detail: dryRun ? `would get ${partitions} partitions` : '' };
    if (has === partitions) return { topic: name, action: 'unchanged', detail: `${has} partitions` };
    return {
      topic: name,
      action: 'differs',
      detail: `${has} partitions, the settings say ${partitions}; left as it is, since another number would break the order of its keys`,
    };
  });
}

/** A created topic takes a moment to reach every broker's metadata. */
async function untilVisible(connection: KafkaConnection, names: readonly string[]): Promise<void> {
  const untilMs = Date.now() + TIMEOUT_MS;
  while (Date.now() < untilMs) {
    const { topics } = await describeTopics(connection);
    if (names.every((name) => topics.has(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface KafkaDescription {
  readonly brokers: number;
  /** Topic → partitions. */
  readonly topics: ReadonlyMap<string, number>;
}

/** @throws KubetapeError KAFKA_UNREACHABLE, KAFKA_UNAUTHORIZED */
export async function describeTopics(connection: KafkaConnection, timeoutMs = TIMEOUT_MS): Promise<KafkaDescription> {
  const producer = new kafka.Producer(commonProperties(connection));
  try {
    await connectClient(producer, connection.brokers, timeoutMs);
    const metadata = await called<kafka.Metadata>((done) => producer.getMetadata({ allTopics: true, timeout: timeoutMs }, done as never));
    return { brokers: metadata.brokers.length, topics: new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length])) };
  } catch (error) {
    throw kafkaError(error, 'reading metadata', connection.brokers);
  } finally {
    await disconnectClient(producer, 3_000);
  }
}
