/**
 * The columns beside the object, per resource: what people filter by, and what a table of kubectl shows. Pure. What lies in an
 * object is believed of nothing. Resources that are not named here have the common columns only.
 */
import type { KubernetesObject } from '../events/change.ts';
import { fieldsAt, fieldsOf, listOf, numberOf, textOf } from '../diff/fields.ts';
import { tableOf } from '../events/resource.ts';
import { lastSeenOf } from './event.ts';
import { podState, type PodState } from './pod.ts';
import type { ColumnType, ColumnValue, ResourceTable } from './table.ts';

interface Column<T> {
  readonly name: string;
  readonly type: ColumnType;
  readonly about: string;
  readonly of: (object: T) => ColumnValue;
}

/** Columns of one resource; `of` sees what `read` makes of an object, once for all of them. */
interface Columns<T> {
  readonly read: (object: KubernetesObject) => T;
  readonly columns: readonly Column<T>[];
}

const plain = (...columns: readonly Column<KubernetesObject>[]): Columns<KubernetesObject> => ({ read: (object) => object, columns });
const column = <T = KubernetesObject>(name: string, type: ColumnType, about: string, of: Column<T>['of']): Column<T> => ({
  name,
  type,
  about,
  of,
});
const text = (value: unknown): string | null => textOf(value) ?? null;
const integer = (value: unknown): number | null => {
  const number = numberOf(value);
  return number !== undefined && Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : null;
};
const imagesOf = (containers: unknown): string[] => listOf(containers).map((one) => textOf(fieldsOf(one)['image']) ?? '');

const POD: Columns<{ readonly pod: KubernetesObject; readonly state: PodState }> = {
  read: (pod) => ({ pod, state: podState(pod) }),
  columns: [
    column('phase', 'text', 'status.phase', ({ pod }) => text(fieldsOf(pod['status'])['phase'])),
    column('status', 'text', "kubectl's STATUS: CrashLoopBackOff, Init:0/2, Terminating, … or else the phase", ({ state }) =>
      text(state.reason),
    ),
    column('node', 'text', 'Node it runs on', ({ pod }) => text(fieldsOf(pod['spec'])['nodeName'])),
    column('pod_ip', 'text', 'status.podIP', ({ pod }) => text(fieldsOf(pod['status'])['podIP'])),
    column('ready', 'text', 'Containers that are ready, of all: 1/2', ({ state }) => `${state.ready}/${state.total}`),
    column('restarts', 'integer', 'Restarts of all containers', ({ state }) => integer(state.restarts)),
    column('restarted_at', 'timestamptz', 'When the container that was started again last had ended', ({ state }) => state.lastRestart),
    column('images', 'text[]', 'Images of the containers, in their order', ({ pod }) => imagesOf(fieldsOf(pod['spec'])['containers'])),
    column('owner', 'text', 'Controller: ReplicaSet/checkout-7d9f', ({ pod }) => ownerOf(pod)),
  ],
};

const replicas = column('replicas', 'integer', 'Replicas wanted', (object) => integer(fieldsOf(object['spec'])['replicas']));
const replicasThat = (name: string, about: string, field: string) =>
  column(name, 'integer', about, (object) => integer(fieldsOf(object['status'])[field]) ?? 0);
const workload = [
  replicas,
  replicasThat('ready', 'Replicas that are ready', 'readyReplicas'),
  replicasThat('updated', 'Replicas of the newest template', 'updatedReplicas'),
  replicasThat('available', 'Replicas that have been ready for long enough', 'availableReplicas'),
  column('images', 'text[]', 'Images of the containers, in their order', (object) =>
    imagesOf(fieldsAt(object['spec'], 'template', 'spec')['containers']),
  ),
];
const keys = column('keys', 'text[]', 'Keys of data and binaryData, sorted', (object) =>
  [...Object.keys(fieldsOf(object['data'])), ...Object.keys(fieldsOf(object['binaryData']))].toSorted(),
);

const COLUMNS = {
  pods: POD,
  deployments: plain(...workload),
  statefulsets: plain(...workload),
  services: plain(
    column('type', 'text', 'spec.type', (service) => text(fieldsOf(service['spec'])['type'])),
    column('cluster_ip', 'text', 'spec.clusterIP', (service) => text(fieldsOf(service['spec'])['clusterIP'])),
    column('ports', 'text[]', 'Ports: 443/TCP', (service) =>
      listOf(fieldsOf(service['spec'])['ports'])
        .map(fieldsOf)
        .map(({ port, protocol }) => `${integer(port) ?? ''}/${textOf(protocol) ?? 'TCP'}`),
    ),
  ),
  configmaps: plain(keys),
  secrets: plain(
    keys,
    column('type', 'text', 'Opaque, kubernetes.io/tls, …', (secret) => text(secret['type'])),
  ),
  events: plain(
    column('reason', 'text', 'Why it was sent: BackOff, Scheduled, …', (event) => text(event['reason'])),
    column('type', 'text', 'Normal or Warning', (event) => text(event['type'])),
    column('regarding', 'text', 'What it is about: Pod/checkout-7d9f-x2k', (event) => {
      const { kind, name } = fieldsOf(event['regarding'] ?? event['involvedObject']);
      return textOf(kind) === undefined ? null : `${textOf(kind)}/${textOf(name) ?? ''}`;
    }),
    column(
      'count',
      'integer',
      'How often it happened',
      (event) => integer(fieldsOf(event['series'])['count']) ?? integer(event['deprecatedCount']) ?? integer(event['count']) ?? 1,
    ),
    column('last_seen', 'timestamptz', 'When it happened last', lastSeenOf),
    column('note', 'text', 'What it says', (event) => text(event['note'] ?? event['message'])),
  ),
} as const;

function columnsOf(resource: string): Columns<unknown> | undefined {
  return Object.hasOwn(COLUMNS, resource) ? (COLUMNS[resource as keyof typeof COLUMNS] as Columns<unknown>) : undefined;
}

export function tableFor(resource: string, group: string, kind: string): ResourceTable {
  const columns = (columnsOf(resource)?.columns ?? []).map(({ name, type, about }) => ({ name, type, about }));
  return { resource, table: tableOf(resource), group, kind, columns };
}

/** In the order of the table's columns. */
export function columnValues(resource: string, object: KubernetesObject): ColumnValue[] {
  const known = columnsOf(resource);
  if (known === undefined) return [];
  const read = known.read(object);
  return known.columns.map(({ of }) => of(read));
}

/** Resources that have tables from the first migration on, with their groups and kinds. */
export const DEFAULT_TABLES: readonly ResourceTable[] = [
  tableFor('pods', '', 'Pod'),
  tableFor('services', '', 'Service'),
  tableFor('deployments', 'apps', 'Deployment'),
  tableFor('statefulsets', 'apps', 'StatefulSet'),
  tableFor('configmaps', '', 'ConfigMap'),
  tableFor('secrets', '', 'Secret'),
  tableFor('events', 'events.k8s.io', 'Event'),
];

function ownerOf(object: KubernetesObject): string | null {
  const owners = listOf(fieldsOf(object['metadata'])['ownerReferences']).map(fieldsOf);
  const owner = owners.find(({ controller }) => controller === true) ?? owners[0];
  return owner === undefined ? null : `${textOf(owner['kind']) ?? ''}/${textOf(owner['name']) ?? ''}`;
}
