/**
 * The columns that people filter by, per resource: their names, types and where they come from. Pure.
 * Resources that are not named here have the common columns only.
 */
import type { KubernetesObject } from '../events/change.ts';
import { tableOf } from '../events/resource.ts';
import type { ColumnType, ColumnValue, ResourceTable } from './ports.ts';

type Fields = { readonly [field: string]: unknown };

interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly about: string;
  readonly of: (object: KubernetesObject) => ColumnValue;
}

const column = (name: string, type: ColumnType, about: string, of: Column['of']): Column => ({ name, type, about, of });
const at = (object: KubernetesObject, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((node, field) => fields(node)[field], object);

const images = column('images', 'text[]', 'Images of the containers, in their order', (object) =>
  list(at(object, 'spec', 'template', 'spec', 'containers')).map((one) => text(fields(one)['image']) ?? ''),
);
const workload: readonly Column[] = [
  column('replicas', 'integer', 'Replicas wanted', (object) => number(at(object, 'spec', 'replicas'))),
  column('ready', 'integer', 'Replicas that are ready', (object) => number(at(object, 'status', 'readyReplicas')) ?? 0),
  column('updated', 'integer', 'Replicas of the newest template', (object) => number(at(object, 'status', 'updatedReplicas')) ?? 0),
  images,
];
const keys = column('keys', 'text[]', 'Keys of data and binaryData, sorted', (object) =>
  [...Object.keys(fields(object['data'])), ...Object.keys(fields(object['binaryData']))].toSorted(),
);

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    column('phase', 'text', 'status.phase', (pod) => text(at(pod, 'status', 'phase'))),
    column('node', 'text', 'Node it runs on', (pod) => text(at(pod, 'spec', 'nodeName'))),
    column('pod_ip', 'text', 'status.podIP', (pod) => text(at(pod, 'status', 'podIP'))),
    column('ready', 'text', 'Containers that are ready, of all: 1/2', (pod) => {
      const ready = list(at(pod, 'status', 'containerStatuses')).filter((one) => fields(one)['ready'] === true).length;
      return `${ready}/${list(at(pod, 'spec', 'containers')).length}`;
    }),
    column('restarts', 'integer', 'Restarts of all containers', (pod) =>
      list(at(pod, 'status', 'containerStatuses')).reduce<number>((sum, one) => sum + (number(fields(one)['restartCount']) ?? 0), 0),
    ),
    column('images', 'text[]', 'Images of the containers, in their order', (pod) =>
      list(at(pod, 'spec', 'containers')).map((one) => text(fields(one)['image']) ?? ''),
    ),
    column('owner', 'text', 'Controller: ReplicaSet/checkout-7d9f', ownerOf),
  ],
  deployments: workload,
  statefulsets: workload,
  services: [
    column('type', 'text', 'spec.type', (service) => text(at(service, 'spec', 'type'))),
    column('cluster_ip', 'text', 'spec.clusterIP', (service) => text(at(service, 'spec', 'clusterIP'))),
    column('ports', 'text[]', 'Ports: 443/TCP', (service) =>
      list(at(service, 'spec', 'ports')).map((one) => `${number(fields(one)['port']) ?? ''}/${text(fields(one)['protocol']) ?? 'TCP'}`),
    ),
  ],
  configmaps: [keys],
  secrets: [keys, column('type', 'text', 'Opaque, kubernetes.io/tls, …', (secret) => text(secret['type']))],
  events: [
    column('reason', 'text', 'Why it was sent: BackOff, Scheduled, …', (event) => text(event['reason'])),
    column('type', 'text', 'Normal or Warning', (event) => text(event['type'])),
    column('regarding', 'text', 'What it is about: Pod/checkout-7d9f-x2k', (event) => {
      const { kind, name } = fields(event['regarding'] ?? event['involvedObject']);
      return text(kind) === null ? null : `${text(kind)}/${text(name) ?? ''}`;
    }),
    column(
      'count',
      'integer',
      'How often it happened',
      (event) => number(at(event, 'series', 'count')) ?? number(event['deprecatedCount']) ?? number(event['count']) ?? 1,
    ),
    column('note', 'text', 'What it says', (event) => text(event['note'] ?? event['message'])),
  ],
};

export function tableFor(resource: string, group: string, kind: string): ResourceTable {
  const columns = (COLUMNS[resource] ?? []).map(({ name, type, about }) => ({ name, type, about }));
  return { resource, table: tableOf(resource), group, kind, columns };
}

export function columnValues(resource: string, object: KubernetesObject): ColumnValue[] {
  return (COLUMNS[resource] ?? []).map(({ of }) => of(object));
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
  const owners = list(at(object, 'metadata', 'ownerReferences')).map(fields);
  const owner = owners.find(({ controller }) => controller === true) ?? owners[0];
  return owner === undefined ? null : `${text(owner['kind']) ?? ''}/${text(owner['name']) ?? ''}`;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : null;
}
