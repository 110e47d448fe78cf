/**
 * The comparison: what the API server emitted (recorder), what the topics hold, what the history and the present hold, and
 * what the collector remembers (shared-state).
 * Outside recorded gaps all of it must be equal; inside, the net difference must be (expected.ts).
 */
import assert from 'node:assert/strict';
import { tableOf } from '../../src/events/resource.ts';
import { complaints, type Gap, type Said } from './expected.ts';
import type { Kube } from './kube.ts';
import { until } from './kube.ts';
import type { Installation } from './kubetape.ts';
import type { Witness } from './witness.ts';

export interface Verdict {
  readonly resource: string;
  /** Compared, one by one. */
  readonly changes: number;
  /** Emitted by the API server, and nowhere to be found. */
  readonly lost: number;
  /** Said more than once, or never emitted. */
  readonly twice: number;
  /** Of one object, older after newer. */
  readonly outOfOrder: number;
  /** All of it, in words. */
  readonly wrong: readonly string[];
}

/** Stretches that are known by their net effect only; without any, everything must be there. */
export type Gaps = () => Promise<readonly Gap[]>;
const NO_GAPS: Gaps = () => Promise.resolve([]);

/** Every change after the recorder's start: once, in order, in topic and history; present and shared-state equal a LIST. */
export async function compare(installation: Installation, kube: Kube, recorder: Witness, gaps: Gaps = NO_GAPS): Promise<Verdict> {
  const verdict = await judge(installation, recorder, gaps);
  assertRight(verdict);
  await compareNow(installation, kube, recorder.resource);
  return verdict;
}

/** What the tables and the collector's memory hold, against a LIST. */
export async function compareNow(installation: Installation, kube: Kube, resource: string): Promise<void> {
  await comparePresent(installation, kube, resource);
  await compareState(installation, kube, resource);
}

/** What became of every change after the recorder's start, in the history and in the topic. */
export async function judge(installation: Installation, recorder: Witness, gaps: Gaps = NO_GAPS): Promise<Verdict> {
  const { resource } = recorder;
  const { rows, wrong } = await historyOf(installation, recorder, gaps);
  const records = (await installation.read([installation.topic(resource)]))
    .filter(({ value }) => value !== null)
    .map(({ value }) => JSON.parse(value?.toString() ?? '') as TopicRecord);
  // Whatever came after the look at the history is not in question.
  const horizon = rows.reduce((highest, { rv }) => (BigInt(rv) > highest ? BigInt(rv) : highest), BigInt(recorder.from));
  const topic = records
    .map(({ op, source }) => ({ uid: source.uid, rv: source.resourceVersion, op, epoch: source.epoch }))
    .filter(({ rv }) => BigInt(rv) <= horizon);
  const after = BigInt(recorder.from);
  const said = (some: readonly Said[]) => some.filter(({ rv }) => BigInt(rv) > after).map(({ uid, rv, op }) => `${uid} ${rv} ${op}`);
  // The history is compared with what was emitted; the topic must say the same.
  const [inTopic, inHistory] = [new Set(said(topic)), new Set(said(rows))];
  const lost = [
    ...wrong.filter((one) => !isTooMuch(one)).map((one) => `history of ${resource}: ${one}`),
    ...[...inHistory.difference(inTopic)].map((one) => `topic of ${resource}: missing ${one}`),
  ];
  const twice = [
    ...wrong.filter(isTooMuch).map((one) => `history of ${resource}: ${one}`),
    ...[...inTopic.difference(inHistory)].map((one) => `topic of ${resource}: too much ${one}`),
    ...twiceIn(`history of ${resource}`, rows),
    ...twiceIn(`topic of ${resource}`, topic),
  ];
  const outOfOrder = [...disorder(`history of ${resource}`, rows), ...disorder(`topic of ${resource}`, topic)];
  return {
    resource,
    changes: said(rows).length,
    lost: lost.length,
    twice: twice.length,
    outOfOrder: outOfOrder.length,
    wrong: [...lost, ...twice, ...outOfOrder],
  };
}

function isTooMuch(complaint: string): boolean {
  return /^(too much|gap: untrue)/.test(complaint);
}

export function assertRight({ resource, lost, twice, outOfOrder, wrong }: Verdict): void {
  if (wrong.length === 0) return;
  const some = wrong.slice(0, 6).join('; ');
  assert.fail(`${resource} differ from what the API server emitted: ${lost} lost, ${twice} twice, ${outOfOrder} out of order: ${some}`);
}

/** The part of it that asks the database alone. @returns the history, in the order of the log */
export async function compareHistory(installation: Installation, recorder: Witness, gaps: Gaps = NO_GAPS): Promise<readonly Said[]> {
  const { resource } = recorder;
  const { rows, wrong } = await historyOf(installation, recorder, gaps);
  const what = `history of ${resource}`;
  const all = [...wrong, ...twiceIn(what, rows), ...disorder(what, rows)];
  assert.equal(all.slice(0, 6).join('; '), '', `${what} differs from what the API server emitted (${all.length})`);
  return rows;
}

interface Told extends Said {
  readonly epoch: number;
}

/** A history that has not grown for so long will not. */
const STANDS_STILL_MS = 60_000;

