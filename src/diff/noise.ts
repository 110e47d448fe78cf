/**
 * What changes without anything having happened: bookkeeping, heartbeats, and what another change brings about by
 * itself. Pure. Whoever shows changes to people leaves it out; the records keep it.
 *   in    a difference between two versions of an object, and the object's kind
 *   out   whether it is of no interest
 * Invariants (test/diff/noise.test.ts):
 *   N1 alone     a difference is noise for what it is, never for its company
 *   N2 in parts  something added or removed is noise when each of its parts is
 */
import type { Difference, Fields } from './difference.ts';
import type { Segment } from './path.ts';

/** `*` is any element of a list, or any field. */
const ALWAYS = [
  // Who wrote what, and counters of writes: they move with every change, and with nothing else.
  'metadata.managedFields',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.selfLink',
  // What kubectl applied last: the difference itself says what came of it.
  'metadata.annotations.kubectl.kubernetes.io/last-applied-configuration',
  // Counts roll-outs. The template's own change, and the roll-out's phrases, say what happened.
  'metadata.annotations.deployment.kubernetes.io/revision',
  'metadata.annotations.deployment.kubernetes.io/revision-history',
  'metadata.annotations.deployment.kubernetes.io/desired-replicas',
  'metadata.annotations.deployment.kubernetes.io/max-replicas',
  'metadata.annotations.deprecated.daemonset.template.generation',
  // Leader election by annotation, renewed every few seconds; and the time stamp of the endpoints controller.
  'metadata.annotations.control-plane.alpha.kubernetes.io/leader',
  'metadata.annotations.endpoints.kubernetes.io/last-change-trigger-time',
  // What autoscaling/v1 hides of the autoscaler's status: measured anew every 15 seconds.
  'metadata.annotations.autoscaling.alpha.kubernetes.io/current-metrics',
  'metadata.annotations.autoscaling.alpha.kubernetes.io/conditions',
  // How often names collided in a controller's hashing.
  'status.collisionCount',
];

const OF_KIND: Readonly<Record<string, readonly string[]>> = {
  // A change of the holder is news; that it still holds is not.
  Lease: ['spec.renewTime', 'spec.acquireTime'],
  Event: [
    // An Event that only happened again has a new count, too; one without it is the heartbeat of its series.
    'series.lastObservedTime',
    'deprecatedFirstTimestamp',
    'deprecatedLastTimestamp',
    'firstTimestamp',
    'lastTimestamp',
  ],
  Pod: [
    // Follows from the node.
    'status.hostIP',
    'status.hostIPs',
    // When the kubelet first saw the pod; Pending → Running says the same.
    'status.startTime',
    // Random names of a runtime's containers, and when they began and ended: restarts and states say what happened.
    'status.*.*.containerID',
    'status.*.*.state.running.startedAt',
    'status.*.*.state.terminated.containerID',
    'status.*.*.state.terminated.startedAt',
    'status.*.*.state.terminated.finishedAt',
    'status.*.*.lastState.terminated.containerID',
    'status.*.*.lastState.terminated.startedAt',
    'status.*.*.lastState.terminated.finishedAt',
    'status.*.*.lastState.running.startedAt',
  ],
  // The kubelet lists what it happens to have pulled, and reports it with its heartbeat.
  Node: ['status.images'],
  // Measurements: they never stand still. What the autoscaler makes of them is spec.replicas and desiredReplicas.
  HorizontalPodAutoscaler: ['status.currentMetrics', 'status.currentCPUUtilizationPercentage', 'status.lastScaleTime'],
};

/**
 * Time stamps and counters by which controllers say that they are alive or up to date, wherever in a status they lie:
 * Kubernetes' own, and those of widespread controllers of custom resources (Argo CD, External Secrets, Crossplane).
 */
const HEARTBEATS: ReadonlySet<string> = new Set([
  'observedGeneration',
  'lastHeartbeatTime',
  'lastProbeTime',
  'lastUpdateTime',
  'lastTransitionTime',
  'lastReconcileTime',
  'lastSyncTime',
  'reconciledAt',
  'refreshTime',
]);

/** Names and digests that somebody fills in a moment after the object has come: news only when they become others. */
const FIRST: Readonly<Record<string, readonly string[]>> = {
  StatefulSet: ['status.currentRevision', 'status.updateRevision'],
  Pod: ['status.*.*.imageID'],
};

/** An empty state is a state. */
const STATES: ReadonlySet<string> = new Set(['running', 'waiting', 'terminated']);

interface Pattern {
  readonly below: Map<string, Pattern>;
  /** What is noise here: nothing, its first value, everything. */
  noise: 'none' | 'first' | 'all';
}

