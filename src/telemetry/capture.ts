/** What the collector says of itself: each occurrence is a method, and becomes a log line, metrics, or both. */
import type { Log } from './log.ts';
import { BYTES, type Metrics, RECORDS, SECONDS } from './metrics.ts';
import { isNews } from './news.ts';
import type { SharedMetrics } from './shared.ts';

export type WatchState = 'probing' | 'listing' | 'watching' | 'waiting' | 'stopped';
const WATCH_STATES: readonly WatchState[] = ['probing', 'listing', 'watching', 'waiting', 'stopped'];

type Scope = {
  readonly resource: string;
  /** '' where the watch covers all namespaces. */
  readonly namespace: string;
};

export type CaptureTelemetry = ReturnType<typeof captureTelemetry>;

export function captureTelemetry(log: Log, metrics: Metrics, shared: SharedMetrics) {
  const changes = metrics.counter(
    'kubetape_changes_total',
    'Changes committed to Kafka, by operation (r first listed, c created, u updated, d deleted)',
    ['resource', 'op'],
  );
  const produced = metrics.counter('kubetape_messages_produced_total', 'Messages committed to Kafka', ['topic']);
  const lists = metrics.histogram('kubetape_list_seconds', 'Duration of complete lists', SECONDS.long, ['resource']);
  const listed = metrics.gauge('kubetape_listed_objects', 'Objects in the last complete list', ['resource']);
  const relists = metrics.counter('kubetape_relists_total', 'Lists begun, by cause', ['resource', 'cause']);
  const state = metrics.gauge('kubetape_watch_state', 'Watches in this state: 1 for a watch of all namespaces', ['resource', 'state']);
  const restarts = metrics.counter('kubetape_watch_restarts_total', 'Watches that ended and are opened again, by the way they ended', [
    'resource',
    'cause',
  ]);
  const unwatched = metrics.counter('kubetape_unwatched_seconds_total', 'Time whose changes are known by their net effect only', [
    'resource',
    'cause',
  ]);
  const gaps = metrics.counter('kubetape_gaps_total', 'Stretches of time that could not be seen', ['resource', 'cause']);
  const progressAt = new Map<string, number>();
  metrics.gauge(
    'kubetape_watch_progress_age_seconds',
    'Time since a watch last proved to be live, by a change or a bookmark',
    ['resource'],
    (gauge) => {
      gauge.reset();
      for (const [resource, atMs] of progressAt) gauge.set({ resource }, Math.max(0, (Date.now() - atMs) / 1000));
    },
  );
  const coverage = new Map<string, { readonly resource: string; readonly sinceMs: number; readonly unwatchedMs: number }>();
  metrics.gauge('kubetape_coverage_ratio', 'Share of the time since recording began whose every change was seen', ['resource'], (gauge) => {
    gauge.reset();
    for (const [resource, ratio] of ratios(coverage.values(), Date.now())) gauge.set({ resource }, ratio);
  });
  const seconds = metrics.histogram('kubetape_transaction_seconds', 'Duration of Kafka transactions, commit included', SECONDS.short);
  const records = metrics.histogram('kubetape_transaction_records', 'Messages in a Kafka transaction', RECORDS);
  const bytes = metrics.histogram('kubetape_transaction_bytes', 'Bytes in a Kafka transaction', BYTES);
  const retries = metrics.counter('kubetape_transaction_retries_total', 'Kafka transactions that are repeated', ['code']);
  const ringRecords = metrics.gauge('kubetape_ring_records', 'Changes waiting for Kafka');
  const ringBytes = metrics.gauge('kubetape_ring_bytes', 'Bytes of changes waiting for Kafka');
  const discarded = metrics.counter('kubetape_discarded_changes_total', 'Observations that are deliberately not recorded', ['reason']);
  const leader = metrics.gauge('kubetape_leader', '1 while this collector leads');
  const states = new Map<string, WatchState>();

  return {
    watchState(facts: Scope & { readonly state: WatchState }): void {
      const { resource, namespace } = facts;
      states.set(`${resource}/${namespace}`, facts.state);
      for (const one of WATCH_STATES) state.set({ resource, state: one }, countOf(states, resource, one));
      log.debug(`${nameOf(facts)} is ${facts.state}`, facts);
    },
    listed(facts: Scope & { readonly objects: number; readonly seconds: number; readonly streamed: boolean }): void {
      lists.observe({ resource: facts.resource }, facts.seconds);
      listed.set({ resource: facts.resource }, facts.objects);
      progressAt.set(facts.resource, Date.now());
      log.info(`listed ${facts.objects} ${nameOf(facts)}`, facts);
    },
    relist(facts: Scope & { readonly cause: string }): void {
      relists.inc({ resource: facts.resource, cause: facts.cause });
      const expected = facts.cause === 'first' || facts.cause === 'refresh';
      log[expected ? 'debug' : 'warn'](`listing ${nameOf(facts)} anew: ${facts.cause}`, facts);
    },
    /** A change or a bookmark arrived. */
    progress(facts: { readonly resource: string }): void {
      progressAt.set(facts.resource, Date.now());
    },
    watchEnded(facts: Scope & { readonly cause: string; readonly seconds: number }): void {
      restarts.inc({ resource: facts.resource, cause: facts.cause });
      log.debug(`the watch of ${nameOf(facts)} ended: ${facts.cause}`, facts);
    },
    reflectorError(
      facts: Scope & {
        readonly code: string;
        readonly message: string;
        readonly hint: string;
        readonly attempt: number;
        readonly delayMs: number;
      },
    ): void {
      shared.errors.inc({ code: facts.code, stage: 'source' });
      const { message, ...rest } = facts;
      log[isNews(facts.attempt) ? 'warn' : 'debug'](`${nameOf(facts)}: ${message}; again in ${inWords(facts.delayMs)}`, rest);
    },
    changes(facts: { readonly resource: string; readonly op: string; readonly count: number }): void {
      changes.inc({ resource: facts.resource, op: facts.op }, facts.count);
      progressAt.set(facts.resource, Date.now());
    },
    changeAge(facts: { readonly resource: string; readonly seconds: number; readonly stage: 'produced' }): void {
      shared.changeAge.observe({ resource: facts.resource, stage: facts.stage }, facts.seconds);
    },
    transaction(facts: {
      readonly records: number;
      readonly bytes: number;
      readonly seconds: number;
      readonly messagesByTopic: ReadonlyMap<string, number>;
    }): void {
      seconds.observe(facts.seconds);
      records.observe(facts.records);
      bytes.observe(facts.bytes);
      for (const [topic, count] of facts.messagesByTopic) produced.inc({ topic }, count);
    },
    transactionRetry(facts: { readonly code: string; readonly attempt: number; readonly delayMs: number; readonly message: string }): void {
      retries.inc({ code: facts.code });
      shared.errors.inc({ code: facts.code, stage: 'log' });
      log[isNews(facts.attempt) ? 'warn' : 'debug'](`the transaction is repeated in ${inWords(facts.delayMs)}: ${facts.message}`, {
        code: facts.code,
        attempt: facts.attempt,
        delayMs: facts.delayMs,
      });
    },
    ring(facts: { readonly records: number; readonly bytes: number }): void {
      ringRecords.set(facts.records);
      ringBytes.set(facts.bytes);
    },
    coverage(facts: Scope & { readonly sinceMs: number; readonly unwatchedMs: number }): void {
      coverage.set(`${facts.resource}/${facts.namespace}`, facts);
    },
    expiredEvents(facts: { readonly count: number }): void {
      discarded.inc({ reason: 'event-expired' }, facts.count);
    },
    gap(facts: {
      readonly resource: string;
      readonly cause: string;
      readonly from: string;
      readonly to: string;
      readonly seconds: number;
    }): void {
      const { resource, cause } = facts;
      gaps.inc({ resource, cause });
      unwatched.inc({ resource, cause }, facts.seconds);
      log.warn(`${resource} could not be seen for ${facts.seconds.toFixed(1)} s: ${cause}; what changed is known by its net effect`, facts);
    },
    writerLost(facts: { readonly code: string; readonly message: string }): void {
      shared.errors.inc({ code: facts.code, stage: 'log' });
      log.warn(`${facts.message}; what was committed is read anew`, facts);
    },
    leadership(facts: { readonly leader: boolean; readonly holder?: string }): void {
      leader.set(facts.leader ? 1 : 0);
      log.info(facts.leader ? 'this collector leads' : `standing by${facts.holder === undefined ? '' : `; ${facts.holder} leads`}`, facts);
    },
  };
}

/** Of a resource whose namespaces are watched one by one, the worst. */
function ratios(
  coverage: Iterable<{ readonly resource: string; readonly sinceMs: number; readonly unwatchedMs: number }>,
  nowMs: number,
): Map<string, number> {
  const worst = new Map<string, number>();
  for (const { resource, sinceMs, unwatchedMs } of coverage) {
    const ratio = 1 - Math.min(1, unwatchedMs / Math.max(1, nowMs - sinceMs));
    worst.set(resource, Math.min(ratio, worst.get(resource) ?? 1));
  }
  return worst;
}

function countOf(states: ReadonlyMap<string, WatchState>, resource: string, state: WatchState): number {
  let count = 0;
  for (const [scope, one] of states) if (one === state && scope.startsWith(`${resource}/`)) count += 1;
  return count;
}

function nameOf({ resource, namespace }: Scope): string {
  return namespace === '' ? resource : `${resource} in ${namespace}`;
}

function inWords(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
