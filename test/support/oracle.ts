/**
 * The comparison: what the API server emitted (recorder), what the topics hold, what the history and the present hold.
 * Outside recorded gaps all of it must be equal.
 */
import assert from 'node:assert/strict';
import { tableOf } from '../../src/events/resource.ts';
import type { Kube } from './kube.ts';
import { until } from './kube.ts';
import type { Installation } from './kubetape.ts';
import type { Recorder } from './recorder.ts';

export interface Verdict {
  readonly resource: string;
  readonly changes: number;
}

const OPS = { ADDED: 'c', MODIFIED: 'u', DELETED: 'd' } as const;

/** Every change after the recorder's start: once, in order, in topic and history; and the present equals a LIST. */
export async function compare(installation: Installation, kube: Kube, recorder: Recorder): Promise<Verdict> {
  const { resource } = recorder;
  const after = BigInt(recorder.from);
  const expected = () =>
    recorder.events
      .filter(({ type }) => !(resource === 'events' && type === 'DELETED'))
      .map(({ uid, resourceVersion, type }) => `${uid} ${resourceVersion} ${OPS[type]}`);

  // It is at rest once nothing has been emitted for a moment and the history has as much.
  const table = tableOf(resource);
  const history = async () =>
    installation.query<{ uid: string; rv: string; op: string; part: number; off: string; epoch: number }>(
      `SELECT uid, resource_version::text AS rv, op::text AS op, kafka_partition AS part, kafka_offset::text AS off, epoch FROM k8s.${table}_history WHERE cluster = $1 ORDER BY kafka_partition, kafka_offset`,
      [installation.cluster],
    );
  const recent = (rows: Awaited<ReturnType<typeof history>>) => rows.filter(({ rv }) => BigInt(rv) > after);
  await until(`the history of ${resource}`, async () => recent(await history()).length >= expected().length, 60_000).catch(() => undefined);

  const rows = await history();
  sameSet(
    `history of ${resource}`,
    recent(rows).map(({ uid, rv, op }) => `${uid} ${rv} ${op}`),
    expected(),
  );
  once(
    `history of ${resource}`,
    rows.map(({ uid, rv, epoch }) => `${uid} ${epoch} ${rv}`),
  );
  rising(
    `history of ${resource}`,
    rows.map(({ uid, rv }) => ({ uid, rv: BigInt(rv) })),
  );

  const records = (await installation.read([installation.topic(resource)]))
    .filter(({ value }) => value !== null)
    .map(({ value }) => JSON.parse(value?.toString() ?? '') as TopicRecord);
  const changes = records.map(({ op, source }) => ({ uid: source.uid, rv: BigInt(source.resourceVersion), op }));
  sameSet(
    `topic of ${resource}`,
    changes.filter(({ rv }) => rv > after).map(({ uid, rv, op }) => `${uid} ${rv} ${op}`),
    expected(),
  );
  once(
    `topic of ${resource}`,
    changes.map(({ uid, rv }) => `${uid} ${rv}`),
  );
  rising(`topic of ${resource}`, changes);

  await comparePresent(installation, kube, resource);
  return { resource, changes: expected().length };
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
  const missing = expected.filter((one) => !new Set(actual).has(one));
  const extra = actual.filter((one) => !new Set(expected).has(one));
  if (missing.length + extra.length === 0) return '';
  return `missing ${missing.length}: ${missing.slice(0, 3).join(', ')}; too much ${extra.length}: ${extra.slice(0, 3).join(', ')}`;
}

function once(what: string, keys: readonly string[]): void {
  const seen = new Set<string>();
  const twice = keys.filter((key) => seen.has(key) || (seen.add(key), false));
  assert.deepEqual(twice, [], `${what} holds something twice`);
}

function rising(what: string, changes: readonly { readonly uid: string; readonly rv: bigint }[]): void {
  const last = new Map<string, bigint>();
  for (const { uid, rv } of changes) {
    const before = last.get(uid);
    assert.ok(before === undefined || rv > before, `${what}: ${uid} goes from ${before} to ${rv}`);
    last.set(uid, rv);
  }
}
