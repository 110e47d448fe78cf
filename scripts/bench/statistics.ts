/** What several runs of the same thing say together. Pure. */

/** @param p in [0, 1]; the nearest rank, so that the answer is a value that occurred */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1));
  return sorted[at] ?? Number.NaN;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly runs: readonly number[];
}

/** Values that were not to be had (null) are left out; null where none was. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const runs = values.filter((value) => value !== null);
  if (runs.length === 0) return null;
  const sorted = runs.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  return { min: sorted[0] ?? Number.NaN, median, max: sorted.at(-1) ?? Number.NaN, runs };
}
