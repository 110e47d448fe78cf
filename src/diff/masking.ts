/**
 * Nothing of a Secret is ever shown, even where an object holds it in clear: that it changed is visible, its value is not.
 * Pure. As kubectl diff has it: `*** (before)`, `*** (after)`.
 * Invariants (test/diff/masking.test.ts):
 *   M1 nothing shown  no value below a Secret's data or stringData is in what comes out, nor in an applied configuration
 *   M2 fail closed    what lies too deep to be looked through is masked as a whole
 */
import { isObject, type Difference } from './difference.ts';
import { secretFields } from './secret-fields.ts';

export const BEFORE = '*** (before)';
export const AFTER = '*** (after)';
const MASK = '***';

/** The two sides of a difference as they may be shown. */
export function shownSides({ before, after, secret }: Difference): { readonly before: unknown; readonly after: unknown } {
  if (!secret) return { before: withoutSecrets(before), after: withoutSecrets(after) };
  return { before: before === undefined ? undefined : BEFORE, after: after === undefined ? undefined : AFTER };
}

/** kubectl apply embeds all of what it was given, and that may be a Secret. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_DEPTH = 100;

/** A copy in which every Secret, wherever it lies, has its keys only. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return MASK;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  const hidden = secretFields(value as { readonly [field: string]: unknown });
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]): [string, unknown] => {
      if (name === LAST_APPLIED) return [name, MASK];
      if (hidden?.has(name) !== true) return [name, withoutSecrets(inner, depth + 1)];
      return [name, isObject(inner) ? Object.fromEntries(Object.keys(inner).map((key) => [key, MASK])) : MASK];
    }),
  );
}
