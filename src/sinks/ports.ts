/** What a sink needs of the log and of the store; src/kafka/ and src/postgres/ fit it, tests hold both in memory. */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A record as it lies in a partition. Offsets are exact as numbers: they stay below 2^53. */
export interface SourceRecord extends TopicPartition {
  readonly offset: number;
  readonly key: Buffer | null;
  /** null for a tombstone. */
  readonly value: Buffer | null;
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AssignmentHandler {
  /** The group gives these partitions to this worker. @returns where to start each: the offset of the next record. */
  assigned(partitions: readonly TopicPartition[]): Promise<readonly (TopicPartition & { readonly offset: number })[]>;
  /** The group takes these partitions away; the next owner waits until this resolves. */
  revoked(partitions: readonly TopicPartition[]): Promise<void>;
}

/** A consumer group's member: pulls, so that a slow store slows it down. Reads committed records only. */
export interface RecordSource {
  /** Joins the group for these topics. Resolves once connected; assignments arrive through the handler. */
  start(topics: readonly string[], handler: AssignmentHandler): Promise<void>;
  /** Up to `maxRecords` records of any assigned, unpaused partition; an empty list when there is nothing yet (within ~100 ms). */
  poll(maxRecords: number): Promise<readonly SourceRecord[]>;
  /** Stops fetching the partitions (and drops what was fetched and not polled) until `resume`. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** Continues the partition at `offset`; used after a position was read back from the store. */
  seek(position: TopicPartition & { readonly offset: number }): Promise<void>;
  /** First offset still held, and the offset after the last committed record. */
  watermarks(partition: TopicPartition): Promise<{ readonly low: number; readonly high: number }>;
  /** A value that changes when the topic is deleted and created again (Kafka's topic id), or null where the broker has none. */
  topicId(topic: string): Promise<string | null>;
  /** Tells the group how far this worker is; for displays of lag only, the truth is in the store. Never throws. */
  commitForDisplay(positions: readonly (TopicPartition & { readonly offset: number })[]): void;
  /** Leaves the group (running `revoked`) and disconnects; resolves within `timeoutMs` whatever happens. */
  stop(timeoutMs: number): Promise<void>;
}
