/**
 * The role that may read everything and change nothing, for people and dashboards: `GRANT kubetape_reader TO grafana`.
 * A role belongs to the whole server, so it is made where the user that migrates may make one, and used where it is there.
 */
import { isCode } from '../events/errors.ts';
import type { Database } from './pool.ts';

export const READER = 'kubetape_reader';

export type ReaderOutcome =
  | { readonly kind: 'created' | 'there' }
  /** This user may not create it: somebody who may is to run `sql`, and then migrate again. */
  | { readonly kind: 'forbidden'; readonly sql: string };

/** Makes the role if need be, and lets it read what is there. What is made later it may read from the start. */
export async function ensureReader(database: Database): Promise<ReaderOutcome> {
  const [before] = await database.query<{ there: boolean }>(`SELECT to_regrole('${READER}') IS NOT NULL AS there`);
  const there = before?.there === true;
  const sql = `CREATE ROLE ${READER} NOLOGIN`;
  try {
    // Another database of the same server may be migrated at this moment.
    if (!there) await database.query(`DO $$ BEGIN ${sql}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`);
    await database.query('SELECT k8s.let_read_all()');
  } catch (error) {
    if (isCode(error, 'POSTGRES_UNAUTHORIZED')) return { kind: 'forbidden', sql };
    throw error;
  }
  return { kind: there ? 'there' : 'created' };
}
