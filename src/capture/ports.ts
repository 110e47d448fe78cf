/** What capture needs of the log and of the source; src/kafka/ and src/kubernetes/ fit it, src/app/ joins them. */
import type { ListCause, Observation } from '../events/observation.ts';

/** One record to write. A null value is a tombstone. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A transactional log with one writer per cluster. */
export interface TransactionalLog {
  /**
   * Takes the log over: whoever had it before is fenced and its open transaction ended before this resolves. Waits and
   * retries while the log cannot be reached.
   * @throws KubetapeError KAFKA_UNAUTHORIZED, KAFKA_TOPIC_MISSING
   */
  open(signal: AbortSignal): Promise<void>;
  /**
   * Writes all messages in one transaction and resolves once its commit is confirmed.
   * @throws KubetapeError KAFKA_FENCED: another writer has taken over, nothing of this was written;
   *   KAFKA_FAILED or KAFKA_UNREACHABLE: nothing of this was written, the caller writes the same messages again;
   *   KAFKA_WRITER_LOST: it is not known whether this was written, the caller opens the log and reads it anew.
   */
  commit(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}

/** One record read back. */
export interface LogMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: Buffer | null;
}

export interface LogReader {
  /**
   * Reads the topics from their beginning to the end they have when it is called, committed records only, in order
   * within each partition. Memory does not grow with the topics.
   */
  readToEnd(topics: readonly string[], onMessage: (message: LogMessage) => void, signal: AbortSignal): Promise<void>;
}

/** What capture says of itself. */
export interface CaptureTelemetry {
  changes(facts: { readonly resource: string; readonly op: string; readonly count: number }): void;
  /** From the API server's own time (resolution: a second) to the confirmed commit. */
  changeAge(facts: { readonly resource: string; readonly seconds: number; readonly stage: 'produced' }): void;
  transaction(facts: {
    readonly records: number;
    readonly bytes: number;
    readonly seconds: number;
    readonly messagesByTopic: ReadonlyMap<string, number>;
  }): void;
  transactionRetry(facts: { readonly code: string; readonly attempt: number; readonly delayMs: number; readonly message: string }): void;
  ring(facts: { readonly records: number; readonly bytes: number }): void;
  /** A bookmark came: the watch is live though nothing changes. */
  progress(facts: { readonly resource: string }): void;
  /** How much of the time since `sinceMs` could not be seen: told when recording begins, goes on, or after a gap. */
  coverage(facts: { readonly resource: string; readonly namespace: string; readonly sinceMs: number; readonly unwatchedMs: number }): void;
  expiredEvents(facts: { readonly count: number }): void;
  gap(facts: {
    readonly resource: string;
    readonly cause: string;
    readonly from: string;
    readonly to: string;
    readonly seconds: number;
  }): void;
}

/** One list-and-watch that runs until its signal fires; src/kubernetes/ fits it. */
export interface ObjectSource {
  /**
   * @param resume everything up to this resourceVersion was seen; null lists first, for `cause`
   * @param observe takes each observation in order; while its promise is open, nothing more is read
   */
  run(
    resume: string | null,
    cause: ListCause,
    observe: (observation: Observation) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
}
