/**
 * A table per kind of object: columns, and the cells of a row. Pure. What lies in an object is believed of nothing.
 * Invariant (test/past/tables.test.ts): T1 as kubectl prints it (kubernetes, pkg/printers/internalversion/printers.go)
 */
import type { KubernetesObject } from '../../events/change.ts';

export interface Column {
  readonly name: string;
  /** Only with -o wide. */
  readonly wide?: true;
}

export interface KindTable {
  readonly columns: readonly Column[];
  /** One cell for each column, the wide ones too. @param nowMs the time to which ages are counted */
  readonly row: (object: KubernetesObject, nowMs: number, wide: boolean) => readonly string[];
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
