/**
 * Policies of topics, and their ids: what node-rdkafka's admin client cannot ask for. A second client does, loaded only
 * by who needs it. It knows TLS, PLAIN and SCRAM; what else `kafkaProperties` can say it does not.
 */
import { readFileSync } from 'node:fs';
import type { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import { KubetapeError } from '../events/errors.ts';
import type { KafkaConnection } from './connection.ts';

export interface TopicConfig {
  readonly value: string;
  /** True when somebody set it for this topic; else it is the broker's default. */
  readonly set: boolean;
}

/** Kafka's DYNAMIC_TOPIC_CONFIG and its incremental SET. */
const SET_FOR_TOPIC = 1;
const OPERATION_SET = 0;
const TIMEOUT_MS = 10_000;

/** Runs `work` with an admin client. @throws KubetapeError KAFKA_FAILED, without what the driver's error quotes */
async function withAdmin<T>(connection: KafkaConnection, doing: string, work: (admin: Admin, topic: TopicType) => Promise<T>): Promise<T> {
  const driver = await import('@platformatic/kafka');
  const { tls, sasl } = connection;
  if (sasl !== undefined && !/^(PLAIN|SCRAM-SHA-(256|512))$/.test(sasl.mechanism)) {
    throw new KubetapeError('KAFKA_FAILED', `${doing} is not possible with SASL mechanism ${sasl.mechanism}`);
  }
  const admin = new driver.Admin({
    clientId: connection.clientId,
    bootstrapBrokers: [...connection.brokers],
    timeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
    retries: 1,
    strict: false,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            rejectUnauthorized: tls.verify !== 'none',
            ...(tls.verify === 'ca' ? { checkServerIdentity: () => undefined } : {}),
            ...(tls.caFile === undefined ? {} : { ca: readFileSync(tls.caFile) }),
            ...(tls.certFile === undefined ? {} : { cert: readFileSync(tls.certFile) }),
            ...(tls.keyFile === undefined ? {} : { key: readFileSync(tls.keyFile) }),
            ...(tls.keyPassword === undefined ? {} : { passphrase: tls.keyPassword }),
          },
        }),
    ...(sasl === undefined
      ? {}
      : { sasl: { mechanism: sasl.mechanism as 'PLAIN', username: sasl.username ?? '', password: sasl.password ?? '' } }),
  });
  try {
    return await work(admin, driver.ConfigResourceTypes.TOPIC);
  } catch (error) {
    throw new KubetapeError(
      'KAFKA_FAILED',
      `Kafka at ${connection.brokers.join(', ')}: ${doing} failed: ${(error as Error).message.split('\n')[0]}`,
    );
  } finally {
    await admin.close().catch(() => undefined);
  }
}

type TopicType = (typeof ConfigResourceTypes)['TOPIC'];

/** @returns topic → name of the property → value */
export async function describeTopicConfigs(
  connection: KafkaConnection,
  topics: readonly string[],
): Promise<Map<string, Map<string, TopicConfig>>> {
  if (topics.length === 0) return new Map();
  return withAdmin(connection, 'reading the policies of topics', async (admin, resourceType) => {
    const described = await admin.describeConfigs({ resources: topics.map((resourceName) => ({ resourceType, resourceName })) });
    return new Map(
      described.map(({ resourceName, configs }) => [
        resourceName,
        new Map(configs.map(({ name, value, configSource }) => [name, { value: value ?? '', set: configSource === SET_FOR_TOPIC }])),
      ]),
    );
  });
}

/** Sets properties of one topic; its other ones stay as they are. */
export async function setTopicConfigs(connection: KafkaConnection, topic: string, configs: ReadonlyMap<string, string>): Promise<void> {
  await withAdmin(connection, `setting the policies of ${topic}`, async (admin, resourceType) => {
    const changes = [...configs].map(([name, value]) => ({ name, value, configOperation: OPERATION_SET }));
    await admin.incrementalAlterConfigs({ resources: [{ resourceType, resourceName: topic, configs: changes }] } as Parameters<
      Admin['incrementalAlterConfigs']
    >[0]);
  });
}