/** Waits until the history has what was emitted, as long as it grows; when it does not come to that, says what is wrong. */
async function historyOf(
  installation: Installation,
  recorder: Witness,
  gaps: Gaps,
): Promise<{ rows: readonly Told[]; wrong: readonly string[] }> {
  const { resource } = recorder;
  let rows: Told[] = [];
  let wrong: string[] = [];
  let most = -1;
  do {
    most = rows.length;
    await until(
      `the history of ${resource}`,
      async () => {
        rows = await installation.query<Told>(
          `SELECT uid, resource_version::text AS rv, op::text AS op, epoch FROM k8s.${tableOf(resource)}_history WHERE cluster = $1 ORDER BY kafka_partition, kafka_offset`,
          [installation.cluster],
        );
        wrong = complaints(recorder, await gaps(), rows);
        return wrong.length === 0;
      },
      STANDS_STILL_MS,
    ).catch((error: Error) => {
      // A recorder that has broken, for one.
      if (wrong.length === 0) throw error;
    });
  } while (wrong.length > 0 && rows.length > most);
  return { rows, wrong };
}

/** The gaps of a resource that the store knows, each within one epoch. */
export async function gapsOf(installation: Installation, resource: string): Promise<Gap[]> {
  const rows = await installation.query<{ from: string; to: string }>(
    'SELECT from_resource_version AS from, to_resource_version AS to FROM k8s.gaps WHERE cluster = $1 AND resource = $2 AND from_epoch = to_epoch',
    [installation.cluster, resource],
  );
  return rows.map(({ from, to }) => ({ from: BigInt(from), to: BigInt(to) }));
}

interface TopicRecord {
  readonly op: string;
  readonly source: { readonly uid: string; readonly resourceVersion: string; readonly epoch: number };
}

/** The present table against a LIST; Events are left out, as their expiry is no change. */
export async function comparePresent(installation: Installation, kube: Kube, resource: string): Promise<void> {
  if (resource === 'events') return;
  let difference = '';
  await until(
    `the present of ${resource} to equal a LIST`,
    async () => {
      const { items } = await kube.list(resource);
      const listed = items
        .map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion} ${metadata.namespace ?? ''}/${metadata.name}`)
        .toSorted();
      const rows = await installation.query<{ key: string }>(
        `SELECT uid || ' ' || resource_version || ' ' || namespace || '/' || name AS key FROM k8s.${tableOf(resource)} WHERE cluster = $1 AND deleted_at IS NULL`,
        [installation.cluster],
      );
      const present = rows.map(({ key }) => key).toSorted();
      difference = differenceOf(present, listed);
      return difference === '';
    },
    20_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; ${difference}`);
  });
}

/** What the collector remembers against a LIST. */
async function compareState(installation: Installation, kube: Kube, resource: string): Promise<void> {
  if (resource === 'events') return;
  const prefix = `${installation.cluster}/${resource}/`;
  let difference = '';
  await until(
    `shared-state of ${resource} to equal a LIST`,
    async () => {
      const { items } = await kube.list(resource);
      const state = new Map<string, string>();
      for (const { key, value } of await installation.read([`${installation.topicPrefix}shared-state`])) {
        if (!key.startsWith(prefix)) continue;
        if (value === null) state.delete(key);
        else {
          const { uid, resourceVersion } = JSON.parse(value.toString()) as { uid: string; resourceVersion: string };
          state.set(key, `${uid} ${resourceVersion} ${key.slice(prefix.length)}`);
        }
      }
      const listed = items.map(
        ({ metadata }) => `${metadata.uid} ${metadata.resourceVersion} ${metadata.namespace ?? ''}/${metadata.name}`,
      );
      difference = differenceOf([...state.values()], listed);
      return difference === '';
    },
    20_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; ${difference}`);
  });
}

/** '' when both hold the same; else what is missing and what is too much. */
function differenceOf(actual: readonly string[], expected: readonly string[]): string {
  const [is, shall] = [new Set(actual), new Set(expected)];
  const missing = expected.filter((one) => !is.has(one));
  const extra = actual.filter((one) => !shall.has(one));
  if (missing.length + extra.length === 0) return '';
  return `missing ${missing.length}: ${missing.slice(0, 3).join(', ')}; too much ${extra.length}: ${extra.slice(0, 3).join(', ')}`;
}

function twiceIn(what: string, changes: readonly Told[]): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { uid, epoch, rv } of changes) {
    const key = `${uid} ${epoch} ${rv}`;
    if (seen.has(key)) twice.push(`${what}: ${key} twice`);
    seen.add(key);
  }
  return twice;
}

function disorder(what: string, changes: readonly Told[]): string[] {
  const last = new Map<string, readonly [epoch: number, rv: bigint]>();
  const wrong: string[] = [];
  for (const { uid, rv, epoch } of changes) {
    const before = last.get(uid);
    if (before !== undefined && (before[0] > epoch || (before[0] === epoch && BigInt(rv) <= before[1])))
      wrong.push(`${what}: ${uid} goes from ${before[1]} to ${rv}`);
    last.set(uid, [epoch, BigInt(rv)]);
  }
  return wrong;
}
