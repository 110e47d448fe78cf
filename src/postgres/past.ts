/**
 * The store as questions about the past see it. Fits Past (past/ports.ts). Reads only: every statement runs in a session that
 * could not write.
 */
import type { TableColumn } from '../columns/table.ts';
import type { KubernetesObject, Op } from '../events/change.ts';
import { olderFirst } from '../events/version-order.ts';
import type {
  Cursor,
  Found,
  Gap,
  Incarnation,
  Listed,
  ObjectName,
  Past,
  Place,
  RecordedChange,
  RecordedType,
  Survey,
  Version,
  Which,
} from '../past/ports.ts';
import { checkSchema } from './migrate.ts';
import * as statements from './past-statements.ts';
import type { Database } from './pool.ts';

interface VersionRow {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly op: Op;
  readonly epoch: number;
  readonly resource_version: string;
  readonly changed_at: Date;
  readonly by_manager: string | null;
  readonly synthetic: boolean;
  readonly snapshot: boolean;
  readonly object: KubernetesObject | null;
}

/** With the columns that were asked for. */
type ListedRow = Listed['values'] & Omit<Listed, 'createdMs' | 'values'> & { readonly created_ms: number | null };

interface ChangeRow extends VersionRow {
  readonly before_op: Op | null;
  readonly before_object: KubernetesObject | null;
}

interface WrittenRow extends ChangeRow {
  readonly kafka_partition: number;
  readonly kafka_offset: string;
}

interface NameRow {
  readonly namespace: string;
  readonly name: string;
  readonly deleted_at: Date | null;
}

interface FoundRow extends NameRow {
  readonly created_at: Date | null;
  readonly changed_at: Date;
  readonly labels: Readonly<Record<string, string>>;
  readonly images: readonly string[];
}

export class PostgresPast implements Past {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async survey(): Promise<Survey> {
    await checkSchema(this.#database);
    const types = await this.#database.query<RecordedType>(statements.RESOURCES);
    if (types.length === 0) return { clusters: [], types };
    const watched = await this.#database.query<{ cluster: string }>(statements.WATCHED_CLUSTERS);
    const rows =
      watched.length > 0 ? watched : await this.#query<{ cluster: string }>(statements.clusters(types.map(({ table }) => table)));
    return { clusters: rows.map(({ cluster }) => cluster), types };
  }

  async objects(type: RecordedType, place: Place, which: Which): Promise<Version[]> {
    return (await this.#objects<VersionRow>(type, place, which, statements.WHOLE)).map((row) => versionOf(type, row));
  }

  async listed(type: RecordedType, place: Place, which: Which, columns: readonly TableColumn[]): Promise<Listed[]> {
    const rows = await this.#objects<ListedRow>(type, place, which, statements.listing(columns));
    // The row has the columns among others, which nobody looks for there.
    return rows.map((row) => ({ namespace: row.namespace, name: row.name, createdMs: row.created_ms, values: row, object: row.object }));
  }

  async #objects<R extends object>({ table }: RecordedType, place: Place, which: Which, selected: statements.Selection): Promise<R[]> {
    if (which.atMs === null) return this.#query<R>(statements.objectsNow(table, placeOf(place), which, selected));
    const at = new Date(which.atMs);
    const [days] = await this.#query<{ begin: string }>(statements.daysBegin(table, at));
    return this.#query<R>(statements.objectsAt(table, placeOf(place), which, at, days?.begin ?? 'infinity', selected));
  }

  async incarnations(type: RecordedType, place: Place, name: string): Promise<Incarnation[]> {
    const rows = await this.#query<NameRow & { uid: string; changed_at: Date }>(statements.incarnations(type.table, placeOf(place), name));
    return rows.map(({ uid, namespace, changed_at, deleted_at }) => ({
      uid,
      namespace,
      changedAtMs: changed_at.getTime(),
      deletedAtMs: deleted_at?.getTime() ?? null,
    }));
  }

  async versions(
    type: RecordedType,
    cluster: string,
    uids: readonly string[],
    { untilMs, limit }: { readonly untilMs: number | null; readonly limit: number },
  ): Promise<Version[]> {
    const until = untilMs === null ? null : new Date(untilMs);
    return (await this.#query<VersionRow>(statements.versions(type.table, cluster, uids, until, limit))).map((row) => versionOf(type, row));
  }

  async revisions(type: RecordedType, cluster: string, uids: readonly string[], resourceVersions: readonly string[]): Promise<Version[]> {
    const rows = await this.#query<VersionRow>(statements.revisions(type.table, cluster, uids, resourceVersions));
    return rows.map((row) => versionOf(type, row));
  }

  async before(
    { table }: RecordedType,
    cluster: string,
    { uid, epoch, resourceVersion }: Pick<Version, 'uid' | 'epoch' | 'resourceVersion'>,
  ): Promise<RecordedChange['before']> {
    const [row] = await this.#query<Pick<VersionRow, 'op' | 'object'>>(
      statements.versionBefore(table, cluster, uid, epoch, resourceVersion),
    );
    return row ?? null;
  }

