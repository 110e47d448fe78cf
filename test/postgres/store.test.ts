import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isCode, type KubetapeError } from '../../src/events/errors.ts';
import type { Database } from '../../src/postgres/pool.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { decodeBatch } from '../../src/sinks/batch.ts';
import type { Content, SourceRecord, StoreBatch } from '../../src/sinks/ports.ts';
import { changeValue, uidOf, type FakeChange } from '../sinks/fakes.ts';
import { freshDatabase } from './database.ts';

const { database, connect } = await freshDatabase();
const store = new PostgresStore(database);
let partitions = 0;

/** A partition of its own, whose position is 0. */
async function newPartition(topic = 'k8s-pods'): Promise<{ topic: string; partition: number }> {
  partitions += 1;
  const at = { topic, partition: partitions };
  await store.initialise({ ...at, nextOffset: 0, topicId: null });
  return at;
}

const CONTENT: Readonly<Record<string, Content>> = { 'event-stream': 'facts', 'kubetape-checkpoints': 'watches' };

function batchOf(at: { topic: string; partition: number }, from: number, values: readonly (Buffer | FakeChange)[]): StoreBatch {
  const records = values.map((value, index): SourceRecord => ({
    ...at,
    offset: from + index,
    key: Buffer.from(at.topic === 'kubetape-checkpoints' ? 'covered/pods/shop' : 'k'),
    value: Buffer.isBuffer(value) ? value : changeValue(value),
    timestampMs: 1_700_000_000_000,
    headers: { op: 'u' },
  }));
  return decodeBatch(CONTENT[at.topic] ?? 'changes', from, records).batch;
}

interface Present {
  readonly rv: number;
  readonly epoch: number;
  readonly deleted: boolean;
  readonly phase: string | null;
  readonly object: unknown;
}
const present = (of: Database, uid: string): Promise<Present[]> =>
  of.query<Present>(
    'SELECT resource_version::int AS rv, epoch, deleted_at IS NOT NULL AS deleted, phase, object FROM k8s.pods WHERE uid = $1',
    [uid],
  );
const history = async (of: Database, uid: string): Promise<string[]> => {
  const rows = await of.query<{ v: string }>(
    "SELECT op || epoch || '.' || resource_version || CASE WHEN object IS NULL THEN '-' ELSE '' END AS v FROM k8s.pods_history WHERE uid = $1 ORDER BY kafka_offset",
    [uid],
  );
  return rows.map(({ v }) => v);
};
let uids = 1_000;
const newUid = (): string => uidOf((uids += 1));
const offsetOf = async (at: { topic: string; partition: number }): Promise<number | undefined> => (await store.position(at))?.nextOffset;

test('S2 once: what is written again is a duplicate, what is new among it is written', async () => {
  const at = await newPartition();
  const uid = newUid();
  const versions = (from: number, to: number): FakeChange[] =>
    Array.from({ length: to - from }, (_, n) => ({ uid, resourceVersion: from + n }));
  assert.deepEqual(await store.write(batchOf(at, 0, versions(1, 101))), { inserted: 100 });
  assert.deepEqual(await store.write(batchOf(at, 100, versions(1, 151))), { inserted: 50 });
  assert.deepEqual(
    await history(database, uid),
    versions(1, 151).map(({ resourceVersion }) => `u1.${resourceVersion}`),
  );
  assert.equal((await present(database, uid))[0]?.rv, 150);
});

test('S2 once: the same version twice in a batch, and an older one behind a newer one', async () => {
  const at = await newPartition();
  const uid = newUid();
  const written = await store.write(
    batchOf(
      at,
      0,
      [5, 5, 4, 6, 5, 6].map((resourceVersion) => ({ uid: resourceVersion === 6 ? uid.toUpperCase() : uid, resourceVersion })),
    ),
  );
  assert.deepEqual(written, { inserted: 2 });
  assert.deepEqual(await history(database, uid), ['u1.5', 'u1.6']);
});

