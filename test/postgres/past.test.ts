import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { summarise } from '../../src/diff/summary.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { DEFAULT_TABLES } from '../../src/columns/columns.ts';
import { changesIn, RECORDED } from '../diff/fixtures.ts';
import type { FakeChange } from '../sinks/fakes.ts';
import { freshDatabase } from './database.ts';
import { DAY_MS, inDays, newUid, record } from './recording.ts';

const { database } = await freshDatabase();
for (const table of DEFAULT_TABLES) await new PostgresStore(database).ensureTable(table);

const isoOf = (ms: number): string => new Date(ms).toISOString();
const podOf = (uid: string, phase: string, more: object = {}): Record<string, unknown> => ({
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid },
  spec: { containers: [{ name: 'main', image: 'shop/web:v1' }] },
  status: { phase },
  ...more,
});

interface PodRow {
  readonly uid: string;
  readonly rv: number;
  readonly phase: string | null;
  readonly image: string | null;
  readonly deleted: boolean;
}
const podsAt = (t: string): Promise<PodRow[]> =>
  database.query<PodRow>(
    "SELECT uid, resource_version::int AS rv, phase, object #>> '{status,phase}' AS image, deleted_at IS NOT NULL AS deleted FROM k8s.pods_at($1) ORDER BY uid",
    [t],
  );

