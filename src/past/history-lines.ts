/**
 * The history of one name as lines: versions and the stretches of time in between that nobody watched. Pure.
 * Invariants (test/past/history-lines.test.ts):
 *   H1 complete  every version of interest is a line; the others are counted
 *   H2 gaps      a gap is drawn where it lies, and not where nothing of this object is recorded before it
 */
import { changeText, isStatusOnly, OP_WORDS } from './change-text.ts';
import { gapText } from './gap-text.ts';
import type { Gap, RecordedChange } from './ports.ts';

export type HistoryLine =
  | { readonly kind: 'change'; readonly atMs: number; readonly op: string; readonly change: RecordedChange; readonly text: string }
  | { readonly kind: 'gap'; readonly atMs: number; readonly gap: Gap; readonly text: string };

/**
 *   interest  what people are told of
 *   spec      only what somebody wanted: not what follows from it, and is told by the status
 *   all       versions too in which nothing of interest has changed
 */
export type Which = 'interest' | 'spec' | 'all';

export interface HistoryLines {
  /** The newest first. */
  readonly lines: readonly HistoryLine[];
  /** Versions that are not shown. */
  readonly hidden: number;
}

/** Of one object: before the first thing that is known of it, it has no gaps. */
export function historyLines(changes: readonly RecordedChange[], gaps: readonly Gap[], which: Which): HistoryLines {
  const first = changes.at(-1)?.changedAtMs;
  return linesOf(changes, first === undefined ? [] : gaps.filter(({ toMs }) => toMs > first), which);
}

/** @param changes the newest first */
export function linesOf(changes: readonly RecordedChange[], gaps: readonly Gap[], which: Which): HistoryLines {
  const lines: HistoryLine[] = gaps.map((gap) => ({ kind: 'gap', atMs: gap.toMs, gap, text: gapText(gap) }));
  let hidden = 0;
  for (const change of changes) {
    const text = changeText(change);
    if (which !== 'all' && (text === '' || (which === 'spec' && isStatusOnly(change)))) hidden += 1;
    else lines.push({ kind: 'change', atMs: change.changedAtMs, op: OP_WORDS[change.op], change, text });
  }
  // What a list found after a gap was seen at its end, or a moment later.
  return { lines: lines.toSorted((a, b) => b.atMs - a.atMs || Number(a.kind === 'gap') - Number(b.kind === 'gap')), hidden };
}
