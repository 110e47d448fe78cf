/**
 * The schema: plain numbered SQL files, each applied once, under an advisory lock. Two at once are safe: the second
 * waits and finds nothing to do.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { KubetapeError } from '../events/errors.ts';
import type { Client, Database } from './pool.ts';

/** In the published package the sources are in dist/, the SQL stays in src/. */
const FOLDER =
  [path.join(import.meta.dirname, 'sql'), path.join(import.meta.dirname, '..', '..', 'src', 'postgres', 'sql')].find(existsSync) ?? '';

/** Any number that no other program takes for its own locks: "kubetape" in ASCII. */
const LOCK = '7743264741234402405';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

export function migrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((file) => /^\d{4}_.*\.sql$/.test(file))
    .toSorted()
    .map((file) => {
      const sql = readFileSync(path.join(FOLDER, file), 'utf8');
      return { version: Number(file.slice(0, 4)), name: file.slice(5, -4), sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

interface Applied {
  readonly version: number;
  readonly checksum: string;
}

/**
 * @returns the migrations that were applied now
 * @throws KubetapeError SCHEMA_NEWER, POSTGRES_UNAUTHORIZED (may not create), POSTGRES_FAILED (an applied file changed)
 */
export async function migrate(database: Database): Promise<Migration[]> {
  return database.with(async (client) => {
    await client.query(`SELECT pg_advisory_lock(${LOCK})`);
    try {
      await client.query('CREATE SCHEMA IF NOT EXISTS k8s');
      await client.query(
        'CREATE TABLE IF NOT EXISTS k8s.schema_migrations (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
      );
      const known = migrations();
      const applied = await appliedMigrations(client);
      compare(known, applied);
      const todo = known.filter(({ version }) => !applied.some((one) => one.version === version));
      for (const migration of todo) await apply(client, migration);
      return todo;
    } finally {
      await client.query(`SELECT pg_advisory_unlock(${LOCK})`).catch(() => undefined);
    }
  });
}

async function apply(client: Client, { version, name, checksum, sql }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query('INSERT INTO k8s.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [version, name, checksum]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
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

async function appliedMigrations(client: Client): Promise<Applied[]> {
  const { rows } = await client.query<Applied>('SELECT version, checksum FROM k8s.schema_migrations ORDER BY version');
  return rows;
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
