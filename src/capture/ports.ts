/** What capture needs of the log; src/kafka/ fits it, src/app/ joins them, tests hold it in memory. */

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
   *   KAFKA_FAILED or KAFKA_UNREACHABLE: nothing of this was written, the caller writes the same messages again.
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
