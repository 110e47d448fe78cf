/** What producer and consumer have in common: connecting, metadata, and an end that cannot hang. */
import type { Metadata } from 'node-rdkafka';
import { KubetapeError } from '../events/errors.ts';
import { kafkaError, refusalOf, type DriverError } from './errors.ts';

type Done = (error: unknown, value?: unknown) => void;

/** The part of node-rdkafka's producers and consumers that is used here; their own types cannot be called as a union. */
interface Client {
  connect(options: object, done: Done): unknown;
  disconnect(done: Done): unknown;
  isConnected(): boolean;
  getMetadata(options: object, done: Done): unknown;
  on(event: 'event.error' | 'event.log', listener: (error: DriverError) => void): unknown;
  once(event: 'disconnected', listener: () => void): unknown;
  removeListener(event: 'event.log', listener: (error: DriverError) => void): unknown;
}

/** Callback style → promise. */
export function called<T>(run: (done: (error: unknown, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, value) => {
      if (error === null || error === undefined) resolve(value as T);
      else reject(error);
    });
  });
}

/**
 * Connects and asks for metadata, so that a wrong broker or a wrong password is seen at once.
 * @throws KubetapeError KAFKA_UNREACHABLE, KAFKA_UNAUTHORIZED: with what librdkafka logged last, as its own error only
 *   says that it did not come about
 */
export async function connectClient(client: Client, brokers: readonly string[], timeoutMs: number): Promise<Metadata> {
  let last: KubetapeError | undefined;
  const onLog = ({ message }: DriverError): void => {
    last = refusalOf(message ?? '', brokers) ?? last;
  };
  client.on('event.log', onLog);
  // Without a listener an error event would end the process.
  client.on('event.error', () => undefined);
  try {
    return await called<Metadata>((done) => client.connect({ timeout: timeoutMs, allTopics: false }, done as Done));
  } catch (error) {
    throw last ?? kafkaError(error, 'connecting', brokers);
  } finally {
    client.removeListener('event.log', onLog);
  }
}

/** Resolves within `timeoutMs`, whether the client has left in good order or not. */
export async function disconnectClient(client: Client, timeoutMs: number): Promise<void> {
  if (!client.isConnected()) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    timer.unref();
    const end = (): void => {
      resolve();
    };
    client.once('disconnected', end);
    client.disconnect(end);
  });
}

/** Partition counts of the topics. @throws KubetapeError KAFKA_TOPIC_MISSING, naming all that are missing */
export async function partitionsOfTopics(
  client: Client,
  topics: readonly string[],
  brokers: readonly string[],
  timeoutMs = 10_000,
): Promise<Map<string, number>> {
  let metadata: Metadata;
  try {
    metadata = await called<Metadata>((done) => client.getMetadata({ allTopics: true, timeout: timeoutMs }, done as Done));
  } catch (error) {
    throw kafkaError(error, 'reading metadata', brokers);
  }
  const found = new Map(
    metadata.topics.filter(({ partitions }) => partitions.length > 0).map(({ name, partitions }) => [name, partitions.length]),
  );
  const missing = topics.filter((topic) => !found.has(topic));
  if (missing.length > 0) {
    throw new KubetapeError('KAFKA_TOPIC_MISSING', `Kafka at ${brokers.join(', ')} has no topic ${missing.join(', ')}`);
  }
  return new Map(topics.map((topic) => [topic, found.get(topic) ?? 0]));
}
