/**
 * The summary of a change: one line that a tired person understands. Pure.
 *   in    two versions of one object, as recorded; null where it did not exist
 *   out   `image v42 → v43; replicas 3 → 5; +env FEATURE_X; not ready → ready; restarts 2 → 3 (OOMKilled)`
 *         '' where nothing of interest has changed
 * Invariants (test/diff/summary.test.ts): those of changes.ts, and
 *   L1 one line  never longer than asked for, without control characters
 */
import type { KubernetesObject } from '../events/change.ts';
import { changesOf } from './changes.ts';
import { cut } from './words/value.ts';

export interface SummaryOptions {
  /** Longest line, in UTF-16 units. What does not fit is counted: `… and 4 more`. */
  readonly maxLength?: number;
  /** How an object came that was not there: `created`, or `first seen` where recording began after it. */
  readonly how?: 'created' | 'first seen';
}

export const SUMMARY_LENGTH = 240;

export function summarise(before: KubernetesObject | null, after: KubernetesObject | null, options: SummaryOptions = {}): string {
  const { maxLength = SUMMARY_LENGTH, how = 'created' } = options;
  return oneLineOf(
    changesOf(before, after, how).map(({ words }) => words),
    maxLength,
  );
}

/** The first phrases, as many as fit; the first one at least, cut if it must be. */
function oneLineOf(phrases: readonly string[], maxLength: number): string {
  let line = '';
  let said = 0;
  for (const phrase of phrases) {
    const longer = said === 0 ? phrase : `${line}; ${phrase}`;
    const rest = phrases.length - said - 1;
    if (said > 0 && longer.length + ending(rest).length > maxLength) break;
    line = longer;
    said += 1;
  }
  const end = ending(phrases.length - said);
  if (line.length + end.length <= maxLength) return `${line}${end}`;
  return cut(`${cut(line, Math.max(1, maxLength - end.length))}${end}`, maxLength);
}

function ending(rest: number): string {
  return rest === 0 ? '' : `; … and ${rest} more`;
}
