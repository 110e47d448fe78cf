/**
 * The projection of an object: the few fields that facts are derived from and that are worth remembering. Pure.
 *   in    a redacted object
 *   out   a Projection (events/state.ts); fields that do not apply are absent
 */
import type { KubernetesObject } from '../events/change.ts';
import type { Projection } from '../events/state.ts';

type Fields = { readonly [field: string]: unknown };

export function projectionOf(kind: string, object: KubernetesObject): Projection {
  switch (kind) {
    case 'Pod':
      return ofPod(object);
    case 'Deployment':
    case 'StatefulSet':
    case 'ReplicaSet':
    case 'DaemonSet':
      return ofWorkload(object);
    case 'Secret':
    case 'ConfigMap':
      return { values: valuesOf(object) };
    default:
      return {};
  }
}

function ofPod(pod: KubernetesObject): Projection {
  const spec = fields(pod['spec']);
  const status = fields(pod['status']);
  const containers = list(spec['containers']).map(fields);
  const statuses = [...list(status['initContainerStatuses']), ...list(status['containerStatuses'])].map(fields);
  const running = list(status['containerStatuses']).map(fields);
  const reason = text(status['reason']) ?? reasonOf(statuses);
  return {
    ...optional('phase', text(status['phase'])),
    ready: `${running.filter((one) => one['ready'] === true).length}/${containers.length}`,
    restarts: statuses.reduce((sum, one) => sum + (number(one['restartCount']) ?? 0), 0),
    ...optional('reason', reason),
    ...optional('terminated', terminatedOf(statuses)),
    images: containers.map((one) => text(one['image']) ?? ''),
    ...optional('node', text(spec['nodeName'])),
  };
}

/** Why a container waits or ended: CrashLoopBackOff, OOMKilled, … */
function reasonOf(statuses: readonly Fields[]): string | undefined {
  for (const status of statuses) {
    const state = fields(status['state']);
    const reason = text(fields(state['waiting'])['reason']) ?? text(fields(state['terminated'])['reason']);
    if (reason !== undefined && reason !== 'Completed') return reason;
  }
  return undefined;
}

/** Why a container ended before it was started again; of several the last one counts. */
function terminatedOf(statuses: readonly Fields[]): string | undefined {
  let newest: Fields = {};
  for (const status of statuses) {
    const ended = fields(fields(status['lastState'])['terminated']);
    // RFC 3339 in UTC with seconds: the text sorts as the time does.
    if ((text(ended['finishedAt']) ?? '') >= (text(newest['finishedAt']) ?? ''))
      newest = text(ended['reason']) === undefined ? newest : ended;
  }
  return text(newest['reason']);
}

function ofWorkload(workload: KubernetesObject): Projection {
  const spec = fields(workload['spec']);
  const status = fields(workload['status']);
  const template = fields(fields(spec['template'])['spec']);
  const replicas = number(spec['replicas']) ?? number(status['desiredNumberScheduled']);
  const ready = number(status['readyReplicas']) ?? number(status['numberReady']) ?? 0;
  return {
    ...optional('replicas', replicas),
    ready: `${ready}/${replicas ?? 0}`,
    images: list(template['containers']).map((one) => text(fields(one)['image']) ?? ''),
  };
}

function valuesOf(object: KubernetesObject): Record<string, string> {
  const values: Record<string, string> = {};
  for (const field of ['data', 'binaryData']) {
    for (const [key, value] of Object.entries(fields(object[field]))) {
      const { hmac, bytes } = fields(value);
      // Where ConfigMaps are kept in clear the value itself stays out of here: its length is enough to see it change often.
      values[key] = text(hmac) ?? `${number(bytes) ?? (typeof value === 'string' ? value.length : 0)} bytes`;
    }
  }
  return values;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
