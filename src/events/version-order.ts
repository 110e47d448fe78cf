/** The order of recorded versions: by time, and of the same millisecond by what the API server counted. Pure. */
import { compareResourceVersions } from './resource-version.ts';

interface Ordered {
  readonly changedAtMs: number;
  readonly epoch: number;
  readonly resourceVersion: string;
}

export function olderFirst(a: Ordered, b: Ordered): number {
  return a.changedAtMs - b.changedAtMs || a.epoch - b.epoch || compareResourceVersions(a.resourceVersion, b.resourceVersion);
}

/** By what the API server counted alone. */
export function isBefore(a: Ordered, b: Ordered): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && compareResourceVersions(a.resourceVersion, b.resourceVersion) < 0);
}
