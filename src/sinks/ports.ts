/** What a sink needs of the log and of the store; src/kafka/ and src/postgres/ fit it, tests hold both in memory. */
import type { ColumnValue, ResourceTable } from '../columns/table.ts';

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
  /** The topic has another id than before: what is polled of it from now on may be of the new one. */
  recreated?(topic: string): void;
  /** A partition, and it is not told which, wants an offset that the log does not hold: it is not fetched until a seek. */
  outOfRange?(): void;
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
  /** Continues the partition at `offset`; used after a position was read back from the store, never during a poll. */
  seek(position: TopicPartition & { readonly offset: number }): Promise<void>;
  /** First offset still held, and the offset after the last committed record. */
  watermarks(partition: TopicPartition): Promise<{ readonly low: number; readonly high: number }>;
  /**
   * The offset at which the end of the partition was last reached: every committed record before it has been polled; null
   * since it was assigned or sought. Markers of transactions take offsets too, so at rest this lies beyond the last record.
   */
  endReached(partition: TopicPartition): number | null;
  /**
   * A value that changes when the topic is deleted and created again (Kafka's topic id), as it is now; null where the
   * broker has none.
   */
  topicId(topic: string): Promise<string | null>;
  /** Tells the group how far this worker is; for displays of lag only, the truth is in the store. Never throws. */
  commitForDisplay(positions: readonly (TopicPartition & { readonly offset: number })[]): void;
  /** Leaves the group (running `revoked`) and disconnects; resolves within `timeoutMs` whatever happens. */
  stop(timeoutMs: number): Promise<void>;
}

/** What the records of a topic are. */
export type Content = 'changes' | 'facts' | 'watches' | 'messages';

/** A change as its tables have it. */
export interface Row {
  readonly offset: number;
  readonly cluster: string;
  readonly uid: string;
  readonly epoch: number;
  readonly resourceVersion: string;
  readonly op: string;
  readonly changedAtMs: number;
  readonly createdAtMs: number | null;
  /** When the API server made the change (resolution: a second), as far as the record tells; else when it was seen. */
  readonly madeAtMs: number;
  readonly namespace: string;
  readonly name: string;
  readonly byManager: string | null;
  readonly byOperation: string | null;
  readonly synthetic: boolean;
  readonly snapshot: boolean;
  /** JSON text; null where nobody saw the object's last state. */
  readonly object: Buffer | null;
  /** In the order of the table's columns; none where there is no object. */
  readonly columns: readonly ColumnValue[];
}

export interface FactRow {
  readonly offset: number;
  readonly cluster: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly atMs: number;
  readonly uid: string | null;
  readonly detail: Buffer;
}

/** How far one list-and-watch of a collector has come. */
export interface WatchRow {
  readonly cluster: string;
  readonly resource: string;
  /** '' for all namespaces. */
  readonly namespace: string;
  readonly resourceVersion: string;
  readonly epoch: number;
  readonly seenMs: number;
  readonly sinceMs: number;
  readonly unwatchedMs: number;
}

/** A record of a topic that is not kubetape's own. */
export interface MessageRow {
  readonly offset: number;
  readonly key: string | null;
  /** JSON text; null for a tombstone. */
  readonly value: Buffer | null;
  /** When it was written to Kafka. */
  readonly recordedAtMs: number;
}

export interface DeadLetter {
  readonly record: SourceRecord;
  readonly code: string;
  readonly sqlstate: string | null;
  /** Never holds any of the record's content. */
  readonly message: string;
}

/** What one transaction writes: everything of one partition from `from` up to, not including, `to`. */
export interface StoreBatch extends TopicPartition {
  readonly from: number;
  readonly to: number;
  readonly table: ResourceTable | null;
  readonly rows: readonly Row[];
  readonly facts: readonly FactRow[];
  /** One of each watch. */
  readonly watches: readonly WatchRow[];
  /** Of a topic of messages. */
  readonly messages?: readonly MessageRow[];
  readonly deadLetters: readonly DeadLetter[];
}

export interface Position extends TopicPartition {
  readonly nextOffset: number;
  readonly topicId: string | null;
}

export interface Store {
  /** Creates the tables of a resource where they are not there. @returns them; their name may differ from the one wanted */
  ensureTable(table: ResourceTable): Promise<ResourceTable>;
  /** What is stored of a partition; null where nothing is. */
  position(partition: TopicPartition): Promise<Position | null>;
  /** Stores the start of a partition; where one is stored, only the topic's id, if that is missing. */
  initialise(position: Position): Promise<void>;
  /**
   * One transaction: the position's compare-and-set, rows, facts, dead letters. A commit whose answer was lost is
   * looked up before this rejects.
   * @returns how many of the rows were new; the others were there already
   * @throws KubetapeError OFFSET_FENCED: the position is not `from`; ROW_REJECTED: some row of the batch is not to be
   *   had, with its SQLSTATE; retryable ones; SCHEMA_MISSING, POSTGRES_*: see events/errors.ts
   */
  write(batch: StoreBatch): Promise<{ readonly inserted: number }>;
}

/** What a sink says of itself. */
export interface SinkTelemetry {
  batchWritten(facts: {
    readonly resource: string;
    readonly partition: number;
    readonly rows: number;
    readonly duplicates: number;
    readonly bytes: number;
    readonly seconds: number;
  }): void;
  recordsConsumed(facts: { readonly topic: string; readonly count: number }): void;
  deadLetter(facts: TopicPartition & { readonly offset: number; readonly code: string }): void;
  changeAge(facts: { readonly resource: string; readonly seconds: number }): void;
  lag(facts: TopicPartition & { readonly records: number | null; readonly seconds: number | null }): void;
  retry(
    facts: TopicPartition & { readonly code: string; readonly attempt: number; readonly delayMs: number; readonly message: string },
  ): void;
  partitionState(facts: TopicPartition & { readonly state: string; readonly reason?: string | undefined }): void;
}
