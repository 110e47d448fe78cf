/**
 * The schema: plain numbered SQL files, each applied once, under an advisory lock.
 * Invariants (test/postgres/migrate.test.ts):
 *   M1 idempotent  migrating again changes nothing
 *   M2 one at a time  of two at once the second waits and finds nothing to do
 *   M3 forward     a schema newer than this program is left alone, and so is one made by other files
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isCode, KubetapeError } from '../events/errors.ts';
import { storeError } from './errors.ts';
import { NO_LIMIT_MS, type Client, type Database } from './pool.ts';

/** In the published package the sources are in dist/, the SQL stays in src/. */
const FOLDERS = ['sql', '../../src/postgres/sql', '../../../src/postgres/sql'].map((folder) => path.join(import.meta.dirname, folder));

/** Any number that no other program takes for its own locks. */
const LOCK = '7743264741234402405';

const SCHEMA_GRANTS = 'GRANT CREATE ON DATABASE … TO …, or let its owner run: CREATE SCHEMA k8s AUTHORIZATION …';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

export function migrations(): Migration[] {
  const folder = FOLDERS.find((candidate) => existsSync(candidate));
  if (folder === undefined) throw new KubetapeError('INTERNAL', `the SQL of the schema is not where it should be: ${FOLDERS.join(', ')}`);
  return readdirSync(folder)
    .filter((file) => /^\d{4}_.*\.sql$/.test(file))
    .toSorted()
    .map((file) => {
      // A checkout may have changed the line ends.
      const sql = readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n');
      return { version: Number(file.slice(0, 4)), name: file.slice(5, -4), sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

interface Applied {
  readonly version: number;
  readonly checksum: string;
}

/**
 * @param known what this program brings; another list is for tests
 * @returns the migrations that were applied now
 * @throws KubetapeError SCHEMA_NEWER, POSTGRES_UNAUTHORIZED (may not create), POSTGRES_FAILED (an applied file changed)
 */
export async function migrate(database: Database, known: readonly Migration[] = migrations()): Promise<Migration[]> {
  return database.with(async (client) => {
    const done: Migration[] = [];
    for (;;) {
      const next = await applyNext(client, known, database.where);
      if (next === null) return done;
      done.push(next);
    }
  });
}

/** One migration, one transaction: the lock ends with it, and a pooler in between may give each its own connection. */
async function applyNext(client: Client, known: readonly Migration[], where: string): Promise<Migration | null> {
  const run = (text: string, values: readonly unknown[] = []): Promise<unknown> =>
    client.query({ text, values: [...values], query_timeout: NO_LIMIT_MS } as never);
  await run('BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
  await run(`SELECT pg_advisory_xact_lock(${LOCK})`);
  try {
    await ensureLedger(client);
    const { rows: applied } = await client.query<Applied>('SELECT version, checksum FROM k8s.schema_migrations ORDER BY version');
    compare(known, applied);
    const next = known.find(({ version }) => !applied.some((one) => one.version === version)) ?? null;
    if (next !== null) {
      await run(next.sql);
      await run('INSERT INTO k8s.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
        next.version,
        next.name,
        next.checksum,
      ]);
    }
    await run('COMMIT');
    return next;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    const failure = storeError(error, where);
    throw isCode(failure, 'POSTGRES_UNAUTHORIZED') ? await forbidden(client, failure) : failure;
  }
}

/** Looks first: IF NOT EXISTS asks for the right to create even where there is nothing to create. */
async function ensureLedger(client: Client): Promise<void> {
  const { rows } = await client.query<{ schema: boolean; ledger: boolean }>(
    "SELECT to_regnamespace('k8s') IS NOT NULL AS schema, to_regclass('k8s.schema_migrations') IS NOT NULL AS ledger",
  );
  if (rows[0]?.schema !== true) await client.query("CREATE SCHEMA k8s; COMMENT ON SCHEMA k8s IS 'Kubernetes, recorded by kubetape'");
  if (rows[0]?.ledger === true) return;
  await client.query(
    'CREATE TABLE k8s.schema_migrations (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
}

async function forbidden(client: Client, failure: KubetapeError): Promise<KubetapeError> {
  const { rows } = await client.query<{ who: string; db: string }>('SELECT current_user AS who, current_database() AS db');
  const { who = 'this user', db = 'the database' } = rows[0] ?? {};
  return new KubetapeError(
    'POSTGRES_UNAUTHORIZED',
    `the user ${who} may not create the schema k8s and its tables in ${db}: ${failure.message}`,
    {
      cause: failure.cause,
      hint: SCHEMA_GRANTS.replace('…', `"${db}"`).replaceAll('…', `"${who}"`),
    },
  );
}

export interface SchemaStatus {
  readonly applied: number;
  readonly known: number;
}

/** @throws KubetapeError SCHEMA_MISSING (never migrated, or behind this binary), SCHEMA_NEWER */
export async function checkSchema(database: Database): Promise<SchemaStatus> {
  const known = migrations();
  const applied = await database.query<Applied>('SELECT version, checksum FROM k8s.schema_migrations ORDER BY version');
  compare(known, applied);
  const latest = applied.at(-1)?.version ?? 0;
  const wanted = known.at(-1)?.version ?? 0;
  if (latest < wanted) {
    throw new KubetapeError('SCHEMA_MISSING', `the schema of the database is at version ${latest}, this kubetape needs ${wanted}`);
  }
  return { applied: latest, known: wanted };
}

function compare(known: readonly Migration[], applied: readonly Applied[]): void {
  const latest = known.at(-1)?.version ?? 0;
  const newest = applied.at(-1)?.version ?? 0;
  if (newest > latest) {
    throw new KubetapeError('SCHEMA_NEWER', `the schema of the database is at version ${newest}, this kubetape knows ${latest}`);
  }
  for (const { version, checksum } of applied) {
    const here = known.find((one) => one.version === version);
    if (here !== undefined && here.checksum !== checksum) {
      throw new KubetapeError('POSTGRES_FAILED', `migration ${version} was applied with another text than this kubetape has`, {
        hint: 'The schema was made by a build that was never released. Drop schema k8s and migrate again: the sinks fill it from Kafka.',
      });
    }
  }
}
