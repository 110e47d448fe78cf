/**
 * The structural difference of two JSON values: what must be done to the first to get the second. Pure.
 *   in    two values, usually versions of one Kubernetes object
 *   out   a list of differences, each with its path; apply.ts puts them into effect
 * Invariants (test/diff/difference.test.ts):
 *   D1 exact    applied to the old, it gives the new, the order of lists included
 *   D2 minimal  the same values have no difference; an unchanged part of an object is in none
 *   D3 bounded  never throws, whatever the depth and size; linear in the size
 *   D4 marked   whatever lies below the data of a Secret says so, and no path leads into a value there
 */
import { identify, keyingOf, type Keying } from './merge-keys.ts';
import type { Path, Segment } from './path.ts';
import { sameValue } from './same-value.ts';
import { secretFields } from './secret-fields.ts';

/**
 *   added, removed  a field or an element; the other side is undefined
 *   changed         a scalar, or something of another kind
 *   reordered       a list: `before` and `after` are all the ids of its elements, in their order
 */
export type DifferenceKind = 'added' | 'removed' | 'changed' | 'reordered';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly path: Path;
  readonly before: unknown;
  readonly after: unknown;
  /** The values are a Secret's and must not be shown. See masking.ts. */
  readonly secret: boolean;
  /** Of a reordered list: what the ids are made of. */
  readonly keying?: Keying;
}

export type Fields = { readonly [field: string]: unknown };

/** Where the walk is; a path is only made where something differs. */
interface Place {
  readonly above: Place | null;
  readonly segment: Segment;
  readonly depth: number;
}

export function differencesOf(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = [];
  compare(before, after, null, found);
  return found;
}

/** Deeper than any object that people write; what lies deeper is one value. */
const MAX_DEPTH = 100;

function compare(before: unknown, after: unknown, place: Place | null, found: Difference[]): void {
  if (before === after) return;
  if (typeof before === 'object' && typeof after === 'object' && before !== null && after !== null && depthOf(place) < MAX_DEPTH) {
    if (!Array.isArray(before) && !Array.isArray(after)) return compareObjects(before as Fields, after as Fields, place, found);
    if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, place, found);
  }
  compareWhole(before, after, place, false, found);
}

function compareWhole(before: unknown, after: unknown, place: Place | null, secret: boolean, found: Difference[]): void {
  if (!sameValue(before, after)) found.push({ kind: 'changed', path: pathOf(place), before, after, secret });
}

function compareObjects(before: Fields, after: Fields, place: Place | null, found: Difference[]): void {
  // A redacted value is one value: its length and its HMAC say the same thing twice.
  if (before['redacted'] === true || after['redacted'] === true) return compareWhole(before, after, place, false, found);
  const [hidden, hiddenNow] = [secretFields(before), secretFields(after)];
  const hides = (name: string): boolean => hidden?.has(name) === true || hiddenNow?.has(name) === true;
  for (const name in before) {
    const old = before[name];
    if (!Object.hasOwn(after, name)) {
      found.push({ kind: 'removed', path: pathOf(below(place, name)), before: old, after: undefined, secret: hides(name) });
      continue;
    }
    const now = after[name];
    if (old === now) continue;
    if (hides(name)) compareSecret(old, now, below(place, name), found);
    else if (typeof old === 'object' && typeof now === 'object') compare(old, now, below(place, name), found);
    else found.push({ kind: 'changed', path: pathOf(below(place, name)), before: old, after: now, secret: false });
  }
  for (const name in after) {
    if (Object.hasOwn(before, name)) continue;
    found.push({ kind: 'added', path: pathOf(below(place, name)), before: undefined, after: after[name], secret: hides(name) });
  }
}

/** The data of a Secret, by key and no deeper: the id of a list's element may be a value. */
function compareSecret(before: unknown, after: unknown, place: Place, found: Difference[]): void {
  if (!isObject(before) || !isObject(after)) return compareWhole(before, after, place, true, found);
  for (const key of Object.keys(before)) {
    if (Object.hasOwn(after, key)) compareWhole(before[key], after[key], below(place, key), true, found);
    else found.push({ kind: 'removed', path: pathOf(below(place, key)), before: before[key], after: undefined, secret: true });
  }
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) continue;
    found.push({ kind: 'added', path: pathOf(below(place, key)), before: undefined, after: after[key], secret: true });
  }
}

function compareLists(before: readonly unknown[], after: readonly unknown[], place: Place | null, found: Difference[]): void {
  // Most lists are the same, and to see that needs no ids.
  if (sameValue(before, after)) return;
  const keying = keyingOf(typeof place?.segment === 'string' ? place.segment : '', before, after);
  const [oldIds, newIds] = [identify(before, keying), identify(after, keying)];
  const element = (id: string): Place => below(place, { keying, id });
  const newAt = new Map(newIds.map((id, at) => [id, at]));
  const kept = new Set<string>();
  for (const [at, id] of oldIds.entries()) {
    const now = newAt.get(id);
    if (now === undefined) found.push({ kind: 'removed', path: pathOf(element(id)), before: before[at], after: undefined, secret: false });
    else {
      kept.add(id);
      compare(before[at], after[now], element(id), found);
    }
  }
  for (const [at, id] of newIds.entries()) {
    if (!kept.has(id)) found.push({ kind: 'added', path: pathOf(element(id)), before: undefined, after: after[at], secret: false });
  }
  const order = orderAfter(oldIds, newIds, kept);
  if (order.some((id, at) => id !== newIds[at]))
    found.push({ kind: 'reordered', path: pathOf(place), before: oldIds, after: newIds, secret: false, keying });
}

/** The order that additions at the end lead to: only another one needs to be told. */
function orderAfter(oldIds: readonly string[], newIds: readonly string[], kept: ReadonlySet<string>): string[] {
  return [...oldIds.filter((id) => kept.has(id)), ...newIds.filter((id) => !kept.has(id))];
}

function below(above: Place | null, segment: string | { keying: Keying; id: string }): Place {
  return { above, segment, depth: depthOf(above) + 1 };
}

function depthOf(place: Place | null): number {
  return place === null ? 0 : place.depth;
}

function pathOf(place: Place | null): Path {
  const path: Segment[] = [];
  for (let at = place; at !== null; at = at.above) path.push(at.segment);
  return path.toReversed();
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
