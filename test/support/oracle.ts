/**
 * The comparison: what the API server emitted (recorder), what the topics hold, what the history and the present hold.
 * Outside recorded gaps all of it must be equal; inside, the net difference must be (expected.ts).
 */
import assert from 'node:assert/strict';
import { tableOf } from '../../src/events/resource.ts';
import { complaints, type Gap, type Said } from './expected.ts';
import type { Kube } from './kube.ts';
import { until } from './kube.ts';
import type { Installation } from './kubetape.ts';
import type { Witness } from './recorder.ts';

export interface Verdict {
  readonly resource: string;
  readonly changes: number;
}

/** Stretches that are known by their net effect only; without any, everything must be there. */
export type Gaps = () => Promise<readonly Gap[]>;
const NO_GAPS: Gaps = () => Promise.resolve([]);

/** Every change after the recorder's start: once, in order, in topic and history; and the present equals a LIST. */
export async function compare(installation: Installation, kube: Kube, recorder: Witness, gaps: Gaps = NO_GAPS): Promise<Verdict> {
  const rows = await compareHistory(installation, recorder, gaps);
  const { resource } = recorder;
  const records = (await installation.read([installation.topic(resource)]))
    .filter(({ value }) => value !== null)
    .map(({ value }) => JSON.parse(value?.toString() ?? '') as TopicRecord);
  // Whatever came after the look at the history is not in question.
  const horizon = rows.reduce((highest, { rv }) => (BigInt(rv) > highest ? BigInt(rv) : highest), BigInt(recorder.from));
  const changes = records
    .map(({ op, source }) => ({ uid: source.uid, rv: source.resourceVersion, op }))
    .filter(({ rv }) => BigInt(rv) <= horizon);
  // The history is right; the topic must say the same.
  const after = BigInt(recorder.from);
  const said = (some: readonly Said[]) => some.filter(({ rv }) => BigInt(rv) > after).map(({ uid, rv, op }) => `${uid} ${rv} ${op}`);
  sameSet(`topic of ${resource}`, said(changes), said(rows));
  once(
    `topic of ${resource}`,
    changes.map(({ uid, rv }) => `${uid} ${rv}`),
  );
  rising(`topic of ${resource}`, changes);

  await comparePresent(installation, kube, resource);
  return { resource, changes: said(rows).length };
}

/** The part of it that asks the database alone. @returns the history, in the order of the log */
export async function compareHistory(installation: Installation, recorder: Witness, gaps: Gaps = NO_GAPS): Promise<readonly Said[]> {
  const { resource } = recorder;
  const history = async () =>
    installation.query<Said & { epoch: number }>(
      `SELECT uid, resource_version::text AS rv, op::text AS op, epoch FROM k8s.${tableOf(resource)}_history WHERE cluster = $1 ORDER BY kafka_partition, kafka_offset`,
      [installation.cluster],
    );
  let rows: Awaited<ReturnType<typeof history>> = [];
  let wrong: string[] = [];
  // It is at rest once the history has what was emitted.
  await until(
    `the history of ${resource}`,
    async () => {
      rows = await history();
      wrong = complaints(recorder, await gaps(), rows);
      return wrong.length === 0;
    },
    60_000,
  ).catch((error: Error) => {
    // A recorder that has broken, for one.
    if (wrong.length === 0) throw error;
  });
  assert.equal(wrong.slice(0, 6).join('; '), '', `history of ${resource} differs from what the API server emitted (${wrong.length})`);
  once(
    `history of ${resource}`,
    rows.map(({ uid, rv, epoch }) => `${uid} ${epoch} ${rv}`),
  );
  rising(`history of ${resource}`, rows);
  return rows;
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
  readonly source: { readonly uid: string; readonly resourceVersion: string };
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

function sameSet(what: string, actual: readonly string[], expected: readonly string[]): void {
  assert.equal(differenceOf(actual, expected), '', `${what} differs from what the API server emitted`);
}

/** '' when both hold the same; else what is missing and what is too much. */
function differenceOf(actual: readonly string[], expected: readonly string[]): string {
  const [is, shall] = [new Set(actual), new Set(expected)];
  const missing = expected.filter((one) => !is.has(one));
  const extra = actual.filter((one) => !shall.has(one));
  if (missing.length + extra.length === 0) return '';
  return `missing ${missing.length}: ${missing.slice(0, 3).join(', ')}; too much ${extra.length}: ${extra.slice(0, 3).join(', ')}`;
}

function once(what: string, keys: readonly string[]): void {
  const seen = new Set<string>();
  const twice = keys.filter((key) => seen.has(key) || (seen.add(key), false));
  assert.deepEqual(twice, [], `${what} holds something twice`);
}

function rising(what: string, changes: readonly { readonly uid: string; readonly rv: string }[]): void {
  const last = new Map<string, bigint>();
  for (const { uid, rv } of changes) {
    const [before, now] = [last.get(uid), BigInt(rv)];
    assert.ok(before === undefined || now > before, `${what}: ${uid} goes from ${before} to ${rv}`);
    last.set(uid, now);
  }
}
