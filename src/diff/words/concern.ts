/**
 * What a file of words/ provides: it takes differences that it understands and says them. Pure.
 * Invariants (test/diff/summary.test.ts, for all of them):
 *   C1 heard   of what a concern takes something is said; if it has no phrase of its own, words/plain.ts has one
 *   C2 total   any JSON is taken without an exception: nothing about an object's shape is believed
 */
import type { Change } from '../change.ts';
import type { Difference, Fields } from '../difference.ts';
import { isObject } from '../difference.ts';
import { identify, keyingOf } from '../merge-keys.ts';
import type { Segment } from '../path.ts';

/** Two versions of one object. */
export interface Pair {
  readonly kind: string;
  readonly before: Fields;
  readonly after: Fields;
}

export interface Concern {
  takes(difference: Difference, pair: Pair): boolean;
  /** @param taken at least one */
  words(taken: readonly Difference[], pair: Pair): readonly Change[];
}

/**
 * A map or a list that came or went as a whole, as differences of its fields or elements: so that there is one form to
 * have words for. Everything else, an empty one too, as it is.
 */
export function inParts(difference: Difference): readonly Difference[] {
  const { kind, path, before, after, secret } = difference;
  const value = kind === 'added' ? after : kind === 'removed' ? before : undefined;
  const part = (segment: Segment, inner: unknown): Difference => ({
    ...difference,
    path: [...path, segment],
    before: kind === 'removed' ? inner : undefined,
    after: kind === 'added' ? inner : undefined,
  });
  if (Array.isArray(value) && value.length > 0 && !secret) {
    const field = path.at(-1);
    const keying = keyingOf(typeof field === 'string' ? field : '', value, value);
    return identify(value, keying).map((id, at) => part({ keying, id }, value[at]));
  }
  if (!isObject(value) || value['redacted'] === true) return [difference];
  const names = Object.keys(value);
  return names.length === 0 ? [difference] : names.map((name) => part(name, value[name]));
}

/** `+` what came, `-` what went, nothing where something changed. */
export function sign({ kind }: Difference): string {
  return kind === 'added' ? '+' : kind === 'removed' ? '-' : '';
}

/** The side that is there; after a change the newer one. */
export function present({ kind, before, after }: Difference): unknown {
  return kind === 'removed' ? before : after;
}