  async changes(
    types: readonly RecordedType[],
    place: Place,
    which: { readonly sinceMs: number; readonly untilMs: number; readonly limit: number; readonly uids: readonly string[] | null },
  ): Promise<RecordedChange[]> {
    const [since, until] = [new Date(which.sinceMs), new Date(which.untilMs)];
    const found: RecordedChange[] = [];
    for (const type of types) {
      const query = statements.changes(type.table, placeOf(place), since, until, which.limit, which.uids);
      found.push(...(await this.#query<ChangeRow>(query)).map((row) => changeOf(type, row)));
    }
    return found.toSorted((a, b) => olderFirst(b, a)).slice(0, which.limit);
  }

  async gaps(types: readonly RecordedType[], place: Place, fromMs: number, toMs: number): Promise<Gap[]> {
    const query = statements.gaps(
      placeOf(place),
      types.map(({ resource }) => resource),
      new Date(fromMs),
      new Date(toMs),
    );
    const rows = await this.#query<{ resource: string; namespace: string; cause: string; from_time: Date; to_time: Date }>(query);
    return rows.map(({ resource, namespace, cause, from_time, to_time }) => ({
      resource,
      namespace,
      cause,
      fromMs: from_time.getTime(),
      toMs: to_time.getTime(),
    }));
  }

  async beginning(types: readonly RecordedType[], cluster: string): Promise<ReadonlyMap<string, number>> {
    if (types.length === 0) return new Map();
    const rows = await this.#query<{ resource: string; began: Date | null }>(statements.beginnings(types, cluster));
    return new Map(rows.flatMap(({ resource, began }) => (began === null ? [] : [[resource, began.getTime()] as const])));
  }

  async names(type: RecordedType, place: Place): Promise<ObjectName[]> {
    const rows = await this.#query<NameRow>(statements.names(type.table, placeOf(place)));
    return rows.map(({ namespace, name, deleted_at }) => ({ namespace, name, deletedAtMs: deleted_at?.getTime() ?? null }));
  }

  async search(types: readonly RecordedType[], place: Place, text: string, limit: number): Promise<Found[]> {
    const withImages = new Set((await this.#database.query<{ table: string }>(statements.IMAGE_TABLES)).map(({ table }) => table));
    const found: Found[] = [];
    for (const { resource, table } of types) {
      const rows = await this.#query<FoundRow>(statements.search(table, placeOf(place), text, limit, withImages.has(table)));
      for (const { namespace, name, deleted_at, created_at, changed_at, labels, images } of rows)
        found.push({
          resource,
          namespace,
          name,
          deletedAtMs: deleted_at?.getTime() ?? null,
          createdAtMs: created_at?.getTime() ?? null,
          changedAtMs: changed_at.getTime(),
          labels,
          images,
        });
    }
    return found;
  }

  async end(types: readonly RecordedType[]): Promise<Cursor> {
    const rows = await this.#query<{ table: string; partition: number; offset: string }>(statements.ends(types.map(({ table }) => table)));
    return new Map(rows.map(({ table, partition, offset }) => [`${table} ${partition}`, Number(offset)]));
  }

  async since(types: readonly RecordedType[], place: Place, cursor: Cursor): Promise<{ changes: RecordedChange[]; cursor: Cursor }> {
    const next = new Map(cursor);
    const found: RecordedChange[] = [];
    for (const type of types) {
      const offsets = Object.fromEntries(
        [...cursor].filter(([key]) => key.startsWith(`${type.table} `)).map(([key, offset]) => [key.slice(type.table.length + 1), offset]),
      );
      for (const row of await this.#query<WrittenRow>(statements.written(type.table, placeOf(place), offsets))) {
        const key = `${type.table} ${row.kafka_partition}`;
        next.set(key, Math.max(next.get(key) ?? -1, Number(row.kafka_offset)));
        found.push(changeOf(type, row));
      }
    }
    return { changes: found.toSorted(olderFirst), cursor: next };
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #query<R extends object>({ text, values }: statements.Query): Promise<R[]> {
    return this.#database.query<R>(text, values);
  }
}

function placeOf({ cluster, namespace }: Place): unknown[] {
  return [cluster, namespace];
}

function versionOf({ resource }: RecordedType, row: VersionRow): Version {
  return {
    resource,
    uid: row.uid,
    namespace: row.namespace,
    name: row.name,
    op: row.op,
    epoch: row.epoch,
    resourceVersion: row.resource_version,
    changedAtMs: row.changed_at.getTime(),
    by: row.by_manager,
    synthetic: row.synthetic,
    snapshot: row.snapshot,
    object: row.object,
  };
}

function changeOf(type: RecordedType, row: ChangeRow): RecordedChange {
  return { ...versionOf(type, row), before: row.before_op === null ? null : { op: row.before_op, object: row.before_object } };
}
