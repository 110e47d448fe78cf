/** What the tables of the present hold of a cluster: which objects, in which version; and how far the sinks are. */
import type { Database } from './pool.ts';

export interface StoredVersion {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly epoch: number;
}

/** Of objects that are there; a resource without tables has none. @throws KubetapeError POSTGRES_* */
export async function storedVersions(database: Database, cluster: string, resource: string): Promise<StoredVersion[]> {
  const [known] = await database.query<{ name: string }>('SELECT table_name AS name FROM k8s.resources WHERE resource = $1', [resource]);
  if (known === undefined) return [];
  return database.query<StoredVersion>(
    `SELECT namespace, name, uid::text AS uid, resource_version::text AS "resourceVersion", epoch
       FROM k8s.${quoted(known.name)} WHERE cluster = $1 AND deleted_at IS NULL`,
    [cluster],
  );
}

/** The next offset of each partition of a topic. */
export async function storedPositions(database: Database, topic: string): Promise<number[]> {
  const rows = await database.query<{ partition: number; next: string }>(
    'SELECT partition, next_offset AS next FROM k8s.sink_offsets WHERE topic = $1',
    [topic],
  );
  const positions: number[] = [];
  for (const { partition, next } of rows) positions[partition] = Number(next);
  return positions;
}

function quoted(table: string): string {
  return `"${table.replaceAll('"', '""')}"`;
}
