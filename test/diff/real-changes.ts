/**
 * Changes of real objects of which it is known beforehand whether they are of interest: written down here once more,
 * apart from src/diff/noise.ts.
 */
import type { KubernetesObject } from '../../src/events/change.ts';

type Json = { [field: string]: unknown };
type Random = () => number;

const now = (random: Random): string => new Date(Date.UTC(2027, 0, 1) + Math.floor(random() * 1e10)).toISOString();

/** Each changes something that nobody wants to hear of, or has nothing to change. */
const NOISE: readonly ((object: Json, random: Random) => void)[] = [
  ({ metadata }, random) => ((metadata as Json)['resourceVersion'] = String(Math.floor(1e9 * (1 + random())))),
  ({ metadata }, random) => ((metadata as Json)['generation'] = Math.floor(1000 * (1 + random()))),
  ({ metadata }, random) => ((metadata as Json)['managedFields'] = [{ manager: 'kubelet', operation: 'Update', time: now(random) }]),
  ({ metadata }, random) => annotate(metadata as Json, 'deployment.kubernetes.io/revision', String(Math.floor(1000 * random()))),
  ({ metadata }, random) => annotate(metadata as Json, 'kubectl.kubernetes.io/last-applied-configuration', String(random())),
  ({ metadata }, random) => annotate(metadata as Json, 'control-plane.alpha.kubernetes.io/leader', String(random())),
  (object, random) => inStatus(object, (status) => (status['observedGeneration'] = Math.floor(1e6 * (1 + random())))),
  (object) => inStatus(object, (status) => (status['conditions'] = conditionsOf(status).toReversed())),
  (object, random) => inStatus(object, (status) => conditionsOf(status).forEach((one) => (one['lastTransitionTime'] = now(random)))),
  (object, random) => inStatus(object, (status) => conditionsOf(status).forEach((one) => (one['lastHeartbeatTime'] = now(random)))),
  (object, random) =>
    inStatus(object, (status) => conditionsOf(status).forEach((one) => (one['observedGeneration'] = Math.floor(1e6 * random())))),
  (object, random) => containersOf(object).forEach((one) => (one['containerID'] = `containerd://${random()}`)),
  (object, random) =>
    containersOf(object).forEach((one) => (((one['state'] as { running?: Json }).running ??= {})['startedAt'] = now(random))),
  (object, random) => object['kind'] === 'Lease' && ((object['spec'] as Json)['renewTime'] = now(random)),
  (object, random) => object['kind'] === 'Event' && (object['deprecatedLastTimestamp'] = now(random)),
];

export function makeNoise(object: KubernetesObject, random: Random, count: number): KubernetesObject {
  const copy = structuredClone<Json>(object);
  for (let at = 0; at < count; at += 1) NOISE[Math.floor(random() * NOISE.length)]?.(copy, random);
  // At least this one always has something to change.
  NOISE[0]?.(copy, random);
  return copy;
}

/** Paths, as field names joined by dots, below which nothing is of interest by itself. */
const QUIET = [
  /^metadata\.(resourceVersion|generation|managedFields|uid|selfLink)/,
  /^metadata\.annotations\.(deployment\.kubernetes\.io|kubectl|control-plane)/,
  /^status(\..*)?\.(observedGeneration|last(Heartbeat|Probe|Update|Transition)Time)$/,
  /^status\.(hostIP|hostIPs|startTime|images|collisionCount)\b/,
  /^status\..*\.(containerID|startedAt|finishedAt)$/,
  /^(spec\.(renewTime|acquireTime)|series\.lastObservedTime|deprecated(First|Last)Timestamp)$/,
  /^kind$/,
];

/** One change of something that somebody wants to hear of; `what` says which. */
export function makeNews(object: KubernetesObject, random: Random): { object: KubernetesObject; what: string } {
  const copy = structuredClone<Json>(object);
  const leaves: { holder: Json; field: string; path: string }[] = [];
  collect(copy, '', leaves);
  // A digest that is filled in is none, either.
  const loud = leaves.filter(
    ({ path, holder, field }) => !QUIET.some((quiet) => quiet.test(path)) && !(field === 'imageID' && holder[field] === ''),
  );
  const leaf = loud[Math.floor(random() * loud.length)];
  const turn = random();
  if (leaf === undefined || turn < 0.2) {
    const labels = ((copy['metadata'] as Json)['labels'] ??= {}) as Json;
    labels[`new-${random()}`] = 'label';
    return { object: copy, what: 'another label' };
  }
  const { holder, field, path } = leaf;
  const value = holder[field];
  holder[field] = typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${String(value)}-other`;
  return { object: copy, what: `${path}: ${String(value)} → ${String(holder[field])}` };
}

/** Scalars that are not null; elements of lists by their position. */
function collect(node: Json, path: string, leaves: { holder: Json; field: string; path: string }[]): void {
  for (const [field, value] of Object.entries(node)) {
    const at = path === '' ? field : `${path}.${field}`;
    if (typeof value === 'object' && value !== null) collect(value as Json, at, leaves);
    else if (value !== null) leaves.push({ holder: node, field, path: at });
  }
}

function annotate(metadata: Json, name: string, value: string): void {
  ((metadata['annotations'] ??= {}) as Json)[name] = value;
}

function inStatus(object: Json, change: (status: Json) => unknown): void {
  // A status that was not there would be news, but for what only says how fresh it is.
  if (typeof object['status'] === 'object') change(object['status'] as Json);
}

function conditionsOf(status: Json): Json[] {
  return (status['conditions'] ?? []) as Json[];
}

/** The containers that run. */
function containersOf(object: Json): Json[] {
  const statuses = ((object['status'] as Json | undefined)?.['containerStatuses'] ?? []) as Json[];
  return statuses.filter((one) => 'running' in (one['state'] as Json));
}
