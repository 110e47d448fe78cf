/**
 * What has changed between two versions of an object, phrase by phrase, the most important first. Pure.
 *   in    two versions of one object, as recorded; null where it did not exist
 *   out   changes, each with its phrase; none where only noise differs
 * Invariants (test/diff/summary.test.ts):
 *   Z1 empty    there is no change if and only if nothing of interest differs
 *   Z2 ranked   by the order of TOPICS; of the same topic in the order of the object
 *   Z3 total    no JSON throws
 *   Z4 secret   nothing below the data of a Secret is in any of it
 */
import type { KubernetesObject } from '../events/change.ts';
import { TOPICS, type Change, type Topic } from './change.ts';
import { differencesOf, isObject, type Difference } from './difference.ts';
import { fieldsOf, textOf } from './fields.ts';
import { isNoise } from './noise.ts';
import { inParts, type Concern, type Pair } from './words/concern.ts';
import { conditions } from './words/conditions.ts';
import { containers } from './words/containers.ts';
import { data } from './words/data.ts';
import { event } from './words/event.ts';
import { createdText, deletedText } from './words/existence.ts';
import { metadata } from './words/metadata.ts';
import { plainWords } from './words/plain.ts';
import { pod } from './words/pod.ts';
import { service } from './words/service.ts';
import { progress, workload } from './words/workload.ts';

/** The first that takes a difference has it. Those that know by the object's kind come before those that search the path. */
const CONCERNS: readonly Concern[] = [data, event, pod, service, workload, progress, conditions, metadata, containers];

const RANKS = new Map<Topic, number>(TOPICS.map((topic, at) => [topic, at]));

/** @param how an object came: `created`, or `first seen` where recording began after it */
export function changesOf(before: KubernetesObject | null, after: KubernetesObject | null, how = 'created'): readonly Change[] {
  if (before === null || after === null) return existence(before, after, how);
  const kind = textOf(after['kind']) ?? textOf(before['kind']) ?? '';
  if (isAnother(before, after)) return [{ ...WHOLE, kind: 'changed', words: createdText(kind, after, 'recreated') }];
  const differences = differencesOf(before, after)
    .filter((difference) => !isNoise(difference, kind))
    .flatMap((difference) => opened(difference, kind));
  if (differences.length === 0) return [];
  const changes = inWords(differences, { kind, before, after });
  return changes.length > 1 ? changes.toSorted((a, b) => (RANKS.get(a.topic) ?? 0) - (RANKS.get(b.topic) ?? 0)) : changes;
}

/** A status or spec that came as a whole, and the conditions in it, are told by their parts. */
function opened(difference: Difference, kind: string): readonly Difference[] {
  const { path } = difference;
  if (!WHOLES.has(path.length === 1 ? path[0] : path.length === 2 && path[0] === 'status' ? path[1] : '')) return [difference];
  const parts = inParts(difference);
  return parts.length === 1 && parts[0] === difference
    ? parts
    : parts.filter((part) => !isNoise(part, kind)).flatMap((part) => opened(part, kind));
}

const WHOLES: ReadonlySet<unknown> = new Set(['metadata', 'spec', 'status', 'conditions']);

/** Identity is the uid: of the same name, but nothing that became another. */
function isAnother(before: KubernetesObject, after: KubernetesObject): boolean {
  const [old, now] = [before, after].map((object) => textOf(fieldsOf(object['metadata'])['uid']));
  return old !== undefined && now !== undefined && old !== now;
}

const WHOLE = { topic: 'existence', path: '', before: undefined, after: undefined } as const;

function existence(before: KubernetesObject | null, after: KubernetesObject | null, how: string): Change[] {
  const object = after ?? before;
  if (!isObject(object)) return [];
  const kind = textOf(object['kind']) ?? '';
  return after === null
    ? [{ ...WHOLE, kind: 'removed', words: deletedText(object) }]
    : [{ ...WHOLE, kind: 'added', words: createdText(kind, object, how) }];
}

function inWords(differences: readonly Difference[], pair: Pair): Change[] {
  const taken = new Map<Concern | undefined, Difference[]>();
  for (const difference of differences) {
    const concern = CONCERNS.find((one) => one.takes(difference, pair));
    const own = taken.get(concern);
    if (own === undefined) taken.set(concern, [difference]);
    else own.push(difference);
  }
  return [...taken].flatMap(([concern, own]) => {
    const words = concern?.words(own, pair) ?? [];
    // A concern may pass over what follows from something else, but what it took must not go unheard.
    return words.length > 0 ? words : plainWords(own);
  });
}
