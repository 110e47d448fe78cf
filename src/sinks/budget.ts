/**
 * Who may be fetched: memory is bounded, and a partition that cannot be written takes no other's share. Pure.
 * Invariants (test/sinks/decisions.test.ts):
 *   M1 bounded  a partition over its share is paused, so together they stay within the budget, plus what one poll brings
 *   M2 fair     a partition under half of its share is never paused for what others hold
 *   M3 steady   between half and the whole share nothing changes
 */

export interface Load {
  readonly key: string;
  /** Bytes held for it; null when it must not be fetched at all. */
  readonly bytes: number | null;
}

/** @returns the keys to be paused */
export function pausedOf(loads: readonly Load[], budgetBytes: number, paused: ReadonlySet<string>): Set<string> {
  const share = budgetBytes / Math.max(1, loads.length);
  const now = new Set<string>();
  for (const { key, bytes } of loads) {
    if (bytes === null || bytes >= share || (paused.has(key) && bytes >= share / 2)) now.add(key);
  }
  return now;
}
