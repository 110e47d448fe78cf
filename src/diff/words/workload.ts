/**
 * What runs several pods: how many it wants, how many there are, and how far a roll-out is. Pure. Deployments, StatefulSets,
 * ReplicaSets, DaemonSets, and custom resources with the same fields.
 *   out   `replicas 3 → 5`, `ready 3/5 → 4/5`, `updated 1/5 → 2/5`, `rollout begun`, `rollout complete`
 */
import { changeOf, type Change } from '../change.ts';
import type { Difference, Fields } from '../difference.ts';
import { fieldsOf, listOf, numberOf, textOf } from '../fields.ts';
import { segmentText } from '../path.ts';
import type { Concern, Pair } from './concern.ts';
import { mapWords } from './map.ts';
import { plainWords } from './plain.ts';
import { arrow } from './value.ts';

/** Field of the status → what it counts. A DaemonSet's have names of their own. */
const COUNTS: ReadonlyMap<string, string> = new Map([
  ['readyReplicas', 'ready'],
  ['numberReady', 'ready'],
  ['updatedReplicas', 'updated'],
  ['updatedNumberScheduled', 'updated'],
  ['availableReplicas', 'available'],
  ['numberAvailable', 'available'],
  ['replicas', 'pods'],
  ['currentNumberScheduled', 'pods'],
  ['desiredNumberScheduled', 'nodes'],
  ['terminatingReplicas', 'terminating'],
  ['unavailableReplicas', 'unavailable'],
  ['numberUnavailable', 'unavailable'],
  ['numberMisscheduled', 'misscheduled'],
  ['fullyLabeledReplicas', 'fully labelled'],
  ['currentReplicas', 'of the old revision'],
]);

const REVISIONS: ReadonlySet<string> = new Set(['currentRevision', 'updateRevision']);
const KINDS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'ReplicaSet', 'DaemonSet']);

export const workload: Concern = {
  takes({ path }, { kind }) {
    const field = segmentText(path[1]);
    if (path[0] === 'spec') return (path.length === 2 && field === 'replicas') || (KINDS.has(kind) && isOwnSpec(path));
    if (path[0] !== 'status' || path.length !== 2 || kind === 'Pod') return false;
    return COUNTS.has(field) || (kind === 'StatefulSet' && REVISIONS.has(field));
  },
  words(taken, pair) {
    const spec = taken.filter(({ path }) => path[0] === 'spec').flatMap((one) => specWords(one));
    const status = taken.filter(({ path }) => path[0] === 'status');
    return [...spec, ...rolloutWords(status, pair)];
  },
};

function isOwnSpec(path: Difference['path']): boolean {
  return (
    path[1] === 'paused' || path[1] === 'strategy' || path[1] === 'updateStrategy' || (path[1] === 'selector' && path[2] === 'matchLabels')
  );
}

function specWords(difference: Difference): Change[] {
  const { path, kind, before, after } = difference;
  const field = segmentText(path[1]);
  if (field === 'replicas')
    return [changeOf('replicas', difference, kind === 'changed' ? `replicas ${arrow(before, after)}` : plainText(difference))];
  if (field === 'paused' && path.length === 2) return [changeOf('replicas', difference, after === true ? 'paused' : 'resumed')];
  if (field === 'selector' && path.length === 4) return mapWords('selector', 'rest', [difference]);
  return plainWords([difference], 'container', 1);
}

function plainText(difference: Difference): string {
  return plainWords([difference], 'replicas', 1)[0]?.words ?? 'replicas changed';
}

