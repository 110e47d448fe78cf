/**
 * What becomes of a pod: node, phase, readiness, address, and its containers' states and restarts. Pure.
 *   out   `scheduled on node-1`, `Pending → Running`, `not ready → ready`, `CrashLoopBackOff`, `restarts 2 → 3 (OOMKilled)`
 */
import { changeOf, type Change } from '../change.ts';
import type { Difference, Fields } from '../difference.ts';
import { fieldsAt, fieldsOf, listOf, textOf } from '../fields.ts';
import { segmentText } from '../path.ts';
import { sign, type Concern, type Pair } from './concern.ts';
import { conditions } from './conditions.ts';
import { containerStateWords, STATUS_LISTS } from './container-state.ts';
import { plainWords } from './plain.ts';
import { nameText, said } from './value.ts';

export const pod: Concern = {
  takes: ({ path }, { kind }) =>
    kind === 'Pod' && (path[0] === 'status' ? !isForeignCondition(path) : path[0] === 'spec' && path[1] === 'nodeName'),
  words(taken, pair) {
    const of = (...names: readonly string[]): Difference[] => taken.filter(({ path }) => names.includes(segmentText(path[1])));
    const strong = [
      ...nodeWords(of('nodeName'), pair),
      ...phaseWords(of('phase', 'reason', 'message'), pair),
      ...readyWords(of('conditions', ...STATUS_LISTS), pair),
      ...schedulingWords(of('conditions'), pair),
      ...addressWords(of('podIP', 'podIPs')),
    ];
    const { told, minor } = containerStateWords(of(...STATUS_LISTS), pair);
    const known = new Set(['nodeName', 'phase', 'reason', 'message', 'conditions', 'podIP', 'podIPs', ...STATUS_LISTS]);
    const others = plainWords(taken.filter(({ path }) => !known.has(segmentText(path[1]))));
    const all = [...strong, ...told, ...others];
    // A first start, a sandbox that is ready: only worth a word when nothing else is to be said.
    return all.length > 0 ? all : minor.length > 0 ? minor : conditions.words(of('conditions'), pair);
  },
};

/** These follow from what else is told of a pod; conditions of others are told as any object's are. */
const OWN_CONDITIONS: ReadonlySet<string> = new Set([
  'Ready',
  'ContainersReady',
  'Initialized',
  'PodScheduled',
  'PodReadyToStartContainers',
]);

function isForeignCondition(path: Difference['path']): boolean {
  return path[1] === 'conditions' && path.length > 2 && !OWN_CONDITIONS.has(segmentText(path[2]));
}

function nodeWords([difference]: readonly Difference[], { after }: Pair): Change[] {
  if (difference === undefined) return [];
  const node = textOf(fieldsOf(after['spec'])['nodeName']);
  return [changeOf('state', difference, node === undefined ? 'taken from its node' : `scheduled on ${nameText(node)}`)];
}

/** `Running → Failed (Evicted: The node was low on resource: memory.)` */
function phaseWords(differences: readonly Difference[], { before, after }: Pair): Change[] {
  const [first] = differences;
  if (first === undefined) return [];
  const [old, now] = [fieldsOf(before['status']), fieldsOf(after['status'])];
  const [from, to] = [textOf(old['phase']), textOf(now['phase'])];
  const [reason, message] = [textOf(now['reason']), textOf(now['message'])];
  const why = [reason, message].filter((part) => part !== undefined).join(': ');
  const isNew = (reason !== undefined && reason !== old['reason']) || (message !== undefined && message !== old['message']);
  const because = isNew ? ` (${said(why, 120)})` : '';
  const phase = from === to ? undefined : from === undefined ? nameText(to ?? '') : `${nameText(from)} → ${nameText(to ?? 'no phase')}`;
  if (phase === undefined && !isNew) return plainWords(differences, 'state');
  return [changeOf('state', first, phase === undefined ? said(why, 120) : `${phase}${because}`)];
}

function readyWords(differences: readonly Difference[], { before, after }: Pair): Change[] {
  const [first] = differences;
  if (first === undefined) return [];
  const [old, now] = [readiness(before), readiness(after)];
  if (now.of > 1 && old.of === now.of && old.containers !== now.containers) {
    const fallen = now.notReady.filter((name) => !old.notReady.includes(name));
    const which = now.containers < old.containers && fallen.length > 0 ? ` (${fallen.map(nameText).join(', ')})` : '';
    return [changeOf('state', first, `ready ${old.containers}/${old.of} → ${now.containers}/${now.of}${which}`)];
  }
  return old.pod === now.pod ? [] : [changeOf('state', first, now.pod ? 'not ready → ready' : 'ready → not ready')];
}

interface Readiness {
  readonly pod: boolean;
  readonly containers: number;
  readonly of: number;
  readonly notReady: readonly string[];
}

/** The condition counts, as it does for Services: readiness gates are part of it. */
function readiness(object: Fields): Readiness {
  const status = fieldsOf(object['status']);
  const statuses = listOf(status['containerStatuses']).map(fieldsOf);
  const notReady = statuses.filter((one) => one['ready'] !== true).map((one) => textOf(one['name']) ?? '');
  const containers = statuses.length - notReady.length;
  const of = listOf(fieldsOf(object['spec'])['containers']).length;
  const condition = conditionOf(status, 'Ready');
  return { pod: condition === undefined ? of > 0 && containers === of : condition['status'] === 'True', containers, of, notReady };
}

function conditionOf(status: Fields, type: string): Fields | undefined {
  return listOf(status['conditions'])
    .map(fieldsOf)
    .find((one) => one['type'] === type);
}

/** Why it finds no node. That it has found one is said by its node. */
function schedulingWords(differences: readonly Difference[], { after }: Pair): Change[] {
  const difference =
    differences.find(({ path }) => segmentText(path[2]) === 'PodScheduled') ?? differences.find(({ path }) => path.length === 2);
  const condition = conditionOf(fieldsAt(after, 'status'), 'PodScheduled');
  if (difference === undefined || condition === undefined || condition['status'] !== 'False') return [];
  const reason = textOf(condition['reason']) ?? 'not scheduled';
  const message = textOf(condition['message']);
  return [changeOf('state', difference, said(message === undefined ? reason : `${reason}: ${message}`, 120))];
}

/** The second of two addresses tells itself only if it came alone. */
function addressWords(differences: readonly Difference[]): Change[] {
  const difference = differences.find(({ path }) => path[1] === 'podIP');
  if (difference === undefined) {
    return differences.flatMap((one) => {
      const isOne = one.path.length === 3 && sign(one) !== '';
      return isOne ? [changeOf('state', one, `${sign(one)}IP ${nameText(segmentText(one.path[2]))}`)] : plainWords([one], 'state');
    });
  }
  const { kind, before, after } = difference;
  const [from, to] = [textOf(before), textOf(after)].map((ip) => (ip === undefined ? 'none' : nameText(ip)));
  return [changeOf('state', difference, kind === 'added' ? `IP ${to}` : kind === 'removed' ? `IP ${from} released` : `IP ${from} → ${to}`)];
}
