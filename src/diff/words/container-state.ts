/**
 * What a kubelet tells of a pod's containers: why they wait or ended, how often they were restarted, what they run. Pure.
 *   in    the differences within a pod's container statuses
 *   out   phrases; apart from them those that are only worth a word when there is nothing else to say
 */
import { changeOf, type Change } from '../change.ts';
import type { Difference, Fields } from '../difference.ts';
import { fieldsAt, fieldsOf, listOf, namedIn, numberOf, textOf } from '../fields.ts';
import { segmentText } from '../path.ts';
import { inParts, type Pair } from './concern.ts';
import { digestText, imageChangeText } from './image.ts';
import { plainWords } from './plain.ts';
import { resourceWords } from './resources.ts';
import { nameText, said } from './value.ts';

export const STATUS_LISTS = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

export interface StateWords {
  readonly told: readonly Change[];
  readonly minor: readonly Change[];
}

export function containerStateWords(differences: readonly Difference[], pair: Pair): StateWords {
  const told: Change[] = [];
  const minor: Change[] = [];
  const byContainer = new Map<string, Difference[]>();
  for (const difference of differences.flatMap((one) => (one.path.length === 2 ? inParts(one) : [one]))) {
    const key = `${segmentText(difference.path[1])}/${segmentText(difference.path[2])}`;
    byContainer.set(key, [...(byContainer.get(key) ?? []), difference]);
  }
  const several = STATUS_LISTS.reduce((sum, list) => sum + listOf(fieldsOf(pair.after['status'])[list]).length, 0) > 1;
  for (const own of byContainer.values()) {
    const [first] = own;
    if (first === undefined) continue;
    const [list, name] = [segmentText(first.path[1]), segmentText(first.path[2])];
    const [old, now] = [pair.before, pair.after].map((object) => namedIn(fieldsOf(object['status'])[list], name) ?? {});
    if (old === undefined || now === undefined) continue;
    const words = ofContainer(own, old, now, several ? `${nameText(name)}: ` : '');
    told.push(...words.told);
    minor.push(...(words.told.length + words.minor.length > 0 ? words.minor : plainWords(own, 'state')));
  }
  return { told, minor };
}

function ofContainer(own: readonly Difference[], old: Fields, now: Fields, prefix: string): StateWords {
  const [first] = own;
  if (first === undefined) return { told: [], minor: [] };
  const told: Change[] = [];
  const minor: Change[] = [];
  const [from, to] = [stateOf(old), stateOf(now)];
  if (from.text !== to.text) {
    const isUsual = from.usual && to.usual;
    // After a restart it runs again: the restart is told.
    const words = from.usual || to.trouble ? to.text : `${from.text} → ${to.text}`;
    (isUsual ? minor : told).push(changeOf('state', first, `${prefix}${words}`));
  }
  const restarts = restartText(old, now);
  if (restarts !== undefined)
    told.push(changeOf('restarts', own.find(({ path }) => path[3] === 'restartCount') ?? first, `${prefix}${restarts}`));
  const image = imageWords(own, old, now);
  if (image !== undefined) told.push(changeOf('image', first, `${prefix}${image}`));
  const resized = own.filter(({ path, kind }) => path[3] === 'resources' && kind === 'changed');
  told.push(...resourceWords(resized, 4, `${prefix}applied: `));
  const started = own.find(({ path }) => path[3] === 'started');
  if (started !== undefined) minor.push(changeOf('state', started, `${prefix}${now['started'] === true ? 'started' : 'not started'}`));
  const message = textOf(fieldsAt(now, 'state', 'waiting')['message']);
  const waits = own.find(({ path }) => path[4] === 'waiting' && path[5] === 'message');
  if (waits !== undefined && message !== undefined) minor.push(changeOf('state', waits, `${prefix}${to.text}: ${said(message, 100)}`));
  return { told, minor };
}

interface State {
  readonly text: string;
  /** On the way of every healthy container. */
  readonly usual: boolean;
  readonly trouble: boolean;
}

const FIRST_STEPS: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

function stateOf(status: Fields): State {
  const state = fieldsOf(status['state']);
  const waiting = textOf(fieldsOf(state['waiting'])['reason']);
  if (Object.hasOwn(state, 'waiting')) {
    const text = nameText(waiting ?? 'waiting');
    const usual = waiting === undefined || FIRST_STEPS.has(waiting);
    return { text, usual, trouble: !usual };
  }
  if (Object.hasOwn(state, 'terminated')) {
    const terminated = fieldsOf(state['terminated']);
    const completed = numberOf(terminated['exitCode']) === 0;
    return { text: completed ? 'completed' : endText(terminated), usual: false, trouble: true };
  }
  return Object.hasOwn(state, 'running') ? { text: 'running', usual: true, trouble: false } : { text: '', usual: true, trouble: false };
}

/** `OOMKilled`, `Error exit 137`, `Completed` */
function endText(terminated: Fields): string {
  const reason = textOf(terminated['reason']);
  const [code, signal] = [numberOf(terminated['exitCode']), numberOf(terminated['signal'])];
  if (reason !== undefined && reason !== 'Error') return nameText(reason);
  const how = code !== undefined ? `exit ${code}` : signal !== undefined ? `signal ${signal}` : '';
  return [reason, how].filter((part) => part !== undefined && part !== '').join(' ') || 'ended';
}

function restartText(old: Fields, now: Fields): string | undefined {
  const [before, after] = [numberOf(old['restartCount']) ?? 0, numberOf(now['restartCount']) ?? 0];
  if (before === after) return undefined;
  const ends = [fieldsAt(now, 'lastState', 'terminated'), fieldsAt(now, 'state', 'terminated')];
  const last = ends.find((end) => Object.keys(end).length > 0);
  // The last end stays with the container: it is why this restart was only if it is another one.
  return `restarts ${before} → ${after}${last === undefined || after < before ? '' : ` (${endText(last)})`}`;
}

/** What really runs: another image, or the same name with another content. */
function imageWords(own: readonly Difference[], old: Fields, now: Fields): string | undefined {
  const [image, imageAfter] = [textOf(old['image']), textOf(now['image'])];
  if (image !== undefined && imageAfter !== undefined && image !== imageAfter) return `now runs ${imageChangeText(image, imageAfter)}`;
  if (!own.some(({ path }) => path[3] === 'imageID')) return undefined;
  const [id, idAfter] = [textOf(old['imageID']), textOf(now['imageID'])];
  if (id === undefined || idAfter === undefined || id === idAfter) return undefined;
  const digest = (text: string): string => nameText(digestText(text.slice(text.lastIndexOf('@') + 1)));
  return `image pulled anew ${digest(id)} → ${digest(idAfter)}`;
}
