import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Database } from '../../src/postgres/pool.ts';
import { keptSince, retain, type Retention } from '../../src/postgres/retention.ts';
import type { FakeChange } from '../sinks/fakes.ts';
import { until } from '../support/kube.ts';
import { freshDatabase } from './database.ts';
import { DAY_MS, inDays, newUid, record } from './recording.ts';

const KEEP_MS = 5 * DAY_MS;

const lines = async (of: Database, text: string, values: readonly unknown[] = []): Promise<string[]> =>
  (await of.query<{ line: string }>(text, values)).map(({ line }) => line);

/** Every row of the table, and of its history: who, which version, where it lies. */
const everything = (of: Database): Promise<string[]> =>
  lines(
    of,
    `SELECT 'present ' || uid || ' ' || resource_version AS line FROM k8s.pods
     UNION ALL SELECT 'past ' || uid || ' ' || resource_version || ' ' || tableoid::regclass FROM k8s.pods_history ORDER BY 1`,
  );

const partitions = (of: Database): Promise<string[]> =>
  lines(
    of,
    "SELECT relname AS line FROM pg_class JOIN pg_inherits ON oid = inhrelid WHERE inhparent = 'k8s.pods_history'::regclass ORDER BY 1",
  );

const pods = (retention: Retention) => retention.tables.find(({ resource }) => resource === 'pods');