test('S2 once: any changes, in any batches, replayed from any point: the history is the rising ones, the present is the last', async () => {
  const change = fc.record({
    object: fc.integer({ min: 0, max: 2 }),
    resourceVersion: fc.integer({ min: 1, max: 12 }),
    epoch: fc.constantFrom(1, 2),
    kind: fc.constantFrom('u', 'd', 'synthetic'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 25 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
      fc.nat(25),
      async (changes, sizes, rewind) => {
        const at = await newPartition();
        const objects = [newUid(), newUid(), newUid()];
        const made = changes.map(({ object, resourceVersion, epoch, kind }): FakeChange => {
          const uid = objects[object] ?? '';
          const body = { kind: 'Pod', metadata: { uid }, status: { phase: `v${resourceVersion}` } };
          return { uid, resourceVersion, epoch, op: kind === 'u' ? 'u' : 'd', synthetic: kind === 'synthetic', object: body };
        });
        const again = [...made, ...made.slice(rewind)];
        let offset = 0;
        for (let turn = 0; offset < again.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          await store.write(batchOf(at, offset, again.slice(offset, offset + size)));
          offset = Math.min(again.length, offset + size);
        }
        for (const uid of objects) {
          const expected: FakeChange[] = [];
          for (const one of again.filter((other) => other.uid === uid)) {
            const last = expected.at(-1);
            const newer =
              last === undefined ||
              (one.epoch ?? 0) > (last.epoch ?? 0) ||
              (one.epoch === last.epoch && one.resourceVersion > last.resourceVersion);
            if (newer) expected.push(one);
          }
          assert.deepEqual(
            await history(database, uid),
            expected.map(({ op, epoch, resourceVersion, synthetic }) => `${op}${epoch}.${resourceVersion}${synthetic === true ? '-' : ''}`),
          );
          const [row] = await present(database, uid);
          const last = expected.at(-1);
          const seen = expected.findLast(({ synthetic }) => synthetic !== true);
          assert.deepEqual(
            row === undefined ? null : { rv: row.rv, deleted: row.deleted, phase: row.phase, object: row.object },
            last === undefined
              ? null
              : {
                  rv: last.resourceVersion,
                  deleted: last.op === 'd',
                  phase: seen === undefined ? null : `v${seen.resourceVersion}`,
                  object: seen?.object ?? null,
                },
          );
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('S2 once: a deletion keeps the last state; what comes later with a lower version changes nothing; what reappears is there again', async () => {
  const at = await newPartition();
  const uid = newUid();
  const object = { metadata: { uid }, status: { phase: 'Running' } };
  await store.write(
    batchOf(at, 0, [
      { uid, resourceVersion: 10, object },
      { uid, resourceVersion: 20, op: 'd', synthetic: true, object: { metadata: { uid } } },
    ]),
  );
  assert.deepEqual(await present(database, uid), [{ rv: 20, epoch: 1, deleted: true, phase: 'Running', object }]);
  await store.write(batchOf(at, 2, [{ uid, resourceVersion: 15 }]));
  assert.equal((await present(database, uid))[0]?.deleted, true);
  await store.write(batchOf(at, 3, [{ uid, resourceVersion: 30, op: 'c', object }]));
  assert.deepEqual(await present(database, uid), [{ rv: 30, epoch: 1, deleted: false, phase: 'Running', object }]);
  assert.deepEqual(await history(database, uid), ['u1.10', 'd1.20-', 'c1.30']);
});

test('S2 once: a name that was created again is another object', async () => {
  const at = await newPartition();
  const [before, now] = [newUid(), newUid()];
  await store.write(
    batchOf(at, 0, [
      { uid: before, resourceVersion: 1 },
      { uid: before, resourceVersion: 2, op: 'd' },
      { uid: now, resourceVersion: 3, op: 'c' },
    ]),
  );
  assert.equal((await present(database, before))[0]?.deleted, true);
  assert.equal((await present(database, now))[0]?.deleted, false);
});

test('S2 once: who empties the present and sets the position back has it again, and the history, over several days, as it was', async () => {
  const at = await newPartition();
  const [a, b] = [newUid(), newUid()];
  const changes = Array.from({ length: 12 }, (_, n): FakeChange => {
    const ts = new Date(Date.now() - (12 - n) * 86_400_000).toISOString();
    return { uid: n % 2 === 0 ? a : b, resourceVersion: n + 1, ts, op: n === 11 ? 'd' : 'u' };
  });
  await store.write(batchOf(at, 0, changes));
  const before = [await history(database, a), await history(database, b), await present(database, a), await present(database, b)];
  await database.query('DELETE FROM k8s.pods WHERE uid IN ($1, $2)', [a, b]);
  await database.query('UPDATE k8s.sink_offsets SET next_offset = 0 WHERE topic = $1 AND partition = $2', [at.topic, at.partition]);
  assert.deepEqual(await store.write(batchOf(at, 0, changes)), { inserted: 0 });
  assert.deepEqual(
    [await history(database, a), await history(database, b), await present(database, a), await present(database, b)],
    before,
  );
});

test('S3 fenced: an old position, and one of a partition that nobody began, write nothing', async () => {
  const at = await newPartition();
  const uid = newUid();
  await store.write(batchOf(at, 0, [{ uid, resourceVersion: 1 }]));
  await assert.rejects(store.write(batchOf(at, 0, [{ uid, resourceVersion: 2 }])), (error) => isCode(error, 'OFFSET_FENCED'));
  await assert.rejects(store.write(batchOf({ topic: 'k8s-pods', partition: 99_999 }, 0, [{ uid, resourceVersion: 2 }])), (error) =>
    isCode(error, 'OFFSET_FENCED'),
  );
  assert.deepEqual(await history(database, uid), ['u1.1']);
});

test('S3 fenced: of two workers at the same position one writes', async () => {
  const at = await newPartition();
  const uid = newUid();
  const workers = Array.from({ length: 4 }, () => new PostgresStore(connect()));
  const outcomes = await Promise.allSettled(workers.map((worker) => worker.write(batchOf(at, 0, [{ uid, resourceVersion: 1 }]))));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.ok(outcomes.every((one) => one.status === 'fulfilled' || isCode(one.reason, 'OFFSET_FENCED')));
  assert.deepEqual(await history(database, uid), ['u1.1']);
});

const canary = 'canary-5f1c';
const pod = (uid: string, more: object): Buffer => changeValue({ uid, resourceVersion: 7, object: { metadata: { uid }, ...more } });
const POISON: readonly (readonly [what: string, sqlstate: string, value: (uid: string) => Buffer])[] = [
  ['U+0000 in the object', '22P05', (uid) => pod(uid, { data: { a: `${canary}\0` } })],
  [
    'U+0000 in a column',
    '22021',
    (uid) => Buffer.from(pod(uid, {}).toString().replace('"namespace":"shop"', `"namespace":"${canary}\\u0000"`)),
  ],
  ['half a surrogate pair', '22P02', (uid) => pod(uid, { data: { a: `${canary}\uD800` } })],
  ['a number that numeric does not hold', '22003', (uid) => Buffer.from(pod(uid, { data: 12345 }).toString().replace('12345', '1e999999'))],
  [
    'JSON that is nested too deep',
    '54001',
    (uid) =>
      Buffer.from(
        pod(uid, { data: 12345 })
          .toString()
          .replace('12345', `${'['.repeat(60_000)}"${canary}"${']'.repeat(60_000)}`),
      ),
  ],
];
for (const [what, sqlstate, make] of POISON) {
  test(`S1 atomic: ${what} rejects the batch with ${sqlstate}, moves nothing, and is not quoted`, async () => {
    const at = await newPartition();
    const uid = newUid();
    const batch = batchOf(at, 0, [{ uid: newUid(), resourceVersion: 1 }, make(uid)]);
    assert.equal(batch.rows.length, 2);
    await assert.rejects(store.write(batch), (error) => {
      assert.ok(isCode(error, 'ROW_REJECTED'), String(error));
      assert.deepEqual(error.cause, { sqlstate });
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, new RegExp(canary));
      return true;
    });
    assert.equal(await offsetOf(at), 0);
  });
}

test('S1 atomic: an object of several MB is no poison; a string over the limit of jsonb is', async () => {
  const at = await newPartition();
  const uid = newUid();
  await store.write(batchOf(at, 0, [pod(uid, { data: { a: 'x'.repeat(6_000_000) } })]));
  const fields = Object.fromEntries(Array.from({ length: 3 }, (_, n) => [`f${n}`, 'y'.repeat(1_000)]));
  await store.write(batchOf(at, 1, [{ uid, resourceVersion: 8, object: fields }]));
  assert.equal(await offsetOf(at), 2);
});

test('S1 atomic: a version beyond 63 bits and a uid that is none never reach the database', async () => {
  const at = await newPartition();
  const batch = batchOf(at, 0, [
    { uid: 'calico-node-1', resourceVersion: 1 },
    { uid: newUid(), resourceVersion: '9223372036854775808' },
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
    { uid: newUid(), resourceVersion: 3 },
  ]);
  assert.equal(batch.rows.length, 1);
  assert.deepEqual(await store.write(batch), { inserted: 1 });
  const letters = await database.query<{ offset: number; code: string; value: Buffer }>(
    'SELECT "offset"::int, code, value FROM k8s.dead_letters WHERE partition = $1 ORDER BY "offset"',
    [at.partition],
  );
  assert.deepEqual(
    letters.map(({ offset, code }) => [offset, code]),
    [
      [0, 'RECORD_INVALID'],
      [1, 'RECORD_INVALID'],
      [2, 'RECORD_INVALID'],
    ],
  );
  assert.deepEqual(letters[2]?.value, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
});

test('S1 atomic: a dead letter takes any headers, once', async () => {
  const at = await newPartition();
  const record: SourceRecord = {
    ...at,
    offset: 0,
    key: null,
    value: Buffer.from([0, 255]),
    timestampMs: 5,
    headers: { 'a\0': 'b\0\\u0000"', c: '\uD800' },
  };
  const letter = { record, code: 'ROW_REJECTED', sqlstate: '22P05', message: 'no' };
  await store.write({ ...at, from: 0, to: 1, table: null, rows: [], facts: [], watches: [], deadLetters: [letter, letter] });
  const [row] = await database.query<{ n: number; headers: object }>(
    'SELECT count(*) OVER ()::int AS n, headers FROM k8s.dead_letters WHERE partition = $1',
    [at.partition],
  );
  assert.deepEqual(row, { n: 1, headers: { 'a\uFFFD': 'b\uFFFD\\u0000"', c: '\uFFFD' } });
});

test('facts: each once, and gaps are a view of them', async () => {
  const at = await newPartition('event-stream');
  const edge = (rv: string, ts: string) => ({ resourceVersion: rv, epoch: 1, ts });
  const detail = { cause: 'expired', from: edge('5', '2026-11-20T10:00:00Z'), to: edge('9', '2026-11-20T11:30:00Z') };
  const fact = { v: 1, type: 'coverage.gap', ts: '2026-11-20T11:30:00Z', cluster: 'c', resource: 'pods', namespace: '', name: '', detail };
  await store.write(
    batchOf(at, 0, [Buffer.from(JSON.stringify(fact)), Buffer.from(JSON.stringify({ ...fact, type: 'collector.started' }))]),
  );
  await database.query('UPDATE k8s.sink_offsets SET next_offset = 0 WHERE topic = $1 AND partition = $2', [at.topic, at.partition]);
  await store.write(batchOf(at, 0, [Buffer.from(JSON.stringify(fact))]));
  const gaps = await database.query<object>(
    'SELECT cause, extract(epoch FROM duration)::int AS seconds, from_resource_version AS f, to_resource_version AS t FROM k8s.gaps',
  );
  assert.deepEqual(gaps, [{ cause: 'expired', seconds: 5400, f: '5', t: '9' }]);
});

test('coverage: of each watch the newest checkpoint stands, and the share of a stretch of time that was seen follows', async () => {
  const at = await newPartition('kubetape-checkpoints');
  const gapsAt = await newPartition('event-stream');
  const checkpoint = (ts: string, resourceVersion: string, more: object = {}): Buffer =>
    Buffer.from(JSON.stringify({ v: 1, resourceVersion, epoch: 1, scope: '', ts, ...more }));
  const since = '2026-11-20T10:00:00Z';
  const written = batchOf(at, 0, [
    checkpoint('2026-11-20T10:00:00Z', '5'),
    checkpoint('2026-11-20T14:00:00Z', '90', { since, unwatchedMs: 3_600_000 }),
  ]);
  assert.deepEqual(
    written.watches.map(({ cluster, resource, namespace, resourceVersion }) => [cluster, resource, namespace, resourceVersion]),
    [['covered', 'pods', 'shop', '90']],
  );
  await store.write(written);
  await store.write(batchOf(at, 2, [checkpoint('2026-11-20T12:00:00Z', '40', { since, unwatchedMs: 0 })]));
  const edge = (ts: string) => ({ resourceVersion: '1', epoch: 1, ts });
  const detail = { cause: 'expired', from: edge('2026-11-20T11:00:00Z'), to: edge('2026-11-20T12:00:00Z') };
  const scope = { cluster: 'covered', resource: 'pods', namespace: 'shop', name: '' };
  await store.write(batchOf(gapsAt, 0, [Buffer.from(JSON.stringify({ v: 1, type: 'coverage.gap', ts: since, ...scope, detail }))]));
  const [watch] = await database.query<object>(
    `SELECT resource_version::int AS rv, since, seen_until, unwatched::text AS unwatched FROM k8s.watches WHERE cluster = 'covered'`,
  );
  assert.deepEqual(watch, { rv: 90, since: new Date(since), seen_until: new Date('2026-11-20T14:00:00Z'), unwatched: '01:00:00' });
  const coverage = (from: string, to: string): Promise<object[]> =>
    database.query(
      `SELECT gaps::int AS gaps, unwatched::text AS unwatched, round(share::numeric, 4)::text AS share, to_time
         FROM k8s.coverage($1, $2) WHERE cluster = 'covered'`,
      [from, to],
    );
  assert.deepEqual(await coverage('-infinity', 'infinity'), [
    { gaps: 1, unwatched: '01:00:00', share: '0.7500', to_time: new Date('2026-11-20T14:00:00Z') },
  ]);
  const half = { gaps: 1, unwatched: '00:30:00', share: '0.5000', to_time: new Date('2026-11-20T12:30:00Z') };
  assert.deepEqual(await coverage('2026-11-20T11:30:00Z', '2026-11-20T12:30:00Z'), [half]);
  const [whole] = await coverage('2026-11-20T12:00:00Z', 'infinity');
  assert.deepEqual(whole, { gaps: 0, unwatched: '00:00:00', share: '1.0000', to_time: new Date('2026-11-20T14:00:00Z') });
  assert.deepEqual(await coverage('2026-11-21T00:00:00Z', 'infinity'), [], 'of time that nobody has seen yet nothing is said');
});

test('a custom resource gets its tables when its first change comes', async () => {
  const at = await newPartition('k8s-certificates.cert-manager.io');
  await store.write(batchOf(at, 0, [{ uid: newUid(), resourceVersion: 1, resource: 'certificates.cert-manager.io' }]));
  const [row] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.certificates_cert_manager_io_history');
  assert.equal(row?.n, 1);
});

test('history: a day of the past gets its partition, one long past or far ahead goes to the default, and from there to its day', async () => {
  const at = await newPartition();
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const values = [-5, -400, 4, 400].map((days, n) =>
    Buffer.from(
      changeValue({ uid: newUid(), resourceVersion: n + 1 })
        .toString()
        .replace('2026-11-20T17:00:00.123Z', day(days)),
    ),
  );
  await store.write(batchOf(at, 0, values));
  const where = (): Promise<{ t: string }[]> =>
    database.query<{ t: string }>(
      'SELECT tableoid::regclass::text AS t FROM k8s.pods_history WHERE kafka_partition = $1 ORDER BY kafka_offset',
      [at.partition],
    );
  const name = (days: number): string => `k8s.pods_history_p${day(days).slice(0, 10).replaceAll('-', '')}`;
  assert.deepEqual(
    (await where()).map(({ t }) => t),
    [name(-5), 'k8s.pods_history_default', 'k8s.pods_history_default', 'k8s.pods_history_default'],
  );
  await database.query('SELECT k8s.ensure_day($1, $2)', ['pods', day(4).slice(0, 10)]);
  assert.equal((await where())[2]?.t, name(4));
});

test('history: a day whose partition somebody holds up does not hold up the write', async () => {
  const fresh = await freshDatabase();
  const mine = new PostgresStore(fresh.database);
  await mine.initialise({ topic: 'k8s-pods', partition: 0, nextOffset: 0, topicId: null });
  await mine.write(batchOf({ topic: 'k8s-pods', partition: 0 }, 0, [{ uid: newUid(), resourceVersion: 1 }]));
  const value = Buffer.from(
    changeValue({ uid: newUid(), resourceVersion: 2 })
      .toString()
      .replace('2026-11-20T17:00:00.123Z', new Date(Date.now() - 9 * 86_400_000).toISOString()),
  );
  await fresh.connect().with(async (reader) => {
    await reader.query('BEGIN');
    await reader.query('SELECT count(*) FROM k8s.pods_history');
    await mine.write(batchOf({ topic: 'k8s-pods', partition: 0 }, 1, [value]));
    await reader.query('COMMIT');
  });
  const [row] = await fresh.database.query<{ t: string }>(
    'SELECT tableoid::regclass::text AS t FROM k8s.pods_history WHERE kafka_offset = 1',
  );
  assert.equal(row?.t, 'k8s.pods_history_default');
});

test('a server that became read-only, and a schema that is gone: named as such, and over when they are', async () => {
  const fresh = await freshDatabase();
  const mine = new PostgresStore(fresh.database);
  const at = { topic: 'k8s-pods', partition: 0 };
  const batch = batchOf(at, 0, [{ uid: newUid(), resourceVersion: 1 }]);
  await mine.initialise({ ...at, nextOffset: 0, topicId: null });
  const admin = fresh.connect();
  const [row] = await admin.query<{ db: string }>('SELECT current_database() AS db');
  const db = row?.db ?? '';
  await mine.write({ ...batch, from: 0, to: 0, rows: [], deadLetters: [] });
  await admin.query(`ALTER DATABASE ${db} SET default_transaction_read_only = on`);
  await admin.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  const codes: string[] = [];
  for (let attempt = 0; attempt < 6 && !codes.includes('POSTGRES_READ_ONLY'); attempt += 1) {
    await mine.write(batch).catch((error: KubetapeError) => codes.push(error.code));
  }
  assert.ok(
    codes.includes('POSTGRES_READ_ONLY') && codes.every((code) => code === 'POSTGRES_READ_ONLY' || code === 'POSTGRES_UNREACHABLE'),
    codes.join(),
  );
  await admin.query(`ALTER DATABASE ${db} RESET default_transaction_read_only`);
  assert.deepEqual(await mine.write(batch), { inserted: 1 });
  await admin.query('DROP SCHEMA k8s CASCADE');
  await assert.rejects(mine.write(batch), (error) => isCode(error, 'SCHEMA_MISSING'));
});
