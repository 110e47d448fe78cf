/**
 * How far a partition is behind. Pure.
 * Markers of transactions take offsets too, so at rest the position stays below the log's end: what the source has read
 * to the end without finding a record is no lag. Where it has not come to an end yet, everything before the end counts.
 */
export interface Look {
  /** One after the last committed record of the log. */
  readonly high: number;
  /** The next offset that the store expects. */
  readonly position: number;
  /** Everything before this was read; 0 where no end was reached yet. */
  readonly end: number;
  /** Nothing is held in memory, and the partition is fetched. */
  readonly idle: boolean;
}

/** Records that are committed in Kafka and not yet in the store. */
export function lagOf({ high, position, end, idle }: Look): number {
  return Math.max(0, high - Math.max(position, idle ? end : 0));
}
