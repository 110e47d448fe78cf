/** What the sink says of itself: each occurrence is a method, and becomes a log line, metrics, or both. */
import type { Log } from './log.ts';
import { BYTES, type Metrics, RECORDS, SECONDS } from './metrics.ts';
import { isNews } from './news.ts';
import type { SharedMetrics } from './shared.ts';

type Partition = {
  readonly topic: string;
  readonly partition: number;
};

export type SinkTelemetry = ReturnType<typeof sinkTelemetry>;

export function sinkTelemetry(log: Log, metrics: Metrics, shared: SharedMetrics) {
  const consumed = metrics.counter('kubetape_messages_consumed_total', 'Messages read from Kafka', ['topic']);
  const written = metrics.counter('kubetape_rows_written_total', 'Changes committed to Postgres', ['resource']);
  const duplicates = metrics.counter('kubetape_duplicate_changes_total', 'Changes that the tables held already', ['resource']);
  const rows = metrics.histogram('kubetape_batch_rows', 'Changes in a database transaction', RECORDS, ['resource']);
  const bytes = metrics.histogram('kubetape_batch_bytes', 'Bytes in a database transaction', BYTES, ['resource']);
  const upsert = metrics.histogram('kubetape_upsert_seconds', 'Duration of database transactions, commit included', SECONDS.short, [
    'resource',
  ]);
  const operations = metrics.counter('kubetape_database_operations_total', 'Database operations, by outcome (ok or an error code)', [
    'operation',
    'outcome',
  ]);
  const operationSeconds = metrics.histogram('kubetape_database_operation_seconds', 'Duration of database operations', SECONDS.short, [
    'operation',
  ]);
  const deadLetters = metrics.counter('kubetape_dead_letters_total', 'Records set aside in k8s.dead_letters', ['resource', 'code']);
  const retries = metrics.counter('kubetape_batch_retries_total', 'Batches that are written again', ['code']);
  const lagRecords = metrics.gauge('kubetape_consumer_lag_records', 'Committed records of the partition that are not in the tables yet', [
    'topic',
    'partition',
  ]);
  const lagSeconds = metrics.gauge(
    'kubetape_consumer_lag_seconds',
    'Age of the oldest record that is not in the tables yet; 0 when there is none',
    ['topic', 'partition'],
  );
  const partitions = metrics.gauge('kubetape_partitions', 'Partitions of this worker, by state', ['state']);
  const states = new Map<string, string>();

  return {
    batchWritten(facts: {
      readonly resource: string;
      readonly partition: number;
      readonly rows: number;
      readonly duplicates: number;
      readonly bytes: number;
      readonly seconds: number;
    }): void {
      const { resource } = facts;
      written.inc({ resource }, facts.rows);
      if (facts.duplicates > 0) duplicates.inc({ resource }, facts.duplicates);
      rows.observe({ resource }, facts.rows);
      bytes.observe({ resource }, facts.bytes);
      upsert.observe({ resource }, facts.seconds);
    },
    recordsConsumed(facts: { readonly topic: string; readonly count: number }): void {
      consumed.inc({ topic: facts.topic }, facts.count);
    },
    deadLetter(facts: Partition & { readonly offset: number; readonly code: string }): void {
      const { topic, partition, offset, code } = facts;
      deadLetters.inc({ resource: resourceOf(topic), code });
      shared.errors.inc({ code, stage: 'sink' });
      log.error(`a record of ${topic} cannot become a row and is set aside in k8s.dead_letters`, { topic, partition, offset, code });
    },
    changeAge(facts: { readonly resource: string; readonly seconds: number }): void {
      shared.changeAge.observe({ resource: facts.resource, stage: 'durable' }, facts.seconds);
    },
    /** `null` where it cannot be told now: no number is shown rather than an old one. */
    lag(facts: Partition & { readonly records: number | null; readonly seconds: number | null }): void {
      const labels = { topic: facts.topic, partition: String(facts.partition) };
      if (facts.records === null) lagRecords.remove(labels);
      else lagRecords.set(labels, facts.records);
      if (facts.seconds === null) lagSeconds.remove(labels);
      else lagSeconds.set(labels, facts.seconds);
    },
    retry(
      facts: Partition & { readonly code: string; readonly attempt: number; readonly delayMs: number; readonly message: string },
    ): void {
      const { message, ...rest } = facts;
      retries.inc({ code: facts.code });
      shared.errors.inc({ code: facts.code, stage: 'sink' });
      log[isNews(facts.attempt) ? 'warn' : 'debug'](`${facts.topic}/${facts.partition} waits: ${message}`, rest);
    },
    /** `state` is one of a few words; `revoked` (or `lost`) takes the partition and its lag out of the metrics. */
    partitionState(facts: Partition & { readonly state: string; readonly reason?: string | undefined }): void {
      const { topic, partition, state } = facts;
      const before = states.get(`${topic}/${partition}`);
      const gone = state === 'revoked' || state === 'lost';
      if (gone) {
        states.delete(`${topic}/${partition}`);
        lagRecords.remove({ topic, partition: String(partition) });
        lagSeconds.remove({ topic, partition: String(partition) });
      } else states.set(`${topic}/${partition}`, state);
      for (const one of new Set([before, state])) {
        if (one !== undefined && one !== 'revoked' && one !== 'lost')
          partitions.set({ state: one }, [...states.values()].filter((other) => other === one).length);
      }
      const bad = state === 'paused' || state === 'failed' || state === 'stopped';
      log[bad ? 'error' : 'info'](`${topic}/${partition} is ${state}${facts.reason === undefined ? '' : `: ${facts.reason}`}`, {
        topic,
        partition,
        state,
      });
    },
    databaseOperation(facts: { readonly operation: string; readonly outcome: string; readonly seconds: number }): void {
      operations.inc({ operation: facts.operation, outcome: facts.outcome });
      operationSeconds.observe({ operation: facts.operation }, facts.seconds);
    },
  };
}

/** `prod.k8s-pods` → `pods`; other topics keep their name. */
function resourceOf(topic: string): string {
  return /(?:^|[._-])k8s-(.+)$/.exec(topic)?.[1] ?? topic;
}
