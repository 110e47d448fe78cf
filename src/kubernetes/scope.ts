/** One list-and-watch: a resource type, cluster-wide or in one namespace, with its selectors. Pure. */
import type { ResourceType } from '../events/resource.ts';
import type { Query } from './client.ts';

export interface Scope {
  readonly type: ResourceType;
  /** See resourceName(). */
  readonly resource: string;
  /** '' watches all namespaces. */
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

export function pathOf(scope: Scope): string {
  const { group, version, plural } = scope.type;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return scope.namespace === '' ? `${root}/${plural}` : `${root}/namespaces/${encodeURIComponent(scope.namespace)}/${plural}`;
}

export function selectorQuery(scope: Scope): Query {
  return { labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector };
}

/** What a checkpoint remembers of its scope: with other selectors a watch cannot go on from it. */
export function scopeText(scope: Scope): string {
  return new URLSearchParams({ labels: scope.labelSelector, fields: scope.fieldSelector }).toString();
}