describe('the table as it was', () => {
  it('at any time: each object that was there, in the version that it then had, over days, holes between days and the default partition', async () => {
    const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    // Days: long past and far ahead have no partition; -20 and -8 have one each, with holes around them.
    const time = fc
      .tuple(fc.constantFrom(-400, -60, -20, -8, -7, -1, 0, 2, 50), fc.integer({ min: 0, max: DAY_MS - 1 }))
      .map(([day, ms]) => noon + day * DAY_MS + ms);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.record({ at: time, gone: fc.boolean() }), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
        fc.array(time, { minLength: 1, maxLength: 6 }),
        async (objects, moments) => {
          const histories = objects.map((versions) => {
            const uid = newUid();
            const sorted = versions.toSorted((a, b) => a.at - b.at).filter(({ at }, n, all) => at !== all[n - 1]?.at);
            return sorted.map(({ at, gone }, n) => ({ uid, rv: n + 1, at, gone }));
          });
          const all = histories.flat().toSorted((a, b) => a.at - b.at);
          await record(
            database,
            all.map(({ uid, rv, at, gone }): FakeChange => ({
              uid,
              resourceVersion: rv,
              op: gone ? 'd' : 'u',
              ts: isoOf(at),
              object: podOf(uid, `v${rv}`),
            })),
            3,
          );
          const mine = new Set(histories.map(([first]) => first?.uid));
          for (const moment of moments) {
            const expected = histories.flatMap((versions) => {
              const last = versions.findLast(({ at }) => at <= moment);
              if (last === undefined || last.gone) return [];
              return [{ uid: last.uid, rv: last.rv, phase: `v${last.rv}`, image: `v${last.rv}`, deleted: false }];
            });
            const found = (await podsAt(isoOf(moment))).filter(({ uid }) => mine.has(uid));
            assert.deepEqual(
              found,
              expected.toSorted((a, b) => a.uid.localeCompare(b.uid)),
            );
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('knows every version by the one before it, whatever the batches were', async () => {
    const [a, b] = [newUid(), newUid()];
    const changes: FakeChange[] = [a, b, a, a, b, a].map((uid, n) => ({
      uid,
      resourceVersion: n + 1,
      ts: isoOf(Date.now() - 60_000 + n * 1_000),
    }));
    await record(database, changes, 2);
    await record(database, [...changes, { uid: a, resourceVersion: 9, ts: inDays(0) }]);
    const rows = await database.query<{ uid: string; rv: number; right: boolean }>(
      `SELECT uid, resource_version::int AS rv, previous_at IS NOT DISTINCT FROM lag(changed_at) OVER (PARTITION BY uid ORDER BY resource_version) AS right
         FROM k8s.pods_history WHERE uid IN ($1, $2) ORDER BY uid, resource_version`,
      [a, b],
    );
    assert.deepEqual(
      rows.map(({ uid, rv, right }) => `${uid === a ? 'a' : 'b'}${rv} ${right}`),
      ['a1 true', 'a3 true', 'a4 true', 'a6 true', 'a9 true', 'b2 true', 'b5 true'],
    );
  });

  it('of every resource in one', async () => {
    const [pod, map] = [newUid(), newUid()];
    const ts = inDays(-0.5);
    await record(database, [{ uid: pod, resourceVersion: 1, ts }]);
    await record(database, [{ uid: map, resourceVersion: 2, ts, object: { kind: 'ConfigMap' } }], 1, 'configmaps');
    await record(database, [{ uid: pod, resourceVersion: 3, op: 'd', ts: inDays(0) }]);
    const then = await database.query<{ resource: string; rv: number }>(
      'SELECT resource, resource_version::int AS rv FROM k8s.objects_at($1) WHERE uid IN ($2, $3) ORDER BY resource',
      [inDays(-0.25), pod, map],
    );
    assert.deepEqual(then, [
      { resource: 'configmaps', rv: 2 },
      { resource: 'pods', rv: 1 },
    ]);
    const now = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.objects_at(now()) WHERE uid IN ($1, $2)', [
      pod,
      map,
    ]);
    assert.deepEqual(now, [{ n: 1 }]);
  });

  it('has the columns that a later version of kubetape adds', async () => {
    const { database: other } = await freshDatabase();
    const [pods] = DEFAULT_TABLES;
    assert.ok(pods);
    await new PostgresStore(other).ensureTable({ ...pods, columns: [] });
    await new PostgresStore(other).ensureTable(pods);
    await record(other, [
      { resourceVersion: 1, ts: inDays(-2), object: podOf('', 'Pending') },
      { resourceVersion: 2, ts: inDays(-1), object: podOf('', 'Running') },
    ]);
    const rows = await other.query<object>('SELECT phase, images FROM k8s.pods_at($1)', [inDays(-1.5)]);
    assert.deepEqual(rows, [{ phase: 'Pending', images: ['shop/web:v1'] }]);
  });
});

describe('all changes', () => {
  it('newest first, of every resource, deleted objects and new resources too, each with its summary', async () => {
    const { database: mine } = await freshDatabase();
    assert.deepEqual(await mine.query('SELECT * FROM k8s.changes'), []);
    const uid = newUid();
    const scaled = (replicas: number): Record<string, unknown> => ({ kind: 'Deployment', metadata: { uid }, spec: { replicas } });
    const at = (seconds: number): string => isoOf(Date.now() - 600_000 + seconds * 1_000);
    await record(mine, [{ uid, resourceVersion: 1, op: 'c', ts: at(1), object: scaled(3) }], 1, 'deployments');
    await record(mine, [{ resourceVersion: 2, op: 'r', ts: at(2) }], 1, 'widgets.example.org');
    await record(mine, [{ uid, resourceVersion: 3, ts: at(3), object: scaled(5) }], 1, 'deployments');
    await record(mine, [{ uid, resourceVersion: 4, op: 'd', synthetic: true, ts: at(4), object: scaled(5) }], 1, 'deployments');
    const rows = await mine.query<{ line: string }>(
      "SELECT resource || ' ' || op || ' ' || summary AS line FROM k8s.changes WHERE changed_at > now() - interval '15 minutes' LIMIT 10",
    );
    assert.deepEqual(
      rows.map(({ line }) => line),
      ['deployments d deleted', 'deployments u replicas 3 → 5', 'widgets.example.org r first seen', 'deployments c created'],
    );
  });

  it('are empty in SQL if and only if they are in the full summary, for all recorded objects', async () => {
    let told = 0;
    for (const resource of RECORDED) {
      for (const { version, before, after } of changesIn(resource)) {
        if (before === null || after === null) continue;
        const [row] = await database.query<{ summary: string }>(`SELECT k8s.summary('u'::"char", $1, $2) AS summary`, [
          JSON.stringify(before),
          JSON.stringify(after),
        ]);
        const full = summarise(before, after);
        assert.equal(row?.summary === '', full === '', `${resource}/${version.name}, ${version.step}: "${row?.summary}", "${full}"`);
        assert.ok((row?.summary.length ?? 0) <= 240);
        told += full === '' ? 0 : 1;
      }
    }
    assert.ok(told > 50, `only ${told} changes`);
  });
});

describe('the difference of two versions', () => {
  const diff = async (before: unknown, after: unknown): Promise<string[]> => {
    const rows = await database.query<{ path: string; before: unknown; after: unknown }>('SELECT * FROM k8s.diff($1::jsonb, $2::jsonb)', [
      JSON.stringify(before),
      JSON.stringify(after),
    ]);
    return rows.map(({ path, before: was, after: is }) => `${path}: ${JSON.stringify(was)} → ${JSON.stringify(is)}`);
  };

  it('goes by what identifies the elements of a list, leaves noise out and masks what is redacted', async () => {
    const value = (hmac: string): object => ({ redacted: true, bytes: 8, hmac });
    assert.deepEqual(
      await diff(
        {
          metadata: { resourceVersion: '1', labels: { 'app.kubernetes.io/name': 'web' } },
          data: { password: value('a'), old: value('b') },
          spec: {
            containers: [
              { name: 'main', image: 'v1' },
              { name: 'proxy', image: 'p' },
            ],
            finalizers: ['a', 'b'],
          },
        },
        {
          metadata: { resourceVersion: '2', labels: { 'app.kubernetes.io/name': 'api' } },
          data: { password: value('c'), new: value('d') },
          spec: {
            containers: [
              { name: 'proxy', image: 'p' },
              { name: 'main', image: 'v2' },
            ],
            finalizers: ['b'],
          },
        },
      ),
      [
        'data.new: null → "*** (after)"',
        'data.old: "*** (before)" → null',
        'data.password: "*** (before)" → "*** (after)"',
        'metadata.labels["app.kubernetes.io/name"]: "web" → "api"',
        'spec.containers[main].image: "v1" → "v2"',
        'spec.finalizers[a]: "a" → null',
      ],
    );
  });

  it('of two recorded versions, by uid; up to the newest one; and says what there is when one is missing', async () => {
    const uid = newUid();
    await record(
      database,
      ['Pending', 'Running', 'Failed'].map((phase, n) => ({ uid, resourceVersion: 10 + n, ts: inDays(n - 2), object: podOf(uid, phase) })),
    );
    const rows = (from: number, to?: number): Promise<object[]> =>
      database.query(
        `SELECT * FROM k8s.diff($1::uuid, $2${to === undefined ? '' : ', $3'})`,
        to === undefined ? [uid, from] : [uid, from, to],
      );
    assert.deepEqual(await rows(10, 11), [{ path: 'status.phase', before: 'Pending', after: 'Running' }]);
    assert.deepEqual(await rows(10), [{ path: 'status.phase', before: 'Pending', after: 'Failed' }]);
    assert.deepEqual(await rows(11, 11), []);
    await assert.rejects(rows(10, 99), /no version 99/);
    await assert.rejects(rows(9), /no version 9 /);
    await assert.rejects(database.query('SELECT * FROM k8s.diff($1::uuid, 1)', [newUid()]), /nothing was recorded/);
  });

  it('of any two values: none exactly when they are equal, and total', async () => {
    const json = fc.jsonValue({ maxDepth: 4, stringUnit: fc.constantFrom('a', 'b', '[', '"', '.', 'é') });
    await fc.assert(
      fc.asyncProperty(json, json, async (a, b) => {
        const [row] = await database.query<{ n: number; same: boolean; line: string | null }>(
          'SELECT count(*)::int AS n, $1::jsonb = $2::jsonb AS same, k8s.summary(\'u\'::"char", $1::jsonb, $2::jsonb) AS line FROM k8s.diff($1::jsonb, $2::jsonb)',
          [JSON.stringify(a), JSON.stringify(b)],
        );
        assert.equal(row?.n === 0, row?.same);
      }),
      { numRuns: 200 },
    );
  });
});
