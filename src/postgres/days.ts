/**
 * The history's partitions, one per day, made before they are needed. Nothing waits for them in earnest: a row whose day
 * has none goes to the default partition, and from there to its day once that is made.
 */
import type { ResourceTable } from '../columns/table.ts';
import type { Row } from '../sinks/ports.ts';
import { isCode } from '../events/errors.ts';
import { BEGIN, type Database } from './pool.ts';

const DAY_MS = 86_400_000;
/** Older ones have no partition of their own: retention would drop it soon, and a wrong clock could ask for thousands. */
const DAYS_BACK = 30;
const DAYS_AHEAD = 3;
/** Making one waits for those who read the default partition; meanwhile everybody else would wait behind it. */
const LOCK_TIMEOUT = '2s';
const AGAIN_AFTER_MS = 60_000;

export class HistoryDays {
  readonly #database: Database;
  /** `pods 20546` → the time from which on it is to be looked at again. */
  readonly #checked = new Map<string, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Forgets what is there: the schema may be another one. */
  forget(): void {
    this.#checked.clear();
  }

  /** The days of `rows`, and the coming ones. @throws KubetapeError POSTGRES_*, SCHEMA_MISSING */
  async ensure({ table }: ResourceTable, rows: readonly Row[], nowMs: number): Promise<void> {
    const today = Math.floor(nowMs / DAY_MS);
    const days = new Set<number>();
    for (let day = today - 1; day <= today + DAYS_AHEAD; day += 1) days.add(day);
    for (const { changedAtMs } of rows) days.add(Math.floor(changedAtMs / DAY_MS));
    for (const day of days) {
      const key = `${table} ${day}`;
      if (day < today - DAYS_BACK || day > today + DAYS_AHEAD || nowMs < (this.#checked.get(key) ?? 0)) continue;
      this.#checked.set(key, nowMs + ((await this.#make(table, day)) ? Infinity : AGAIN_AFTER_MS));
    }
  }

  /** @returns false when somebody holds a lock on the table */
  async #make(table: string, day: number): Promise<boolean> {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    try {
      await this.#database.with(async (client) => {
        await client.query(`${BEGIN}; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        await client.query('SELECT k8s.ensure_day($1, $2)', [table, date]);
        await client.query('COMMIT');
      });
      return true;
    } catch (error) {
      if (isCode(error, 'POSTGRES_UNREACHABLE') && (error.cause as { sqlstate?: string } | undefined)?.sqlstate === '55P03') return false;
      throw error;
    }
  }
}
