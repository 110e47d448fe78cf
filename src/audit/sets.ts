/**
 * Sets of (uid, resourceVersion), compared. Pure.
 *   in    what there is, and what somebody has recorded of it
 *   out   where they differ
 * Invariants (test/audit/sets.test.ts):
 *   A1 equal    two sets have the same hash when they hold the same, in whatever order, and no drift then
 *   A2 whole    every object in which they differ is named once
 *   A3 lasting  what differs for a moment only, because it changes or is on its way, is no drift
 */
import { createHash } from 'node:crypto';
import { compareResourceVersions } from '../events/resource-version.ts';
import type { RecordedVersion, Version } from './ports.ts';

export type Side = 'state' | 'table';

export interface Drift {
  readonly side: Side;
  /** missing: not recorded. older, newer: recorded in another version. gone: recorded, and not there. */
  readonly is: 'missing' | 'older' | 'newer' | 'gone';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The version that there is. */
  readonly actual: string | null;
  readonly recorded: string | null;
  /** Of what is recorded. */
  readonly epoch: number | null;
}

/** SHA-256 of the set: what two sides can compare without showing each other what they hold. */
export function hashOf(versions: readonly Version[]): string {
  const hash = createHash('sha256');
  for (const line of versions.map(({ uid, resourceVersion }) => `${uid} ${resourceVersion}\n`).toSorted()) hash.update(line);
  return hash.digest('hex');
}

export function driftOf(side: Side, cluster: readonly Version[], recorded: readonly RecordedVersion[]): Drift[] {
  const known = new Map(recorded.map((one) => [one.uid, one]));
  const drift: Drift[] = [];
  for (const { namespace, name, uid, resourceVersion: actual } of cluster) {
    const has = known.get(uid);
    known.delete(uid);
    if (has === undefined) {
      drift.push({ side, is: 'missing', namespace, name, uid, actual, recorded: null, epoch: null });
      continue;
    }
    const order = compareResourceVersions(has.resourceVersion, actual);
    if (order === 0) continue;
    const is = order < 0 ? 'older' : 'newer';
    drift.push({ side, is, namespace, name, uid, actual, recorded: has.resourceVersion, epoch: has.epoch });
  }
  for (const { namespace, name, uid, resourceVersion, epoch } of known.values())
    drift.push({ side, is: 'gone', namespace, name, uid, actual: null, recorded: resourceVersion, epoch });
  return drift;
}

/** What differed at both looks in the very same way. */
export function lasting(first: readonly Drift[], last: readonly Drift[]): Drift[] {
  const before = new Set(first.map(identity));
  return last.filter((one) => before.has(identity(one)));
}

function identity({ side, uid, actual, recorded }: Drift): string {
  return `${side} ${uid} ${actual ?? '-'} ${recorded ?? '-'}`;
}
