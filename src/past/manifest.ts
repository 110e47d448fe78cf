/**
 * An object as it is printed. Pure.
 *   recorded   as it is in the record, but nothing of a Secret; for `-o json`
 *   manifest   what `kubectl apply` takes: without what only the API server may say; for `-o yaml`
 * Invariant (test/past/manifest.test.ts): M1 masked  no value of a Secret is in either
 */
import type { KubernetesObject } from '../events/change.ts';
import { fieldsOf } from '../diff/fields.ts';
import { withoutSecrets } from '../diff/masking.ts';

export function recordedObject(object: KubernetesObject): KubernetesObject {
  return withoutSecrets(object) as KubernetesObject;
}

/**
 * Bound to one object of the past: another resourceVersion or uid would be refused. An owner that is gone would have the
 * garbage collector take the object away at once.
 */
const NOT_APPLIED: ReadonlySet<string> = new Set([
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
  'ownerReferences',
]);

export function manifestOf(object: KubernetesObject): KubernetesObject {
  const masked = recordedObject(object);
  const metadata = Object.fromEntries(Object.entries(fieldsOf(masked['metadata'])).filter(([name]) => !NOT_APPLIED.has(name)));
  return { ...masked, metadata };
}

/** Is anything in it that was redacted? Then it is no manifest. */
export function isRedactedObject(object: KubernetesObject): boolean {
  if (object['kind'] === 'Secret') return Object.keys(fieldsOf(object['data'])).length > 0;
  return holdsRedacted(object, 0);
}

function holdsRedacted(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth > 100) return false;
  if ((value as { redacted?: unknown }).redacted === true) return true;
  return Object.values(value).some((inner) => holdsRedacted(inner, depth + 1));
}
