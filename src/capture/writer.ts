/**
 * Ring → transactions: the one place that writes to the log.
 *   in    entries from all scopes
 *   out   transactions: the records, and with them the last position of every scope they touch
 * Invariants (test/capture/writer.test.ts):
 *   W1 atomic     an entry's records and its position are in one transaction
 *   W2 kept       a batch is held until its commit is confirmed, and written again after a failure
 *   W3 fenced     when another writer has taken over, nothing more is written and the run ends with KAFKA_FENCED
 *   W4 drained    after the ring is closed everything in it is written before the run ends
 */
import { KubetapeError } from '../events/errors.ts';
import { checkpointMessage, type Entry, type Track } from './entries.ts';
import type { CaptureTelemetry, OutgoingMessage, TransactionalLog } from './ports.ts';
import type { Ring } from './ring.ts';
import type { Position } from './detection.ts';
import { pause } from '../flow/pause.ts';

export interface WriterSettings {
  /** Longest a change waits for company (ms). */
  readonly maxWaitMs: number;
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** Who wants to know how the writing goes. */
export interface WriterListener {
  /** A transaction is on its way, repetitions included. */
  committing(): void;
  /** It is confirmed. */
  committed(entries: readonly Entry[]): void;
}

const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 10_000;

/**
 * Runs until the ring is closed and empty.
 * @param signal breaks off the retries: what is not committed then was never said
 * @throws KubetapeError KAFKA_FENCED, or what the log says cannot be repeated
 */
export async function writeTransactions(
  ring: Ring<Entry>,
  log: TransactionalLog,
  settings: WriterSettings,
  telemetry: CaptureTelemetry,
  signal: AbortSignal,
  listener: WriterListener,
): Promise<void> {
  for (;;) {
    await ring.reached(1, 1, Number.POSITIVE_INFINITY);
    await ring.reached(settings.maxRecords, settings.maxBytes, settings.maxWaitMs);
    const entries = ring.take(settings.maxRecords, settings.maxBytes);
    if (entries.length === 0) {
      if (ring.closed) return;
      continue;
    }
    const messages = messagesOf(entries, Date.now());
    const startedMs = performance.now();
    listener.committing();
    await commitUntilDone(log, messages, telemetry, signal);
    listener.committed(entries);
    report(entries, messages, (performance.now() - startedMs) / 1000, telemetry);
    telemetry.ring({ records: ring.records, bytes: ring.bytes });
  }
}

function messagesOf(entries: readonly Entry[], nowMs: number): OutgoingMessage[] {
  const messages: OutgoingMessage[] = [];
  const positions = new Map<Track, Position>();
  for (const entry of entries) {
    for (const message of entry.messages) messages.push(message);
    if (entry.position !== null) positions.set(entry.track, entry.position);
  }
  for (const [track, position] of positions) messages.push(checkpointMessage(track, position, nowMs));
  return messages;
}

async function commitUntilDone(
  log: TransactionalLog,
  messages: readonly OutgoingMessage[],
  telemetry: CaptureTelemetry,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await log.commit(messages);
      return;
    } catch (error) {
      if (!(error instanceof KubetapeError) || !error.retryable || signal.aborted) throw error;
      const delayMs = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** Math.min(attempt - 1, 10));
      telemetry.transactionRetry({ code: error.code, attempt, delayMs, message: error.message });
      await pause(delayMs, signal);
      if (signal.aborted) throw error;
    }
  }
}

function report(entries: readonly Entry[], messages: readonly OutgoingMessage[], seconds: number, telemetry: CaptureTelemetry): void {
  const messagesByTopic = new Map<string, number>();
  let bytes = 0;
  for (const { topic, key, value } of messages) {
    messagesByTopic.set(topic, (messagesByTopic.get(topic) ?? 0) + 1);
    bytes += key.length + (value?.length ?? 0);
  }
  telemetry.transaction({ records: messages.length, bytes, seconds, messagesByTopic });
  const counts = new Map<string, { resource: string; op: string; count: number }>();
  let expired = 0;
  const nowMs = Date.now();
  for (const { track, what, changedAtMs } of entries) {
    if (what === 'position' || what === 'gap') continue;
    if (what === 'forgotten') {
      expired += 1;
      continue;
    }
    const key = `${track.resource} ${what}`;
    const count = counts.get(key) ?? { resource: track.resource, op: what, count: 0 };
    count.count += 1;
    counts.set(key, count);
    // A first list shows old changes, and of a deletion the object does not say when it was.
    if (changedAtMs !== null && what !== 'r' && what !== 'd')
      telemetry.changeAge({ resource: track.resource, seconds: Math.max(0, (nowMs - changedAtMs) / 1000), stage: 'produced' });
  }
  for (const count of counts.values()) telemetry.changes(count);
  if (expired > 0) telemetry.expiredEvents({ count: expired });
}
