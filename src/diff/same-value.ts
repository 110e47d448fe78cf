/**
 * Are two JSON values the same? The order of an object's fields means nothing, that of a list's elements does. Pure.
 * Invariants (test/diff/difference.test.ts):
 *   V1 any depth  works on values nested more deeply than the call stack is
 */

/** 0 and -0 are the same number, as they are in JSON. */
export function sameValue(one: unknown, other: unknown): boolean {
  return same(one, other, 0);
}

/** Deeper than any object that people write; what lies deeper is compared without the call stack. */
const RECURSION_DEPTH = 200;

function same(one: unknown, other: unknown, depth: number): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (depth === RECURSION_DEPTH) return sameFlat(one, other);
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    for (let at = 0; at < one.length; at += 1) if (!same(one[at], other[at], depth + 1)) return false;
    return true;
  }
  if (Array.isArray(other)) return false;
  const [left, right] = [one as Fields, other as Fields];
  let surplus = 0;
  for (const name in left) {
    if (!Object.hasOwn(right, name) || !same(left[name], right[name], depth + 1)) return false;
    surplus -= 1;
  }
  for (const name in right) if (name.length >= 0) surplus += 1;
  return surplus === 0;
}

type Fields = { readonly [field: string]: unknown };

/** The same, with a stack of its own. */
function sameFlat(one: object, other: object): boolean {
  const pairs: [unknown, unknown][] = [[one, other]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [left, right] = pair;
    if (left === right) continue;
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
    if (Array.isArray(left) !== Array.isArray(right)) return false;
    const names = Object.keys(left);
    if (names.length !== Object.keys(right).length) return false;
    for (const name of names) {
      if (!Object.hasOwn(right, name)) return false;
      pairs.push([(left as Fields)[name], (right as Fields)[name]]);
    }
  }
  return true;
}
