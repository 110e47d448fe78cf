/**
 * Puts a difference into effect. Pure: what is given is left as it is, and the result shares its unchanged parts.
 *   in    the old value and all the differences that differencesOf found to the new one
 *   out   the new value
 */
import type { Difference } from './difference.ts';
import { identify, type Keying } from './merge-keys.ts';
import type { Segment } from './path.ts';

/** Differences by where they lie: a tree of the same shape as the value. */
interface Edit {
  /** What happens to the value itself. */
  own: Difference | undefined;
  order: readonly string[] | undefined;
  keying: Keying | undefined;
  /** Field name or element's id → what happens below. */
  readonly below: Map<string, Edit>;
}

/** @throws TypeError when the differences are not those of this value */
export function applyDifferences(before: unknown, differences: readonly Difference[]): unknown {
  const root = newEdit();
  for (const difference of differences) plant(root, difference);
  return edited(before, root);
}

function newEdit(): Edit {
  return { own: undefined, order: undefined, keying: undefined, below: new Map() };
}

function plant(root: Edit, difference: Difference): void {
  let edit = root;
  for (const segment of difference.path) {
    if (typeof segment !== 'string') edit.keying = segment.keying;
    const name = nameOf(segment);
    let next = edit.below.get(name);
    if (next === undefined) edit.below.set(name, (next = newEdit()));
    edit = next;
  }
  if (difference.kind === 'reordered') {
    edit.order = difference.after as readonly string[];
    edit.keying = difference.keying;
  } else edit.own = difference;
}

function nameOf(segment: Segment): string {
  return typeof segment === 'string' ? segment : segment.id;
}

function edited(value: unknown, edit: Edit): unknown {
  if (edit.own !== undefined) return edit.own.after;
  if (edit.below.size === 0 && edit.order === undefined) return value;
  if (typeof value !== 'object' || value === null) throw new TypeError('the difference is not one of this value');
  if (Array.isArray(value)) return editedList(value, edit);
  const entries = Object.entries(value).flatMap(([name, old]): [string, unknown][] => {
    const change = edit.below.get(name);
    if (change === undefined) return [[name, old]];
    return change.own?.kind === 'removed' ? [] : [[name, edited(old, change)]];
  });
  for (const [name, change] of edit.below) if (change.own?.kind === 'added') entries.push([name, change.own.after]);
  // Unlike an assignment, this takes any name for a field's.
  return Object.fromEntries(entries);
}

function editedList(list: readonly unknown[], edit: Edit): unknown[] {
  const keying = edit.keying ?? { by: 'position' };
  const elements = new Map<string, unknown>();
  for (const [at, id] of identify(list, keying).entries()) {
    const change = edit.below.get(id);
    if (change === undefined) elements.set(id, list[at]);
    else if (change.own?.kind !== 'removed') elements.set(id, edited(list[at], change));
  }
  for (const [id, change] of edit.below) if (change.own?.kind === 'added') elements.set(id, change.own.after);
  if (edit.order === undefined) return [...elements.values()];
  return edit.order.map((id) => {
    if (!elements.has(id)) throw new TypeError('the difference is not one of this value');
    return elements.get(id);
  });
}
