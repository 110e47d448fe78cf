import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isCode, KubetapeError } from '../../src/events/errors.ts';
import { checkSchema, migrate, migrations, type Migration } from '../../src/postgres/migrate.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { DEFAULT_TABLES, tableFor } from '../../src/columns/columns.ts';
import { freshDatabase } from './database.ts';

const LATEST = migrations().at(-1)?.version ?? 0;

const extra = (version: number, sql: string): Migration => ({ version, name: 'test', sql, checksum: `of ${sql}` });
const failsWith = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof KubetapeError && error.code === code && words.test(`${error.message} ${error.hint}`);

test('M1 idempotent: the second time there is nothing to do', async () => {
  const { database } = await freshDatabase({ schema: false });
  await assert.rejects(checkSchema(database), failsWith('SCHEMA_MISSING', /kubetape migrate/));
  assert.deepEqual(await migrate(database), migrations());
  assert.deepEqual(await migrate(database), []);
  assert.deepEqual(await checkSchema(database), { applied: LATEST, known: LATEST });
});

test('M2 one at a time: of several at once, each migration is the work of one', async () => {
  const { connect } = await freshDatabase({ schema: false });
  const done = await Promise.all(Array.from({ length: 4 }, () => migrate(connect())));
  assert.deepEqual(
    done
      .flat()
      .map(({ version }) => version)
      .toSorted((a, b) => a - b),
    migrations().map(({ version }) => version),
  );
});

test('M2 one at a time: tables of a resource, from several workers at once', async () => {
  const { database, connect } = await freshDatabase();
  const workers = Array.from({ length: 4 }, () => new PostgresStore(connect()));
  await Promise.all(workers.flatMap((store) => DEFAULT_TABLES.map((table) => store.ensureTable(table))));
  const rows = await database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'k8s.pods_history'::regclass",
  );
  assert.equal(rows[0]?.n, 6, 'yesterday, today, three days ahead, and the default');
  const resources = await database.query<{ resource: string }>('SELECT resource FROM k8s.resources ORDER BY resource');
  assert.deepEqual(
    resources.map(({ resource }) => resource),
    DEFAULT_TABLES.map(({ resource }) => resource).toSorted(),
  );
});

test('M3 forward: a newer schema, and one made by other files, are left alone', async () => {
  const { database } = await freshDatabase();
  const newer = extra(9000, 'CREATE TABLE k8s.of_the_future ()');
  await migrate(database, [...migrations(), newer]);
  await assert.rejects(migrate(database), failsWith('SCHEMA_NEWER', new RegExp(`version 9000.*knows ${LATEST}.*upgrade`, 's')));
  await assert.rejects(checkSchema(database), failsWith('SCHEMA_NEWER', /9000/));
  await assert.rejects(
    migrate(database, [...migrations(), { ...newer, checksum: 'of something else' }]),
    failsWith('POSTGRES_FAILED', /another text/),
  );
});

test('a migration that fails leaves nothing behind, and the next attempt goes on from there', async () => {
  const { database } = await freshDatabase();
  await assert.rejects(migrate(database, [...migrations(), extra(9000, 'CREATE TABLE k8s.half (); SELECT 1 / 0')]));
  const [row] = await database.query<{ half: string | null }>("SELECT to_regclass('k8s.half') AS half");
  assert.equal(row?.half, null);
  assert.equal((await migrate(database, [...migrations(), extra(9000, 'CREATE TABLE k8s.half ()')])).length, 1);
});

test('without the right to create: one message that says who needs what; in a schema of its own it needs nothing more', async () => {
  const { database, connect, name } = await freshDatabase({ schema: false });
  const role = `${name}_limited`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret-canary'`);
  after(() => database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`).catch(() => undefined));
  const limited = connect((url) => {
    url.username = role;
    url.password = 'secret-canary';
  });
  await assert.rejects(migrate(limited), (error) => {
    assert.ok(isCode(error, 'POSTGRES_UNAUTHORIZED'));
    assert.match(error.message, new RegExp(`${role}.* may not create`));
    assert.match(error.hint, /GRANT CREATE ON DATABASE/);
    assert.doesNotMatch(`${error.message} ${error.hint} ${JSON.stringify(error.cause)}`, /secret-canary/);
    return true;
  });
  await database.query(`CREATE SCHEMA k8s AUTHORIZATION ${role}`);
  assert.equal((await migrate(limited)).length, migrations().length);
});

test('a worker that knows more columns adds them, one that knows fewer takes none away', async () => {
  const { database } = await freshDatabase();
  const [pods] = DEFAULT_TABLES;
  assert.ok(pods);
  const more = { ...pods, columns: [...pods.columns, { name: 'qos', type: 'text' as const, about: 'status.qosClass' }] };
  await new PostgresStore(database).ensureTable(pods);
  await new PostgresStore(database).ensureTable(more);
  await new PostgresStore(database).ensureTable(pods);
  const [row] = await database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM information_schema.columns WHERE table_schema = 'k8s' AND table_name = 'pods' AND column_name = 'qos'",
  );
  assert.equal(row?.n, 1);
  const [known] = await database.query<{ n: number }>("SELECT jsonb_array_length(columns) AS n FROM k8s.resources WHERE resource = 'pods'");
  assert.equal(known?.n, pods.columns.length + 1);
});

test('two resources that would like the same table have one each, and keep it', async () => {
  const { database } = await freshDatabase();
  const names = ['widgets.a-b.io', 'widgets.a.b.io', 'widgets.a.b.io.history'];
  const wanted = names.map((resource) => tableFor(resource, resource.slice('widgets.'.length), 'Widget'));
  assert.equal(wanted[0]?.table, wanted[1]?.table);
  const given: string[] = [];
  for (const table of wanted) given.push((await new PostgresStore(database).ensureTable(table)).table);
  assert.equal(given[0], 'widgets_a_b_io');
  assert.equal(new Set(given.flatMap((table) => [table, `${table}_history`])).size, 6, given.join(', '));
  const again: string[] = [];
  for (const table of wanted.toReversed()) again.push((await new PostgresStore(database).ensureTable(table)).table);
  assert.deepEqual(again.toReversed(), given);
});