const PATTERNS = new Map<string, Pattern>();

function patternsOf(kind: string): Pattern {
  // A kind's name comes from outside: the map must not grow with it.
  const key = Object.hasOwn(OF_KIND, kind) || Object.hasOwn(FIRST, kind) ? kind : '';
  let root = PATTERNS.get(key);
  if (root === undefined) {
    root = { below: new Map(), noise: 'none' };
    for (const pattern of [...ALWAYS, ...(OF_KIND[key] ?? [])]) plant(root, stepsOf(pattern), 'all');
    for (const pattern of FIRST[key] ?? []) plant(root, stepsOf(pattern), 'first');
    PATTERNS.set(key, root);
  }
  return root;
}

/** The names of annotations have dots of their own. */
function stepsOf(pattern: string): string[] {
  const prefix = 'metadata.annotations.';
  return pattern.startsWith(prefix) ? ['metadata', 'annotations', pattern.slice(prefix.length)] : pattern.split('.');
}

function plant(root: Pattern, steps: readonly string[], noise: 'first' | 'all'): void {
  let at = root;
  for (const step of steps) {
    let next = at.below.get(step);
    if (next === undefined) at.below.set(step, (next = { below: new Map(), noise: 'none' }));
    at = next;
  }
  at.noise = noise;
}

/** @param kind of the object that the difference is of */
export function isNoise(difference: Difference, kind: string): boolean {
  const { path, before, after } = difference;
  const inStatus = path[0] === 'status';
  let at: Pattern | undefined = patternsOf(kind);
  for (const segment of path) {
    at = step(at, segment);
    if (at?.noise === 'all') return true;
    if (inStatus && typeof segment === 'string' && HEARTBEATS.has(segment)) return true;
  }
  switch (difference.kind) {
    case 'reordered':
      // A status lists what is, in the order in which somebody noticed it.
      return inStatus || sameOrder(before as readonly string[], after as readonly string[]);
    case 'added':
      return saysNothing(after, at, path.at(-1), { inStatus, isFirst: true }, 0);
    case 'removed':
      return saysNothing(before, at, path.at(-1), { inStatus, isFirst: false }, 0);
    case 'changed':
      return (at?.noise === 'first' && before === '') || isCountdown(difference);
  }
}

function step(at: Pattern | undefined, segment: Segment): Pattern | undefined {
  if (at === undefined) return undefined;
  return (typeof segment === 'string' ? at.below.get(segment) : undefined) ?? at.below.get('*');
}

/** Are the elements that both lists have in the same order? Insertions and removals tell themselves. */
function sameOrder(before: readonly string[], after: readonly string[]): boolean {
  const [had, has] = [new Set(before), new Set(after)];
  const [kept, left] = [after.filter((id) => had.has(id)), before.filter((id) => has.has(id))];
  return kept.every((id, at) => id === left[at]);
}

interface Where {
  readonly inStatus: boolean;
  /** It was not there before. */
  readonly isFirst: boolean;
}

/** Would this be the same if it were not there? */
function saysNothing(value: unknown, at: Pattern | undefined, segment: Segment | undefined, where: Where, depth: number): boolean {
  if (at?.noise === 'all' || (at?.noise === 'first' && where.isFirst)) return true;
  const { inStatus } = where;
  // An element is news by being there.
  if (segment !== undefined && typeof segment !== 'string') return false;
  // `creationTimestamp: null` in every template.
  if (value === null || value === undefined) return true;
  const name = segment ?? '';
  if (inStatus && HEARTBEATS.has(name)) return true;
  // The API server's encoder leaves out zero values of a status, or not, as the field's tag has it.
  if (typeof value !== 'object') return inStatus && (value === 0 || value === '' || value === false);
  const isMap = !Array.isArray(value);
  const names = Object.keys(value);
  if (names.length === 0) return inStatus ? !STATES.has(name) : isMap && (name === 'labels' || name === 'annotations');
  if (!isMap || STATES.has(name) || depth === MAX_DEPTH) return false;
  return names.every((inner) => saysNothing((value as Fields)[inner], step(at, inner), inner, where, depth + 1));
}

const MAX_DEPTH = 20;

/** "back-off 10s restarting …", "back-off 20s restarting …": the reason stays, the restarts are counted elsewhere. */
function isCountdown({ path, before, after }: Difference): boolean {
  if (path.at(-1) !== 'message' || path.at(-2) !== 'waiting') return false;
  return typeof before === 'string' && typeof after === 'string' && withoutNumbers(before) === withoutNumbers(after);
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, '#');
}
