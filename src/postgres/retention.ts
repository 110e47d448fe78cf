/**
 * Retention: the only thing that ever deletes. Whole days of the history are dropped as partitions, objects that were
 * deleted before the kept days are purged from the present, and old facts go; gaps stay.
 *   in    how long to keep, the time
 *   out   what went, per table
 * Invariants (test/postgres/retention.test.ts):
 *   R1 whole days  nothing goes that is younger than asked for; days (UTC) go as a whole
 *   R2 telling     any moment of the kept days can be told as before: the version that an object had when they begin stays
 *   R3 dry         a dry run changes nothing, and names the days and counts that a real one then has
 *   R4 once more   running it again, or twice at once, finds nothing left to do
 *   R5 waits       who reads or writes holds it up, not the other way round: after two seconds it lets them pass first
 */
import { isCode } from '../events/errors.ts';
import { sqlstateOf } from './errors.ts';
import { BEGIN, type Database } from './pool.ts';

export interface TableRetention {
  readonly resource: string;
  /** Days whose changes went: 2026-11-21. */
  readonly days: readonly string[];
  /** Days that somebody held up: the next time, then. */
  readonly busy: readonly string[];
  /** Objects that were purged from the present. */
  readonly purged: number;
  /** Versions that stay of the dropped days, for the state in which the kept days begin; null in a dry run. */
  readonly kept: number | null;
}

export interface Retention {
  /** Nothing of this moment or later went (ms since 1970). */
  readonly beforeMs: number;
  readonly tables: readonly TableRetention[];
  /** Rows of k8s.event_stream. */
  readonly facts: number;
}

const DAY_MS = 86_400_000;
const LOCK_TIMEOUT = '2s';
const ATTEMPTS = 5;
const PURGE_ROWS = 5_000;

/** Nobody says of an Event that it was deleted: its last change counts. */
const FORGOTTEN = 'events';

/** The day (UTC) on which the kept time begins: it stays as a whole. */
export function keptSince(nowMs: number, keepMs: number): number {
  return Math.floor((nowMs - keepMs) / DAY_MS) * DAY_MS;
}

interface Resource {
  readonly resource: string;
  readonly table: string;
}

/** @throws KubetapeError POSTGRES_*, SCHEMA_MISSING */
export async function retain(database: Database, keepMs: number, nowMs: number, dryRun = false): Promise<Retention> {
  const beforeMs = keptSince(nowMs, keepMs);
  const before = new Date(beforeMs).toISOString();
  const resources = await database.query<Resource>('SELECT resource, table_name AS "table" FROM k8s.resources ORDER BY resource');
  const tables: TableRetention[] = [];
  for (const one of resources) tables.push(await (dryRun ? wouldRetain : retainTable)(database, one, before));
  const facts = dryRun ? await count(database, `k8s.event_stream WHERE ${OLD_FACTS}`, before) : await deleteFacts(database, before);
  return { beforeMs, tables, facts };
}

async function retainTable(database: Database, { resource, table }: Resource, before: string): Promise<TableRetention> {
  const purged = await purge(database, resource, table, before);
  const days: string[] = [];
  const busy: string[] = [];
  let kept = 0;
  for (const { part, day } of await daysBefore(database, table, before)) {
    const stays = await patiently(database, 'SELECT k8s.drop_day($1, $2, $3)::int AS n', [table, part, before]);
    if (stays === 'busy') busy.push(day);
    else if (stays !== null) {
      days.push(day);
      kept += stays;
    }
  }
  await patiently(database, 'SELECT k8s.sweep_default($1, $2)::int AS n', [table, before]);
  // Not waiting for a sink: none may be running when this does.
  await patiently(database, 'SELECT 1 AS n FROM k8s.ensure_days($1)', [table]);
  return { resource, days, busy, purged, kept };
}

async function wouldRetain(database: Database, { resource, table }: Resource, before: string): Promise<TableRetention> {
  const days = (await daysBefore(database, table, before)).map(({ day }) => day);
  const purged = await count(database, `k8s.${quoted(table)} WHERE ${purgeable(resource)}`, before);
  return { resource, days, busy: [], purged, kept: null };
}

function daysBefore(database: Database, table: string, before: string): Promise<{ part: string; day: string }[]> {
  return database.query(
    `SELECT c.relname AS part, to_char(to_date(right(c.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') AS day
       FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
      WHERE i.inhparent = format('k8s.%I', $1::text)::regclass AND c.relname ~ '_p\\d{8}$'
        AND to_date(right(c.relname, 8), 'YYYYMMDD') < ($2::timestamptz AT TIME ZONE 'UTC')::date
      ORDER BY 2`,
    [`${table}_history`, before],
  );
}

/** In small transactions, so that no sink waits for long for a row. */
async function purge(database: Database, resource: string, table: string, before: string): Promise<number> {
  const old = purgeable(resource);
  const name = `k8s.${quoted(table)}`;
  let purged = 0;
  for (;;) {
    const gone = await database.query(
      `DELETE FROM ${name} WHERE (uid, cluster) IN (SELECT uid, cluster FROM ${name} WHERE ${old} LIMIT ${PURGE_ROWS}) AND ${old} RETURNING 1`,
      [before],
    );
    purged += gone.length;
    if (gone.length < PURGE_ROWS) return purged;
  }
}

function purgeable(resource: string): string {
  return resource === FORGOTTEN ? 'changed_at < $1' : 'deleted_at < $1';
}

const OLD_FACTS = "at < $1 AND type <> 'coverage.gap'";

async function deleteFacts(database: Database, before: string): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    `WITH gone AS (DELETE FROM k8s.event_stream WHERE ${OLD_FACTS} RETURNING 1) SELECT count(*)::int AS n FROM gone`,
    [before],
  );
  return row?.n ?? 0;
}

async function count(database: Database, rows: string, before: string): Promise<number> {
  const [row] = await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${rows}`, [before]);
  return row?.n ?? 0;
}

/** One statement in a transaction that lets others pass who hold a lock. @returns its `n` */
async function patiently(database: Database, text: string, values: readonly unknown[]): Promise<number | null | 'busy'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.with(async (client) => {
        await client.query(`${BEGIN}; SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        const { rows } = await client.query<{ n: number | null }>({ text, values: [...values], query_timeout: 660_000 } as never);
        await client.query('COMMIT');
        return rows[0]?.n ?? null;
      });
    } catch (error) {
      const held = isCode(error, 'POSTGRES_UNREACHABLE') && ['55P03', '40P01'].includes(sqlstateOf(error) ?? '');
      if (!held) throw error;
      if (attempt === ATTEMPTS) return 'busy';
    }
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