function rolloutWords(differences: readonly Difference[], { before, after }: Pair): Change[] {
  const [old, now] = [countsOf(before), countsOf(after)];
  const told: Change[] = [];
  const minor: Change[] = [];
  const revisions: Change[] = [];
  for (const difference of differences) {
    const noun = COUNTS.get(segmentText(difference.path[1]));
    if (noun === undefined) {
      const words = revisionText(difference, fieldsOf(after['status']));
      if (words !== undefined) revisions.push(changeOf('rollout', difference, words));
      continue;
    }
    const isTold = noun === 'ready' || (noun === 'updated' && !(old.current && now.current));
    const text = OF_ALL.has(noun)
      ? ofAll(noun, difference, old.wanted, now.wanted)
      : `${noun} ${arrow(zero(difference.before), zero(difference.after))}`;
    (isTold ? told : minor).push(changeOf('rollout', difference, text));
  }
  // The many counts move together; one is enough where none of the important ones has moved.
  if (told.length + revisions.length > 0) return [...byImportance(told), ...revisions];
  return byImportance(minor).slice(0, 1);
}

const OF_ALL: ReadonlySet<string> = new Set(['ready', 'updated', 'available']);
const NOUNS = [...new Set(COUNTS.values())];

function byImportance(changes: readonly Change[]): Change[] {
  return changes.toSorted((a, b) => importance(a) - importance(b));
}

function importance({ words }: Change): number {
  const at = NOUNS.findIndex((noun) => words.startsWith(noun));
  return at < 0 ? NOUNS.length : at;
}

function ofAll(noun: string, { before, after }: Difference, wanted: number | undefined, wantedAfter: number | undefined): string {
  const of = (count: unknown, all: number | undefined): string =>
    `${typeof count === 'number' ? count : 0}${all === undefined ? '' : `/${all}`}`;
  return `${noun} ${of(before, wanted)} → ${of(after, wantedAfter)}`;
}

function zero(count: unknown): unknown {
  return count === undefined ? 0 : count;
}

interface Counts {
  readonly wanted: number | undefined;
  /** Are all pods of the newest revision? */
  readonly current: boolean;
}

function countsOf(object: Fields): Counts {
  const [spec, status] = [fieldsOf(object['spec']), fieldsOf(object['status'])];
  const wanted = numberOf(spec['replicas']) ?? numberOf(status['desiredNumberScheduled']);
  const updated = numberOf(status['updatedReplicas']) ?? numberOf(status['updatedNumberScheduled']) ?? 0;
  const pods = numberOf(status['replicas']) ?? numberOf(status['currentNumberScheduled']) ?? 0;
  return { wanted, current: updated === pods };
}

/** A StatefulSet names the revision its pods are to have; when it is also the current one, all of them have it. */
function revisionText({ path, kind, before, after }: Difference, status: Fields): string | undefined {
  if (kind !== 'changed' || textOf(before) === undefined || textOf(after) === undefined) return undefined;
  if (path[1] === 'updateRevision') return 'rollout begun';
  return status['updateRevision'] === after ? 'rollout complete' : undefined;
}

/** A Deployment tells it by the reason of its condition Progressing. */
const PROGRESS: ReadonlyMap<string, string> = new Map([
  ['NewReplicaSetCreated', 'rollout begun'],
  ['FoundNewReplicaSet', 'rollout begun'],
  ['ReplicaSetUpdated', 'rollout goes on'],
  ['NewReplicaSetAvailable', 'rollout complete'],
  ['ProgressDeadlineExceeded', 'rollout stuck (ProgressDeadlineExceeded)'],
  ['DeploymentPaused', 'rollout paused'],
  ['DeploymentResumed', 'rollout resumed'],
]);

export const progress: Concern = {
  takes: ({ path }, { kind }) =>
    kind === 'Deployment' && path[0] === 'status' && path[1] === 'conditions' && segmentText(path[2]) === 'Progressing',
  words(taken, { before, after }) {
    const [first] = taken;
    const [old, now] = [before, after].map((object) =>
      listOf(fieldsOf(object['status'])['conditions'])
        .map(fieldsOf)
        .find((one) => one['type'] === 'Progressing'),
    );
    const words = PROGRESS.get(textOf(now?.['reason']) ?? '');
    if (first === undefined || words === undefined || old?.['reason'] === now?.['reason']) return plainWords(taken, 'condition');
    return [changeOf('rollout', first, words)];
  },
};
