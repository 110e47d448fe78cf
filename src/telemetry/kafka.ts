/** What the clients of Kafka say: connections, broker trouble, the group. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { SharedMetrics } from './shared.ts';

/** Which of the process's clients: few, and known beforehand. */
export type KafkaClientName = 'producer' | 'consumer' | 'reader' | 'admin';

export type KafkaTelemetry = ReturnType<typeof kafkaTelemetry>;

export function kafkaTelemetry(log: Log, metrics: Metrics, shared: SharedMetrics) {
  const connected = metrics.gauge('kubetape_kafka_connected', '1 while the client is connected', ['client']);
  const errors = metrics.counter('kubetape_kafka_errors_total', 'Errors that librdkafka reports and mends by itself', ['client', 'code']);
  const rebalances = metrics.counter('kubetape_rebalances_total', 'Partitions given and taken by the consumer group', ['kind']);

  return {
    connected(facts: { readonly client: KafkaClientName; readonly broker?: string | undefined }): void {
      connected.set({ client: facts.client }, 1);
      log.info(`${facts.client} is connected`, facts);
    },
    disconnected(facts: { readonly client: KafkaClientName }): void {
      connected.set({ client: facts.client }, 0);
      log.debug(`${facts.client} is disconnected`, facts);
    },
    /** librdkafka goes on by itself. `code` is its name, like `_TRANSPORT`. */
    clientError(facts: { readonly client: KafkaClientName; readonly code: string; readonly message: string }): void {
      errors.inc({ client: facts.client, code: facts.code });
      log.warn(`${facts.client}: ${facts.message}`, { client: facts.client, code: facts.code });
    },
    /** A client gave up and its owner makes a new one. */
    clientFailed(facts: { readonly client: KafkaClientName; readonly code: string; readonly message: string }): void {
      shared.errors.inc({ code: facts.code, stage: 'log' });
      log.error(`${facts.client} failed: ${facts.message}`, { client: facts.client, code: facts.code });
    },
    rebalanced(facts: { readonly kind: 'assigned' | 'revoked' | 'lost'; readonly partitions: readonly string[] }): void {
      rebalances.inc({ kind: facts.kind }, facts.partitions.length);
      log.info(`${facts.partitions.length} partitions ${facts.kind}`, facts);
    },
    topicCreated(facts: { readonly topic: string; readonly partitions: number }): void {
      log.info(`created topic ${facts.topic}`, facts);
    },
  };
}
