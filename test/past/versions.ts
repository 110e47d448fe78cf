/** Recorded versions for tests: of the fixtures, or made of an object. */
import type { KubernetesObject, Op } from '../../src/events/change.ts';
import type { RecordedChange, Version } from '../../src/past/ports.ts';
import { versionsOf, type Recorded } from '../diff/fixtures.ts';

export const T0 = Date.parse('2026-11-20T10:00:00Z');

let count = 0;

export function version(object: KubernetesObject | null, more: Partial<Version> = {}): Version {
  count += 1;
  const metadata = (object?.['metadata'] ?? {}) as { uid?: string; name?: string; namespace?: string };
  return {
    resource: 'pods',
    uid: metadata.uid ?? 'uid-1',
    namespace: metadata.namespace ?? 'shop',
    name: metadata.name ?? 'web',
    op: 'u',
    epoch: 1,
    resourceVersion: String(count),
    changedAtMs: T0 + count * 1000,
    by: 'kubectl',
    synthetic: false,
    snapshot: false,
    object,
    ...more,
  };
}

export function change(
  before: KubernetesObject | null,
  after: KubernetesObject | null,
  more: Partial<RecordedChange> = {},
): RecordedChange {
  return { ...version(after), before: before === null ? null : { op: 'u', object: before }, ...more };
}

/** What the API server showed of one object, the oldest first. */
export function recorded(resource: Recorded, name: string): Version[] {
  const op: Readonly<Record<string, Op>> = { ADDED: 'c', MODIFIED: 'u', DELETED: 'd' };
  return versionsOf(resource, name).map(({ object, type }, at) => {
    const { resourceVersion = '1' } = object['metadata'] as { resourceVersion?: string };
    return version(object, { resource, op: op[type] ?? 'u', resourceVersion, changedAtMs: T0 + at * 1000, by: `writer-${at}` });
  });
}