describe('retention', () => {
  it('R1 whole days: the day in which the kept time begins stays', () => {
    const noon = Date.parse('2026-11-21T12:00:00Z');
    assert.equal(new Date(keptSince(noon, KEEP_MS)).toISOString(), '2026-11-16T00:00:00.000Z');
    assert.equal(keptSince(Date.parse('2026-11-21T00:00:00Z'), KEEP_MS), Date.parse('2026-11-16T00:00:00Z'));
  });

  it('R1 whole days, R3 dry, R4 once more: old days are dropped, long deleted objects are purged, and nothing else goes', async () => {
    const { database } = await freshDatabase();
    const [alive, gone, goneLately] = [newUid(), newUid(), newUid()];
    await record(database, [
      { uid: alive, resourceVersion: 1, ts: inDays(-20) },
      { uid: gone, resourceVersion: 2, ts: inDays(-20) },
      { uid: goneLately, resourceVersion: 3, ts: inDays(-19) },
      { uid: alive, resourceVersion: 4, ts: inDays(-18) },
      { uid: gone, resourceVersion: 5, op: 'd', ts: inDays(-17) },
      { uid: goneLately, resourceVersion: 6, op: 'd', ts: inDays(-2) },
      { uid: alive, resourceVersion: 7, ts: inDays(-1) },
    ]);
    const before = await everything(database);
    const dry = await retain(database, KEEP_MS, Date.now(), true);
    assert.deepEqual(await everything(database), before);
    const went = await retain(database, KEEP_MS, Date.now());
    const days = [-20, -19, -18, -17].map((day) => inDays(day).slice(0, 10));
    assert.deepEqual(pods(dry), { resource: 'pods', days, busy: [], purged: 1, kept: null });
    assert.deepEqual(pods(went), { resource: 'pods', days, busy: [], purged: 1, kept: 2 });
    const day = (days: number): string => `k8s.pods_history_p${inDays(days).slice(0, 10).replaceAll('-', '')}`;
    const left = [
      `past ${alive} 4 k8s.pods_history_default`,
      `past ${alive} 7 ${day(-1)}`,
      `past ${goneLately} 3 k8s.pods_history_default`,
      `past ${goneLately} 6 ${day(-2)}`,
      `present ${alive} 7`,
      `present ${goneLately} 6`,
    ].toSorted();
    assert.deepEqual(await everything(database), left);
    assert.deepEqual(pods(await retain(database, KEEP_MS, Date.now())), { resource: 'pods', days: [], busy: [], purged: 0, kept: 0 });
    assert.deepEqual(await everything(database), left);
    // In ten days both are old; the one that lives has its last version still.
    await retain(database, KEEP_MS, Date.now() + 10 * DAY_MS);
    assert.deepEqual(
      (await everything(database)).map((line) => line.replace(/ k8s\..*/, '')),
      [`past ${alive} 7`, `present ${alive} 7`],
    );
  });

  it('R2 telling: every moment of the kept days is told as before, whatever was recorded', async () => {
    const { database } = await freshDatabase();
    const since = keptSince(Date.now(), KEEP_MS);
    const time = fc.integer({ min: since - 8 * DAY_MS, max: Date.now() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.record({ at: time, gone: fc.boolean() }), { minLength: 1, maxLength: 5, selector: ({ at }) => at }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fc.integer({ min: since, max: Date.now() }), { minLength: 1, maxLength: 4 }),
        async (objects, moments) => {
          const changes = objects
            .flatMap((versions) => {
              const uid = newUid();
              return versions.toSorted((a, b) => a.at - b.at).map((one, n) => ({ uid, rv: n + 1, ...one }));
            })
            .toSorted((a, b) => a.at - b.at)
            .map(({ uid, rv, at, gone }): FakeChange => ({
              uid,
              resourceVersion: rv,
              op: gone ? 'd' : 'u',
              ts: new Date(at).toISOString(),
            }));
          await record(database, changes);
          const told = async (): Promise<string[][]> =>
            Promise.all(
              moments.map((moment) =>
                lines(database, "SELECT uid || ' ' || resource_version AS line FROM k8s.pods_at($1) ORDER BY 1", [
                  new Date(moment).toISOString(),
                ]),
              ),
            );
          const before = await told();
          await retain(database, KEEP_MS, Date.now());
          assert.deepEqual(await told(), before);
        },
      ),
      { numRuns: 15 },
    );
    const [row] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.pods_history WHERE changed_at < $1', [
      new Date(since).toISOString(),
    ]);
    const [objects] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.pods');
    assert.ok((row?.n ?? 0) <= (objects?.n ?? 0), 'at most one old version of each object that is known');
  });

  it('R2 telling: the change after retention knows the version before it', async () => {
    const { database } = await freshDatabase();
    const uid = newUid();
    const at = (replicas: number): Record<string, unknown> => ({ kind: 'Deployment', spec: { replicas } });
    await record(database, [{ uid, resourceVersion: 1, ts: inDays(-20), object: at(3) }], 1, 'deployments');
    await retain(database, KEEP_MS, Date.now());
    await record(database, [{ uid, resourceVersion: 2, ts: inDays(0), object: at(5) }], 1, 'deployments');
    assert.deepEqual(await lines(database, 'SELECT summary AS line FROM k8s.changes LIMIT 1'), ['replicas 3 → 5']);
  });

  it('R1 whole days: Events go by their last change, facts by their time, gaps stay', async () => {
    const { database } = await freshDatabase();
    const event = { kind: 'Event', reason: 'BackOff' };
    await record(
      database,
      [-20, -1].map((days, n) => ({ uid: newUid(), resourceVersion: n + 1, ts: inDays(days), object: event })),
      1,
      'events',
    );
    await database.query(
      `INSERT INTO k8s.event_stream (cluster, resource, namespace, name, type, at, detail, kafka_topic, kafka_partition, kafka_offset)
       SELECT 'c', 'pods', '', '', type, $1::timestamptz, '{}', 'event-stream', 0, n FROM unnest($2::text[]) WITH ORDINALITY AS t (type, n)`,
      [inDays(-20), ['pod.failed', 'coverage.gap']],
    );
    const went = await retain(database, KEEP_MS, Date.now());
    assert.equal(went.facts, 1);
    assert.deepEqual(
      went.tables.map(({ resource, purged, kept }) => ({ resource, purged, kept })),
      [{ resource: 'events', purged: 1, kept: 0 }],
    );
    assert.deepEqual(await lines(database, 'SELECT type AS line FROM k8s.event_stream'), ['coverage.gap']);
    assert.deepEqual(await lines(database, 'SELECT resource_version::text AS line FROM k8s.events_history'), ['2']);
  });

  it('R4 once more: two at the same time, while a sink writes, are one', async () => {
    const { database, connect } = await freshDatabase();
    const uid = newUid();
    await record(
      database,
      Array.from({ length: 12 }, (_, n) => ({ uid, resourceVersion: n + 1, ts: inDays(n - 20) })),
    );
    let rv = 100;
    let writing = true;
    const writes = (async () => {
      while (writing) await record(connect(), [{ uid, resourceVersion: (rv += 1), ts: inDays(0) }]);
    })();
    const both = await Promise.all([retain(connect(), KEEP_MS, Date.now()), retain(connect(), KEEP_MS, Date.now())]);
    writing = false;
    await writes;
    assert.equal(both.flatMap(({ tables }) => tables).flatMap(({ days }) => days).length, 12);
    const rows = await lines(database, 'SELECT resource_version::text AS line FROM k8s.pods_history ORDER BY resource_version');
    assert.deepEqual(rows, ['12', ...Array.from({ length: rv - 100 }, (_, n) => String(101 + n))]);
  });

  it('R5 waits: who reads is not disturbed, and the day goes the next time', async () => {
    const { database, connect } = await freshDatabase();
    await record(database, [{ resourceVersion: 1, ts: inDays(-20) }]);
    let retaining: Promise<Retention> | null = null;
    await connect().with(async (reader) => {
      await reader.query('BEGIN');
      await reader.query('SELECT count(*) FROM k8s.pods_history');
      retaining = retain(database, KEEP_MS, Date.now());
      const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
      const other = connect();
      await until('retention to wait', async () => (await other.query(waiting)).length > 0);
      // What is written meanwhile waits for two seconds at most.
      await record(connect(), [{ resourceVersion: 2, ts: inDays(0) }]);
      assert.deepEqual(pods(await retaining)?.busy, [inDays(-20).slice(0, 10)]);
      await reader.query('COMMIT');
    });
    assert.equal((await partitions(database)).length, 7);
    assert.deepEqual(pods(await retain(database, KEEP_MS, Date.now()))?.days, [inDays(-20).slice(0, 10)]);
    assert.equal((await partitions(database)).length, 6);
  });
});
