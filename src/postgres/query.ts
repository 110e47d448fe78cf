/**
 * Statements that a person writes, and what the schema has to offer. Nothing can be written: the transaction is read-only,
 * and of several statements none runs.
 */
import { KubetapeError } from '../events/errors.ts';
import { quoted } from './past-statements.ts';
import type { Client, Database } from './pool.ts';

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface TableFacts {
  readonly name: string;
  readonly kind: 'table' | 'view';
  /** Exact for all but large tables. */
  readonly rows: number | null;
  readonly exact: boolean;
  readonly about: string;
}

export interface ColumnFacts {
  readonly name: string;
  readonly type: string;
  readonly about: string;
}

const TIMEOUT = '60s';
/** Larger tables are counted by what Postgres' statistics say. */
const COUNTED_MAX = 100_000;

/** Type of bigint, which the driver leaves as text. */
const INT8 = 20;

/** @throws KubetapeError QUESTION_INVALID: what the server says of the statement; POSTGRES_* */
export async function runQuery(database: Database, text: string): Promise<Answer> {
  return database.with(async (client) => {
    await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = '${TIMEOUT}'; SET LOCAL search_path = k8s, public`);
    try {
      // Parameters, if only none, keep the server from taking several statements at once.
      const asked = { text, values: [], rowMode: 'array' as const, queryMode: 'extended' };
      const { fields, rows } = await client.query<unknown[]>(asked);
      const bigints = new Set(fields.flatMap(({ dataTypeID }, at) => (dataTypeID === INT8 ? [at] : [])));
      return {
        columns: fields.map(({ name }) => name),
        rows: bigints.size === 0 ? rows : rows.map((row) => row.map((value, at) => (bigints.has(at) ? exactNumber(value) : value))),
      };
    } catch (error) {
      const { severity, message, hint, code = '' } = error as { severity?: string; message?: string; hint?: string; code?: string };
      // The fault is in the statement, or it is not allowed: nothing that a migration or patience would mend.
      if (severity === undefined || !/^(42|22|25|0A|21|2F|57014)/.test(code)) throw error;
      throw new KubetapeError('QUESTION_INVALID', message ?? 'the statement is wrong', {
        hint: hint ?? '`kubetape query` lists the tables, `kubetape query TABLE --schema` its columns.',
      });
    } finally {
      await client.query('ROLLBACK').catch(() => undefined);
    }
  });
}

function exactNumber(value: unknown): unknown {
  return typeof value === 'string' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

export async function tablesOf(database: Database): Promise<TableFacts[]> {
  return database.with(async (client) => {
    const { rows } = await client.query<{ name: string; kind: string; estimate: number; about: string | null }>(
      `SELECT c.relname AS name, c.relkind AS kind, obj_description(c.oid, 'pg_class') AS about,
              CASE c.relkind WHEN 'p' THEN (SELECT sum(GREATEST(p.reltuples, 0)) FROM pg_partition_tree(c.oid) AS t JOIN pg_class AS p ON p.oid = t.relid AND t.isleaf)
                             ELSE GREATEST(c.reltuples, 0) END::float8 AS estimate
         FROM pg_class AS c
        WHERE c.relnamespace = 'k8s'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
        ORDER BY c.relname`,
    );
    const facts: TableFacts[] = [];
    for (const { name, kind, estimate, about } of rows) {
      const counted = kind !== 'v' && estimate <= COUNTED_MAX ? await countOf(client, name) : null;
      const known = kind === 'v' ? null : (counted ?? Math.round(estimate));
      facts.push({ name, kind: kind === 'v' ? 'view' : 'table', rows: known, exact: counted !== null, about: about ?? '' });
    }
    return facts;
  });
}

/** @returns null where there are more than one would wait for: the statistics may be behind */
async function countOf(client: Client, table: string): Promise<number | null> {
  const { rows } = await client.query<{ n: string }>(
    `SELECT count(*) AS n FROM (SELECT FROM k8s.${quoted(table)} LIMIT ${10 * COUNTED_MAX}) AS counted`,
  );
  const n = Number(rows[0]?.n ?? 0);
  return n < 10 * COUNTED_MAX ? n : null;
}

/** @returns none where there is no such table */
export async function columnsOf(database: Database, table: string): Promise<ColumnFacts[]> {
  return database.query<ColumnFacts>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, COALESCE(col_description(a.attrelid, a.attnum), '') AS about
       FROM pg_attribute AS a
      WHERE a.attrelid = to_regclass('k8s.' || quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [table],
  );
}

export function rowsOf(database: Database, table: string, limit: number): Promise<Answer> {
  return runQuery(database, `SELECT * FROM k8s.${quoted(table)} LIMIT ${Math.floor(limit)}`);
}
