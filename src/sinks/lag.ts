/**
 * How far a partition is behind. Pure.
 * Markers of transactions take offsets too, so at rest the position stays below the log's end: where the source tells
 * what it has read to the end this is exact, elsewhere what does not move from one look to the next is no lag.
 */
export interface Look {
  /** One after the last committed record of the log. */
  readonly high: number;
  /** The next offset that the store expects. */
  readonly position: number;
  /** Everything before this was read; 0 where the source does not tell. */
  readonly end: number;
  /** Nothing is held in memory, and the partition is fetched. */
  readonly idle: boolean;
}

/** Records that are committed in Kafka and not yet in the store. */
export function lagOf(now: Look, before: Look | null): number {
  const settled = now.idle ? now.end : 0;
  const behind = Math.max(0, now.high - Math.max(now.position, settled));
  const still = now.end === 0 && before !== null && before.idle && now.idle && before.high === now.high && before.position === now.position;
  return still ? 0 : behind;
}
