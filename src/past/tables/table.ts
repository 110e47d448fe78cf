/**
 * A table per kind of object: columns, and the cells of a row. Pure. What lies in an object is believed of nothing.
 * Invariants (test/past/tables.test.ts):
 *   T1 as kubectl prints it (kubernetes, pkg/printers/internalversion/printers.go)
 *   T2 without its wide cells, the columns of the store are enough for a row
 */
import { columnValues, tableFor } from '../../columns/columns.ts';
import type { ColumnValue } from '../../columns/table.ts';
import { fieldsOf, textOf } from '../../diff/fields.ts';
import type { KubernetesObject } from '../../events/change.ts';
import { humanDuration } from '../times.ts';

export interface Column {
  readonly name: string;
  /** Only with -o wide. */
  readonly wide?: true;
}

/** An object as a table sees it. */
export interface Shown {
  readonly name: string;
  readonly createdMs: number | null;
  /** By the columns that the store has of it. */
  readonly values: Readonly<Record<string, ColumnValue>>;
  /** null where nothing but the columns was read. */
  readonly object: KubernetesObject | null;
}

export interface KindTable {
  readonly columns: readonly Column[];
  /**
   * The store's columns that all but the wide cells are made of, so that no object need be read for them; null where it
   * takes the whole object. What was stored before the first of them existed is NULL there.
   */
  readonly from: readonly string[] | null;
  /** One cell for each column; the wide ones mean nothing where there is no object. @param nowMs the time to which ages are counted */
  readonly row: (shown: Shown, nowMs: number, wide: boolean) => readonly string[];
}

/** What a table sees of a whole object. */
export function shownOf(resource: string, object: KubernetesObject): Shown {
  const metadata = fieldsOf(object['metadata']);
  const createdMs = Date.parse(textOf(metadata['creationTimestamp']) ?? '');
  const values = columnValues(resource, object);
  return {
    name: textOf(metadata['name']) ?? '',
    createdMs: Number.isNaN(createdMs) ? null : createdMs,
    values: Object.fromEntries(tableFor(resource, '', '').columns.map(({ name }, at) => [name, values[at] ?? null])),
    object,
  };
}

export function textIn({ values }: Shown, column: string): string | undefined {
  return textOf(values[column]);
}

export function numberIn({ values }: Shown, column: string): number | undefined {
  const value = values[column];
  return typeof value === 'number' ? value : undefined;
}

/** An age; kubectl's word where there is none. */
export function ageText(ms: number | null | undefined, nowMs: number): string {
  return ms === null || ms === undefined ? '<unknown>' : humanDuration(nowMs - ms);
}

/** `NAME READY wide:IP` */
export function columns(...names: readonly string[]): Column[] {
  return names.map((name) => (name.startsWith('wide:') ? { name: name.slice('wide:'.length), wide: true } : { name }));
}

export const NONE = '<none>';

/** `app=web,tier=db`, sorted by key. */
export function labelsText(labels: unknown): string {
  const entries = Object.entries(typeof labels === 'object' && labels !== null ? labels : {});
  if (entries.length === 0) return NONE;
  return entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
}
