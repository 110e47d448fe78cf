/**
 * The containers and volumes of a pod, or of the pod template of anything: images, resources, environment, ports, probes,
 * commands, mounts. Pure. Goes by shape, so that custom resources with a pod template are understood.
 *   out   `image v42 → v43`, `memory limit 512Mi → 768Mi`, `+env FEATURE_X`; with the container's name before it where
 *         there are several: `proxy: image v1 → v2`
 */
import { changeOf, type Change } from '../change.ts';
import type { Difference } from '../difference.ts';
import { fieldsAt, fieldsOf, listOf, namedIn, textOf } from '../fields.ts';
import { segmentText, type Path } from '../path.ts';
import { inParts, present, sign, type Concern, type Pair } from './concern.ts';
import { envWords } from './env.ts';
import { imageChangeText, imageText } from './image.ts';
import { plainWords } from './plain.ts';
import { resourceWords } from './resources.ts';
import { listed, nameText, said } from './value.ts';

const LISTS: Readonly<Record<string, string>> = {
  containers: 'container',
  initContainers: 'init container',
  ephemeralContainers: 'debug container',
};

export const containers: Concern = {
  takes: ({ path }) => path[0] !== 'status' && (listAt(path) >= 0 || volumeAt(path) >= 0),
  words(taken, pair) {
    const changes: Change[] = [];
    const byContainer = new Map<string, Difference[]>();
    for (const difference of taken.flatMap((one) => (isWhole(one) ? inParts(one) : [one]))) {
      const at = listAt(difference.path);
      const container = difference.path[at + 1];
      if (at < 0) changes.push(...volumeWords(difference));
      else if (container === undefined || difference.path.length === at + 2) changes.push(...existenceWords(difference, at));
      else {
        const key = `${segmentText(difference.path[at])}/${segmentText(container)}`;
        const own = byContainer.get(key);
        if (own === undefined) byContainer.set(key, [difference]);
        else own.push(difference);
      }
    }
    for (const own of byContainer.values()) changes.push(...containerWords(own, pair));
    return changes;
  },
};

/** The index of the list of containers that the path leads to or into, -1 if there is none. */
function listAt(path: Path): number {
  return path.findIndex((segment, at) => typeof segment === 'string' && Object.hasOwn(LISTS, segment) && typeof path[at + 1] !== 'string');
}

function volumeAt(path: Path): number {
  return path.findIndex((segment, at) => segment === 'volumes' && typeof path[at + 1] !== 'string');
}

const WHOLES: ReadonlySet<unknown> = new Set([...Object.keys(LISTS), 'volumes', 'ports', 'volumeMounts']);

function isWhole({ path }: Difference): boolean {
  return WHOLES.has(path.at(-1));
}

/** A container that came or went, or something odd about its list as a whole. */
function existenceWords(difference: Difference, at: number): Change[] {
  const { path, kind } = difference;
  const noun = LISTS[segmentText(path[at])] ?? 'container';
  if (path.length === at + 1)
    return kind === 'reordered' ? [changeOf('container', difference, `${noun}s reordered`)] : plainWords([difference], 'container', at);
  const name = nameText(segmentText(path[at + 1]));
  if (kind === 'changed') return [changeOf('container', difference, `${noun} ${name} changed`)];
  const image = textOf(fieldsOf(present(difference))['image']);
  return [changeOf('container', difference, `${sign(difference)}${noun} ${name}${image === undefined ? '' : ` (${imageText(image)})`}`)];
}

const PROBES: Readonly<Record<string, string>> = {
  livenessProbe: 'liveness probe',
  readinessProbe: 'readiness probe',
  startupProbe: 'startup probe',
};

const MEMBERS: Readonly<Record<string, string>> = { ports: 'port', volumeMounts: 'mount' };

/** @param own all the differences within one container */
function containerWords(own: readonly Difference[], pair: Pair): Change[] {
  const [first] = own;
  if (first === undefined) return [];
  const at = listAt(first.path);
  const prefix = containersIn(first.path.slice(0, at), pair) > 1 ? `${nameText(segmentText(first.path[at + 1]))}: ` : '';
  const changes: Change[] = [];
  const env: Difference[] = [];
  const resources: Difference[] = [];
  const probes = new Map<string, Difference[]>();
  const others: Difference[] = [];
  for (const difference of own) {
    const field = segmentText(difference.path[at + 2]);
    const { before, after, kind, path } = difference;
    if (field === 'image' && kind === 'changed' && typeof before === 'string' && typeof after === 'string')
      changes.push(changeOf('image', difference, `${prefix}image ${imageChangeText(before, after)}`));
    else if (field === 'env') env.push(difference);
    else if (field === 'resources') resources.push(difference);
    else if (Object.hasOwn(PROBES, field)) probes.set(field, [...(probes.get(field) ?? []), difference]);
    else if (Object.hasOwn(MEMBERS, field) && path.length === at + 4 && sign(difference) !== '')
      changes.push(
        changeOf('container', difference, `${prefix}${sign(difference)}${MEMBERS[field]} ${nameText(segmentText(path[at + 3]))}`),
      );
    else others.push(difference);
  }
  changes.push(...resourceWords(resources, at + 3, prefix), ...envWords(env, at + 3, prefix));
  for (const [field, differences] of probes) changes.push(...probeWords(PROBES[field] ?? field, differences, at + 3, prefix));
  changes.push(...plainWords(others, 'container', at + 2, prefix));
  return changes;
}

function probeWords(noun: string, differences: readonly Difference[], from: number, prefix: string): Change[] {
  const [first] = differences;
  if (first === undefined) return [];
  if (first.path.length === from)
    return [changeOf('container', first, `${prefix}${first.kind === 'changed' ? `${noun} changed` : `${sign(first)}${noun}`}`)];
  const parts = plainWords(differences, 'container', from).map(({ words }) => words);
  return [changeOf('container', first, `${prefix}${noun} ${listed(parts, 2)}`)];
}

function volumeWords(difference: Difference): Change[] {
  const at = volumeAt(difference.path);
  if (difference.path.length === at + 1) return plainWords([difference], 'container', at);
  const name = nameText(segmentText(difference.path[at + 1]));
  if (difference.path.length > at + 2 || sign(difference) === '') return plainWords([difference], 'container', at + 2, `volume ${name} `);
  const source = Object.keys(fieldsOf(present(difference))).find((field) => field !== 'name');
  return [changeOf('container', difference, `${sign(difference)}volume ${name}${source === undefined ? '' : ` (${said(source, 32)})`}`)];
}

/** How many containers the pod spec has, so that a lone one need not be named. */
function containersIn(path: Path, { before, after }: Pair): number {
  // Several templates within a list: which one must be said in any case.
  if (!path.every((segment) => typeof segment === 'string')) return 2;
  const [old, now] = [fieldsAt(before, ...path), fieldsAt(after, ...path)];
  let count = 0;
  for (const list of Object.keys(LISTS)) {
    const names = listOf(now[list]).length;
    // One that goes was there beside the others.
    const gone = listOf(old[list]).filter((one) => namedIn(now[list], textOf(fieldsOf(one)['name']) ?? '') === undefined).length;
    count += names + gone;
  }
  return count;
}
