/**
 * Order of resourceVersions. Since Kubernetes 1.35 they compare as integers within one resource type (KEP-5504);
 * every API server backed by etcd has always behaved so.
 */

/** Digits without a leading zero, at most 128 bits: what KEP-5504 calls a comparable resourceVersion. */
export function isResourceVersion(text: unknown): text is string {
  return typeof text === 'string' && /^[1-9][0-9]{0,38}$/.test(text);
}

/** @returns negative, 0 or positive, as for Array.sort. Both must be {@link isResourceVersion}. */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
