/**
 * What a manifest comes to, whoever wrote it down: kustomize and Helm differ in labels that say who did, in hashes and
 * revisions within names, and in the order of keys and names. Nothing else is left out.
 */
import type { Manifest } from './rendering.ts';

/** Labels by which pods are selected. */
const TELLING = new Set(['app.kubernetes.io/name', 'app.kubernetes.io/component']);

/** @returns kind/name → its essence; Secrets and the Namespace, which Helm does not write like that, are not among them */
export function essencesOf(manifests: readonly Manifest[]): Record<string, unknown> {
  let text = JSON.stringify(manifests);
  for (const { kind, metadata } of manifests) {
    const plain = kind === 'ConfigMap' || kind === 'Secret' ? metadata.name.replace(/-[bcdfghkmt2456789]{10}$/, '') : metadata.name;
    if (plain !== metadata.name) text = text.replaceAll(`"${metadata.name}"`, `"${plain}"`);
  }
  const found: Record<string, unknown> = {};
  for (const manifest of JSON.parse(text) as Manifest[]) {
    const { kind, metadata } = manifest;
    if (kind === 'Secret' || kind === 'Namespace' || metadata.annotations?.['helm.sh/hook'] !== undefined) continue;
    const name = kind === 'Job' ? metadata.name.replace(/-1$/, '') : metadata.name;
    const { metadata: _metadata, ...rest } = manifest;
    found[`${kind}/${name}`] = essence(rest);
  }
  return Object.fromEntries(Object.entries(found).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function essence(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(essence).toSorted(byName);
  if (typeof node !== 'object' || node === null) return node;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const labels = ['labels', 'matchLabels', 'selector'].includes(key) && isLabels(value);
    const kept = labels ? Object.fromEntries(Object.entries(value as object).filter(([label]) => TELLING.has(label))) : value;
    const inner = key === 'annotations' ? {} : essence(kept);
    // What is empty once these are gone says nothing.
    if ((labels || key === 'annotations' || key === 'metadata' || key === 'podSelector') && isEmpty(inner)) continue;
    result[key] = inner;
  }
  return result;
}

function isEmpty(node: unknown): boolean {
  return typeof node === 'object' && node !== null && Object.keys(node).length === 0;
}

/** What has a name is the same in any order: volumes, mounts, variables. */
function byName(a: unknown, b: unknown): number {
  const [first, second] = [a, b].map((one) => (one as { name?: unknown } | null)?.name);
  return typeof first === 'string' && typeof second === 'string' && first !== second ? (first < second ? -1 : 1) : 0;
}

function isLabels(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).some((key) => key.startsWith('app.kubernetes.io/'));
}
