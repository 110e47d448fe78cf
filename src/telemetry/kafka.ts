/** What the clients of Kafka say while they run: trouble that librdkafka mends by itself. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Which of the process's clients: few, and known beforehand. */
export type KafkaClientName = 'producer' | 'consumer';

export interface KafkaTelemetry {
  /** librdkafka goes on by itself; it says the same again with every attempt to connect. */
  clientError(facts: { readonly client: KafkaClientName; readonly message: string }): void;
}

const SAID_AGAIN_MS = 60_000;

export function kafkaTelemetry(log: Log, metrics: Metrics, now: () => number = Date.now): KafkaTelemetry {
  const errors = metrics.counter('kubetape_kafka_errors_total', 'Errors that librdkafka reports and mends by itself', ['client']);
  const said = new Map<string, number>();
  return {
    clientError({ client, message }) {
      errors.inc({ client });
      const line = `${client}: ${message}`;
      if (now() - (said.get(line) ?? -Infinity) < SAID_AGAIN_MS) return;
      // What is said changes little; a broker's name in it must not make this grow.
      if (said.size > 100) said.clear();
      said.set(line, now());
      log.warn(line, { client });
    },
  };
}
