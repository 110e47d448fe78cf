/**
 * Names: what a kind of Kubernetes object is called in the API, in Kafka and in Postgres. Pure.
 *   in    a resource type as API discovery describes it
 *   out   its short name, its topic, its table
 * Invariants (test/events/resource.test.ts):
 *   N1 stable    the same type has the same names in every version of kubetape
 *   N2 distinct  two types never share a topic; where two would like the same table, the store names the second anew
 *   N3 legal     a topic name is legal in Kafka, a table name fits Postgres with every suffix kubetape adds
 */
import { createHash } from 'node:crypto';

/** A kind of object, as API discovery describes it. `group` is '' for the core group. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The API groups that Kubernetes itself serves: their plurals are distinct, so they go without a suffix. */
const OWN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** The short name by which settings, topics, keys and metrics call a type: `pods`, `certificates.cert-manager.io`. */
export function resourceName(type: Pick<ResourceType, 'group' | 'plural'>): string {
  return OWN_GROUPS.has(type.group) ? type.plural : `${type.plural}.${type.group}`;
}

/** The topic of a resource's change records. @param resource a {@link resourceName} */
export function topicOf(resource: string, prefix = ''): string {
  return `${prefix}k8s-${resource}`;
}

/** Longest base name that leaves room for `_history_p20260101` within Postgres' 63 bytes. */
const TABLE_NAME_BYTES = 45;

/**
 * The table that a resource would like in schema `k8s`: `pods`, `certificates_cert_manager_io`; k8s.resources has the one
 * it was given, as `a.b-c.io` and `a.b.c.io` would like the same.
 * A name that would not fit is cut and ends in eight hex digits of its SHA-256.
 */
export function tableOf(resource: string): string {
  const name = resource.toLowerCase().replaceAll(/[^a-z0-9]/g, '_');
  if (name.length <= TABLE_NAME_BYTES) return name;
  const digest = createHash('sha256').update(resource).digest('hex').slice(0, 8);
  return `${name.slice(0, TABLE_NAME_BYTES - 9)}_${digest}`;
}

/** The key of a change record; cluster-scoped objects have an empty namespace. */
export function changeKey(cluster: string, namespace: string, name: string): string {
  return `${cluster}/${namespace}/${name}`;
}

/** The key of a `shared-state` or `event-stream` record. */
export function stateKey(cluster: string, resource: string, namespace: string, name: string): string {
  return `${cluster}/${resource}/${namespace}/${name}`;
}
