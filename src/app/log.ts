/** The log as every role that writes to it opens it: one writer per cluster, by its transactional id. */
import type { CollectorSettings } from '../capture/collector.ts';
import type { SettingsOf } from '../config/roles.ts';
import type { KubetapeError } from '../events/errors.ts';
import { topicSpecs } from '../events/topics.ts';
import { TransactionalProducer } from '../kafka/transactional-producer.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { kafkaConnection } from './connections.ts';

type Writing = Omit<SettingsOf<'collect'>, 'httpHost' | 'httpPort'>;

/** Within the ten seconds that a drain may take in all. */
const DRAIN_MS = 7_000;

/** @param waiting heard while the log cannot be had */
export function logOf(
  settings: Writing,
  role: string,
  cluster: string,
  resources: readonly string[],
  telemetry: Telemetry,
  waiting: (error: KubetapeError) => void = () => undefined,
): TransactionalProducer {
  return new TransactionalProducer({
    connection: kafkaConnection(settings, role),
    transactionalId: `${settings.topicPrefix}kubetape-${cluster}`,
    topics: topicSpecs(resources, { prefix: settings.topicPrefix, partitions: 1 }).map(({ name }) => name),
    onRetry: (error, attempt, delayMs) => {
      waiting(error);
      telemetry.capture.transactionRetry({ code: error.code, attempt, delayMs, message: error.message });
    },
    onTrouble: (message) => telemetry.kafka.clientError({ client: 'producer', message }),
  });
}

export function collectorSettings(settings: Writing): CollectorSettings {
  return {
    maxWaitMs: settings.transactionMaxWaitMs,
    maxRecords: settings.transactionMaxRecords,
    maxBytes: settings.transactionMaxBytes,
    ringMaxRecords: settings.ringMaxRecords,
    ringMaxBytes: settings.ringMaxBytes,
    drainMs: DRAIN_MS,
  };
}
