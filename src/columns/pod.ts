/** The state of a pod, as the API server's tables show it: READY, STATUS and RESTARTS are made of many fields. Pure. */
import type { KubernetesObject } from '../events/change.ts';
import { fieldsAt, fieldsOf, listOf, namedIn, numberOf, textOf } from '../diff/fields.ts';

type Fields = { readonly [field: string]: unknown };

export interface PodState {
  /** Containers, sidecars among them. */
  ready: number;
  total: number;
  /** STATUS. */
  reason: string;
  restarts: number;
  /** When a container that was started again had ended, the newest (ms). */
  lastRestart: number | null;
}

/** @see printPod */
export function podState(pod: KubernetesObject): PodState {
  const spec = fieldsOf(pod['spec']);
  const status = fieldsOf(pod['status']);
  const initContainers = listOf(spec['initContainers']).map(fieldsOf);
  const state: PodState = {
    ready: 0,
    total: listOf(spec['containers']).length + initContainers.filter(isSidecar).length,
    reason: textOf(status['reason']) ?? textOf(status['phase']) ?? '',
    restarts: 0,
    lastRestart: null,
  };
  if (listOf(status['conditions']).some((one) => fieldsOf(one)['type'] === 'PodScheduled' && fieldsOf(one)['reason'] === 'SchedulingGated'))
    state.reason = 'SchedulingGated';
  const sidecars = { restarts: 0, lastRestart: null as number | null };
  const initializing = readInitContainers(status, initContainers, state, sidecars);
  if (!initializing || hasCondition(status, 'Initialized')) {
    state.restarts = sidecars.restarts;
    state.lastRestart = sidecars.lastRestart;
    readContainers(status, state);
  }
  if (textOf(fieldsOf(pod['metadata'])['deletionTimestamp']) !== undefined) {
    const phase = status['phase'];
    if (status['reason'] === 'NodeLost') state.reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') state.reason = 'Terminating';
  }
  return state;
}

/** @returns whether the pod is not yet, or no more, initialized */
function readInitContainers(
  status: Fields,
  specs: readonly Fields[],
  state: PodState,
  sidecars: { restarts: number; lastRestart: number | null },
): boolean {
  for (const [at, one] of listOf(status['initContainerStatuses']).map(fieldsOf).entries()) {
    const restarts = numberOf(one['restartCount']) ?? 0;
    state.restarts += restarts;
    state.lastRestart = later(state.lastRestart, one);
    const sidecar = isSidecar(namedIn(specs, textOf(one['name']) ?? '') ?? {});
    if (sidecar) {
      sidecars.restarts += restarts;
      sidecars.lastRestart = later(sidecars.lastRestart, one);
    }
    const { terminated, waiting } = fieldsOf(one['state']) as { terminated?: unknown; waiting?: unknown };
    if (isThere(terminated) && (numberOf(fieldsOf(terminated)['exitCode']) ?? 0) === 0) continue;
    if (sidecar && one['started'] === true) {
      if (one['ready'] === true) state.ready += 1;
      continue;
    }
    const why = textOf(fieldsOf(waiting)['reason']);
    if (isThere(terminated)) state.reason = `Init:${endText(fieldsOf(terminated))}`;
    else if (why !== undefined && why !== 'PodInitializing') state.reason = `Init:${why}`;
    else state.reason = `Init:${at}/${specs.length}`;
    return true;
  }
  return false;
}

function readContainers(status: Fields, state: PodState): void {
  let running = false;
  let failure = '';
  for (const one of listOf(status['containerStatuses']).map(fieldsOf).toReversed()) {
    state.restarts += numberOf(one['restartCount']) ?? 0;
    state.lastRestart = later(state.lastRestart, one);
    const { terminated, waiting, running: runs } = fieldsOf(one['state']) as { terminated?: unknown; waiting?: unknown; running?: unknown };
    const why = textOf(fieldsOf(waiting)['reason']);
    if (why !== undefined) state.reason = why;
    else if (isThere(terminated)) {
      state.reason = endText(fieldsOf(terminated));
      if ((numberOf(fieldsOf(terminated)['exitCode']) ?? 0) !== 0) failure = state.reason;
    } else if (one['ready'] === true && isThere(runs)) {
      running = true;
      state.ready += 1;
    }
  }
  if (state.reason !== 'Completed') return;
  if (running && hasCondition(status, 'Ready')) state.reason = 'Running';
  else if (failure !== '') state.reason = failure;
  else if (running) state.reason = 'NotReady';
}

function endText(terminated: Fields): string {
  const reason = textOf(terminated['reason']);
  if (reason !== undefined) return reason;
  const signal = numberOf(terminated['signal']) ?? 0;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberOf(terminated['exitCode']) ?? 0}`;
}

/** An init container that goes on beside the others. */
function isSidecar(container: Fields): boolean {
  return container['restartPolicy'] === 'Always';
}

function isThere(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function later(before: number | null, container: Fields): number | null {
  const ms = Date.parse(textOf(fieldsAt(container, 'lastState', 'terminated')['finishedAt']) ?? '');
  return Number.isNaN(ms) ? before : Math.max(before ?? ms, ms);
}

export function hasCondition(status: Fields, type: string): boolean {
  return listOf(status['conditions']).some((one) => fieldsOf(one)['type'] === type && fieldsOf(one)['status'] === 'True');
}
