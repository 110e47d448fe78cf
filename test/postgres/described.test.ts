import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { isCode } from '../../src/events/errors.ts';
import type { Database } from '../../src/postgres/pool.ts';
import { ensureReader } from '../../src/postgres/reader.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { DEFAULT_TABLES } from '../../src/columns/columns.ts';
import { freshDatabase } from './database.ts';
import { inDays, record } from './recording.ts';

const { database, connect, name } = await freshDatabase();
let logins = 0;
for (const table of DEFAULT_TABLES) await new PostgresStore(database).ensureTable(table);
await record(database, [{ resourceVersion: 1, ts: inDays(0) }], 1, 'certificates.cert-manager.io');

describe('comments', () => {
  it('tell of every table, view and column what it holds, of those that are made later too', async () => {
    const rows = await database.query<{ what: string; about: string | null }>(
      `SELECT c.relname AS what, obj_description(c.oid, 'pg_class') AS about FROM pg_class AS c
        WHERE c.relnamespace = 'k8s'::regnamespace AND c.relkind IN ('r', 'p', 'v')
       UNION ALL
       SELECT c.relname || '.' || a.attname, col_description(c.oid, a.attnum) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'k8s'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped`,
    );
    assert.ok(
      rows.some(({ what }) => what === 'certificates_cert_manager_io_history.object') &&
        rows.some(({ what }) => what === 'changes.summary'),
    );
    assert.ok(rows.length > 250);
    assert.deepEqual(
      rows.filter(({ about }) => about === null || about.length < 4).map(({ what }) => what),
      [],
    );
  });

  it('tell what the functions for people do', async () => {
    const rows = await database.query<{ f: string }>(
      `SELECT p.oid::regprocedure::text AS f FROM pg_proc AS p
        WHERE pronamespace = 'k8s'::regnamespace AND (proname LIKE '%\\_at' OR proname IN ('diff', 'summary', 'coverage')) AND proname <> 'create_at'
          AND obj_description(p.oid, 'pg_proc') IS NULL`,
    );
    assert.deepEqual(rows, []);
  });
});

describe('the role kubetape_reader', () => {
  it('reads everything, what is made later too, and changes nothing', async () => {
    await ensureReader(database);
    assert.deepEqual(await ensureReader(database), { kind: 'there' });
    await record(database, [{ resourceVersion: 1, ts: inDays(-9) }], 1, 'widgets.example.org');
    const reader = await loginWith('GRANT kubetape_reader TO');
    await reader.query('SELECT * FROM k8s.changes');
    await reader.query('SELECT * FROM k8s.widgets_example_org_history');
    await reader.query('SELECT * FROM k8s.objects_at(now())');
    await reader.query("SELECT * FROM k8s.pods_at(now() - interval '1 day')");
    await reader.query('SELECT * FROM k8s.gaps, k8s.watches, k8s.coverage(), k8s.dead_letters, k8s.sink_offsets');
    for (const change of [
      'DELETE FROM k8s.pods',
      "INSERT INTO k8s.sink_offsets VALUES ('t', 0, 0)",
      'SELECT k8s.ensure_day($$pods$$, $$2020-01-01$$)',
      'SELECT k8s.drop_day($$pods$$, $$pods_history_default$$, now())',
      'CREATE TABLE k8s.mine ()',
    ])
      await assert.rejects(reader.query(change), (error) => isCode(error, 'POSTGRES_UNAUTHORIZED'), change);
  });

  it('is not made by who may not, who is told what to ask for', async () => {
    const stranger = await loginWith('GRANT CONNECT ON DATABASE %db TO');
    assert.deepEqual(await ensureReader(stranger), { kind: 'forbidden', sql: 'CREATE ROLE kubetape_reader NOLOGIN' });
  });
});

async function loginWith(grant: string): Promise<Database> {
  logins += 1;
  const role = `${name}_login${logins}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'not-a-secret'; ${grant.replace('%db', name)} ${role}`);
  after(() => database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`).catch(() => undefined));
  return connect((url) => {
    url.username = role;
    url.password = 'not-a-secret';
  });
}
