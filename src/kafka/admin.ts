/** Topics as they should be, and topics as they are. */
import kafka from 'node-rdkafka';
import type { TopicSpec } from '../events/topics.ts';
import { called, connectClient, disconnectClient, partitionsOfTopics } from './client.ts';
import { commonProperties, type KafkaConnection } from './connection.ts';
import { kafkaError, type DriverError } from './errors.ts';
import { describeTopicConfigs, setTopicConfigs, type TopicConfig } from './topic-configs.ts';

export interface TopicOutcome {
  readonly topic: string;
  /**
   * `completed`: policies that nobody had set for it are set now. `differs`: it is there with other partitions (changing
   * them would break the order of keys) or with policies that somebody set otherwise; it is left as it is.
   */
  readonly action: 'created' | 'completed' | 'unchanged' | 'differs' | 'missing';
  readonly detail: string;
}

const TIMEOUT_MS = 10_000;
const ALREADY_EXISTS = 36;

/**
 * Creates the topics that are missing and completes the policies of those that exist; what it leaves alone it reports.
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
  const outcomes: TopicOutcome[] = [];
  const policies = await policiesOf(
    connection,
    specs.map(({ name }) => name).filter((name) => existing.topics.has(name)),
  );
  for (const spec of specs) {
    const partitions = existing.topics.get(spec.name);
    if (created.has(spec.name)) outcomes.push({ topic: spec.name, action: 'created', detail: `${spec.partitions} partitions` });
    else if (partitions === undefined && dryRun)
      outcomes.push({ topic: spec.name, action: 'missing', detail: `would get ${spec.partitions} partitions` });
    else outcomes.push(await complete(connection, spec, partitions ?? spec.partitions, policies, dryRun));
  }
  return outcomes;
}

type Policies = { readonly of: ReadonlyMap<string, ReadonlyMap<string, TopicConfig>>; readonly unknown: string | null };

/** Policies may be hidden from this user; its topics are good all the same. */
async function policiesOf(connection: KafkaConnection, names: readonly string[]): Promise<Policies> {
  try {
    return { of: await describeTopicConfigs(connection, names), unknown: null };
  } catch (error) {
    return { of: new Map(), unknown: (error as Error).message };
  }
}

/** Sets what nobody has set, and says what somebody has set otherwise. */
async function complete(
  connection: KafkaConnection,
  spec: TopicSpec,
  partitions: number,
  policies: Policies,
  dryRun: boolean,
): Promise<TopicOutcome> {
  const topic = spec.name;
  const has = policies.of.get(topic);
  const differing: string[] = [];
  if (partitions !== spec.partitions)
    differing.push(`${partitions} partitions, the settings say ${spec.partitions}; another number would break the order of its keys`);
  const missing = new Map<string, string>();
  for (const [name, wanted] of has === undefined ? [] : Object.entries(spec.config)) {
    const current = has?.get(name);
    if (current?.value === wanted) continue;
    if (current?.set === true) differing.push(`${name} is ${current.value}, kubetape would set ${wanted}`);
    else missing.set(name, wanted);
  }
  if (missing.size > 0 && !dryRun) await setTopicConfigs(connection, topic, missing);
  const completed = [...missing].map(([name, wanted]) => `${name} = ${wanted}`).join(', ');
  if (differing.length > 0)
    return { topic, action: 'differs', detail: `${differing.join('; ')}; left as it is${completed === '' ? '' : `. Set: ${completed}`}` };
  if (completed !== '') return { topic, action: 'completed', detail: completed };
  return {
    topic,
    action: 'unchanged',
    detail: `${partitions} partitions${policies.unknown === null ? '' : `; its policies are not known (${policies.unknown})`}`,
  };
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

/** The next offset of each partition; the last ones may be taken by markers of transactions. @throws KubetapeError KAFKA_TOPIC_MISSING, … */
export async function topicEnds(
  connection: KafkaConnection,
  topics: readonly string[],
  timeoutMs = TIMEOUT_MS,
): Promise<Map<string, number[]>> {
  const producer = new kafka.Producer(commonProperties(connection));
  try {
    await connectClient(producer, connection.brokers, timeoutMs);
    const counts = await partitionsOfTopics(producer, topics, connection.brokers, timeoutMs);
    const ends = new Map<string, number[]>();
    for (const [topic, partitions] of counts) {
      const asked = Array.from({ length: partitions }, (_, partition) =>
        called<kafka.WatermarkOffsets>((done) => producer.queryWatermarkOffsets(topic, partition, timeoutMs, done as never)),
      );
      ends.set(
        topic,
        (await Promise.all(asked)).map(({ highOffset }) => highOffset),
      );
    }
    return ends;
  } catch (error) {
    throw kafkaError(error, 'asking where topics end', connection.brokers);
  } finally {
    await disconnectClient(producer, 3_000);
  }
}
