/** The recorded fixtures: versions of real objects, as record-fixtures.ts saw them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { KubernetesObject } from '../../src/events/change.ts';

export interface Version {
  readonly name: string;
  /** What was done when the API server showed it. */
  readonly step: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubernetesObject;
}

export const RECORDED = [
  'pods',
  'services',
  'deployments',
  'statefulsets',
  'configmaps',
  'secrets',
  'events',
  'leases',
  'nodes',
  'certificates.example.org',
] as const;

export type Recorded = (typeof RECORDED)[number];

export function linesOf<T>(file: string): T[] {
  const path = fileURLToPath(new URL(`fixtures/${file}.jsonl`, import.meta.url));
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

export function versionsOf(resource: Recorded, name?: string): Version[] {
  const versions = linesOf<Version>(resource);
  return name === undefined ? versions : versions.filter((version) => version.name === name);
}

/** Each version with the one before it; null before the first, and after the last of a deleted object. */
export function changesIn(
  resource: Recorded,
  name?: string,
): { version: Version; before: KubernetesObject | null; after: KubernetesObject | null }[] {
  const last = new Map<string, KubernetesObject>();
  return versionsOf(resource, name).map((version) => {
    const before = last.get(version.name) ?? null;
    last.set(version.name, version.object);
    return { version, before, after: version.type === 'DELETED' ? null : version.object };
  });
}
