/** How the recording stands, as the store knows it. */
import type { Database } from './pool.ts';

export interface WatchStatus {
  readonly cluster: string;
  readonly resource: string;
  /** '' for all namespaces. */
  readonly namespace: string;
  readonly since: Date;
  readonly seenUntil: Date;
  /** In the stretch of time that was asked for. */
  readonly gaps: number;
  readonly unwatchedSeconds: number;
  /** 0 to 1; null where none of that time is known yet. */
  readonly coverage: number | null;
}

export interface SinkPosition {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
  readonly updatedAt: Date;
}

export interface StoreStatus {
  readonly watches: readonly WatchStatus[];
  /** Cluster → resource → objects that are there. */
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly positions: readonly SinkPosition[];
  /** That no retry has written since. */
  readonly deadLetters: number;
  /** The store's own clock: what it says of ages does not depend on that of whoever asks. */
  readonly now: Date;
}

const WATCHES = `
SELECT w.cluster, w.resource, w.namespace, w.since, w.seen_until AS "seenUntil", COALESCE(c.gaps, 0)::int AS gaps,
       COALESCE(extract(epoch FROM c.unwatched), 0)::double precision AS "unwatchedSeconds", c.share AS coverage
  FROM k8s.watches AS w
  LEFT JOIN k8s.coverage($1) AS c ON (c.cluster, c.resource, c.namespace) = (w.cluster, w.resource, w.namespace)
 ORDER BY w.cluster, w.resource, w.namespace`;

/** @param from where the coverage begins @throws KubetapeError POSTGRES_*, SCHEMA_MISSING */
export async function readStatus(database: Database, from: Date): Promise<StoreStatus> {
  const [watches, tables, positions, letters] = await Promise.all([
    database.query<WatchStatus>(WATCHES, [from]),
    database.query<{ resource: string; table: string }>('SELECT resource, table_name AS table FROM k8s.resources ORDER BY resource'),
    database.query<{ topic: string; partition: number; next: string; updatedAt: Date }>(
      'SELECT topic, partition, next_offset AS next, updated_at AS "updatedAt" FROM k8s.sink_offsets ORDER BY topic, partition',
    ),
    database.query<{ count: number; now: Date }>(
      'SELECT count(*)::int AS count, now() AS now FROM k8s.dead_letters WHERE retried_at IS NULL',
    ),
  ]);
  const objects = new Map<string, Map<string, number>>();
  for (const { cluster, resource, count } of await countObjects(database, tables)) {
    const counts = objects.get(cluster) ?? new Map<string, number>();
    objects.set(cluster, counts.set(resource, count));
  }
  return {
    watches,
    objects,
    positions: positions.map(({ next, ...rest }) => ({ ...rest, nextOffset: Number(next) })),
    deadLetters: letters[0]?.count ?? 0,
    now: letters[0]?.now ?? new Date(),
  };
}

async function countObjects(
  database: Database,
  tables: readonly { readonly resource: string; readonly table: string }[],
): Promise<{ cluster: string; resource: string; count: number }[]> {
  if (tables.length === 0) return [];
  const parts = tables.map(
    ({ table }, at) =>
      `SELECT cluster, $${at + 1}::text AS resource, count(*)::int AS count FROM k8s."${table.replaceAll('"', '""')}" WHERE deleted_at IS NULL GROUP BY cluster`,
  );
  return database.query(
    parts.join(' UNION ALL '),
    tables.map(({ resource }) => resource),
  );
}
