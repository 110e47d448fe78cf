/**
 * A window of time as bars, one for each object in which something happened. Pure.
 *   in    changes within the window, Events about objects, gaps, and how wide a bar is
 *   out   rows: objects under their owners, each with its bar
 * Invariants (test/past/timeline.test.ts):
 *   L1 honest  no line is drawn through time that nobody watched
 *   L2 seen    every change that is not hidden shows: a cell has the weightiest of those that fall into it
 */
import type { KubernetesObject } from '../events/change.ts';
import { olderFirst } from '../events/version-order.ts';
import { fieldsOf, textOf } from '../diff/fields.ts';
import { changeText } from './change-text.ts';
import { ownerTree, type Owned } from './owners.ts';
import type { Gap, RecordedChange, RecordedType } from './ports.ts';

/** As the legend of the help has them. */
export const MARKS = { there: '─', gone: ' ', change: '●', create: '+', delete: '✗', warning: '!', gap: '░' } as const;

/** What outweighs what in a cell. */
const WEIGHT: readonly string[] = [MARKS.gone, MARKS.there, MARKS.gap, MARKS.warning, MARKS.change, MARKS.create, MARKS.delete];

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Cells of a bar. */
  readonly width: number;
}

export interface TimelineRow {
  readonly depth: number;
  readonly kind: string;
  readonly name: string;
  /** '' for an owner that is only known by name. */
  readonly resource: string;
  readonly bar: string;
  /** The oldest first, those without a word left out. */
  readonly changes: readonly { readonly change: RecordedChange; readonly text: string }[];
  readonly warnings: readonly { readonly atMs: number; readonly text: string }[];
}

interface OfObject {
  readonly kind: string;
  readonly name: string;
  readonly resource: string;
  readonly object: KubernetesObject | null;
  readonly all: RecordedChange[];
}

/** @param changes of one namespace, in any order; Events among them become marks on what they are about */
export function timeline(
  changes: readonly RecordedChange[],
  gaps: readonly Gap[],
  types: readonly RecordedType[],
  window: Window,
): TimelineRow[] {
  const warnings = warningsOf(changes);
  const objects = new Map<string, OfObject>();
  for (const change of changes.toSorted(olderFirst)) {
    if (change.resource === 'events') continue;
    const key = `${change.resource}/${change.name}`;
    const known = objects.get(key);
    if (known !== undefined) known.all.push(change);
    else
      objects.set(key, {
        kind: types.find(({ resource }) => resource === change.resource)?.kind ?? change.resource,
        name: change.name,
        resource: change.resource,
        // A deletion that was found later has no object, and its owner is that of before.
        object: change.object ?? change.before?.object ?? null,
        all: [change],
      });
  }
  const told = [...objects.values()].filter((one) => one.all.some((change) => changeText(change) !== ''));
  const rows: TimelineRow[] = [];
  const walk = ({ kind, name, item, children }: Owned<OfObject>, depth: number): void => {
    const about = warnings.get(`${kind}/${name}`) ?? [];
    rows.push(item === null ? ownerRow(kind, name, depth, about, window) : rowOf(item, depth, about, gaps, window));
    for (const child of children) walk(child, depth + 1);
  };
  for (const root of ownerTree(told)) walk(root, 0);
  return rows;
}

type Warnings = readonly { readonly atMs: number; readonly text: string }[];

/** By `Kind/name` of what they are about. */
function warningsOf(changes: readonly RecordedChange[]): Map<string, { atMs: number; text: string }[]> {
  const found = new Map<string, { atMs: number; text: string }[]>();
  for (const { resource, object, changedAtMs } of changes) {
    if (resource !== 'events' || object === null || object['type'] !== 'Warning') continue;
    const about = fieldsOf(object['regarding'] ?? object['involvedObject']);
    const key = `${textOf(about['kind']) ?? ''}/${textOf(about['name']) ?? ''}`;
    const text = `${textOf(object['reason']) ?? 'Warning'}: ${textOf(object['note'] ?? object['message']) ?? ''}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, [{ atMs: changedAtMs, text }]);
    else known.push({ atMs: changedAtMs, text });
  }
  return found;
}

function ownerRow(kind: string, name: string, depth: number, warnings: Warnings, window: Window): TimelineRow {
  const cells = Array.from({ length: window.width }, (): string => MARKS.gone);
  for (const { atMs } of warnings) put(cells, cellOf(atMs, window), MARKS.warning);
  return { depth, kind, name, resource: '', bar: cells.join(''), changes: [], warnings };
}

function rowOf(item: OfObject, depth: number, warnings: Warnings, gaps: readonly Gap[], window: Window): TimelineRow {
  const cells = Array.from({ length: window.width }, (): string => MARKS.gone);
  const changes = item.all.map((change) => ({ change, text: changeText(change) }));
  let since: number | null = isThereBefore(item.all[0]) ? 0 : null;
  for (const { change } of changes) {
    const cell = cellOf(change.changedAtMs, window);
    if (change.op === 'd') {
      line(cells, since, cell);
      since = null;
    } else since ??= cell;
  }
  line(cells, since, window.width - 1);
  for (const gap of gaps) {
    if (gap.resource !== item.resource || gap.toMs < window.fromMs || gap.fromMs > window.toMs) continue;
    for (let cell = cellOf(gap.fromMs, window); cell <= cellOf(gap.toMs, window); cell += 1) put(cells, cell, MARKS.gap);
  }
  for (const { atMs } of warnings) put(cells, cellOf(atMs, window), MARKS.warning);
  for (const { change, text } of changes) if (text !== '') put(cells, cellOf(change.changedAtMs, window), markOf(change));
  return {
    depth,
    kind: item.kind,
    name: item.name,
    resource: item.resource,
    bar: cells.join(''),
    changes: changes.filter(({ text }) => text !== ''),
    warnings,
  };
}

/** What a list found was there before, as long as nobody knows. */
function isThereBefore(first: RecordedChange | undefined): boolean {
  return first !== undefined && first.op !== 'c' && (first.before === null || first.before.op !== 'd');
}

function markOf({ op, before }: RecordedChange): string {
  if (op === 'd') return MARKS.delete;
  return before === null || before.op === 'd' ? MARKS.create : MARKS.change;
}

function line(cells: string[], from: number | null, to: number): void {
  if (from !== null) for (let cell = from; cell <= to; cell += 1) put(cells, cell, MARKS.there);
}

function put(cells: string[], cell: number, mark: string): void {
  if (WEIGHT.indexOf(mark) >= WEIGHT.indexOf(cells[cell] ?? MARKS.gone)) cells[cell] = mark;
}

function cellOf(ms: number, { fromMs, toMs, width }: Window): number {
  return Math.min(width - 1, Math.max(0, Math.floor(((ms - fromMs) / Math.max(1, toMs - fromMs)) * width)));
}
