/**
 * The statements by which the past is asked: one place, so that views and functions of the schema can take their part.
 * Pure. A table's name comes from k8s.resources and is quoted all the same.
 */
import type { TableColumn } from '../columns/table.ts';
import type { Requirement } from '../past/ports.ts';

export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a Version is made of; `h` is the history. */
const VERSION =
  'h.uid, h.namespace, h.name, h.op, h.epoch, h.resource_version, h.changed_at, h.by_manager, h.synthetic, h.snapshot, h.object';
/** The same of the present, which does not know who wrote last. */
const PRESENT =
  'p.uid, p.namespace, p.name, \'r\'::"char" AS op, p.epoch, p.resource_version, p.changed_at, NULL::text AS by_manager, false AS synthetic, false AS snapshot, p.object';
/** The newest first. Two changes may have been seen in the same millisecond. */
const NEWEST = 'h.changed_at DESC, h.epoch DESC, h.resource_version DESC';

export const RESOURCES = `SELECT resource, table_name AS "table", api_group AS "group", kind,
       ARRAY(SELECT c ->> 'name' FROM jsonb_array_elements(columns) AS c) AS columns FROM k8s.resources ORDER BY resource`;

const present = (table: string): string => `k8s.${quoted(table)}`;
const history = (table: string): string => `k8s.${quoted(`${table}_history`)}`;

export const WATCHED_CLUSTERS = 'SELECT DISTINCT cluster FROM k8s.watches ORDER BY cluster';

/** Clusters with anything in these tables: from one to the next. */
export function clusters(tables: readonly string[]): Query {
  const each = tables.map(
    (table) => `SELECT cluster FROM (WITH RECURSIVE c AS (
      (SELECT cluster FROM ${present(table)} ORDER BY cluster LIMIT 1)
      UNION ALL SELECT (SELECT t.cluster FROM ${present(table)} AS t WHERE t.cluster > c.cluster ORDER BY t.cluster LIMIT 1) FROM c WHERE c.cluster IS NOT NULL
    ) SELECT cluster FROM c WHERE cluster IS NOT NULL) AS one`,
  );
  return { text: `${each.join(' UNION ')} ORDER BY cluster`, values: [] };
}

/** Conditions on the place, which is parameters 1 and 2, and on names, parameter 3. */
const inPlace = (of: string): string => `${of}.cluster = $1 AND ($2::text IS NULL OR ${of}.namespace IN ($2, ''))`;
const named = (of: string): string => `($3::text[] IS NULL OR ${of}.name = ANY ($3))`;

/** What a row of the result holds: of the present `p`, and of the history `h` beside it. */
export interface Selection {
  readonly present: string;
  readonly history: string;
}

export const WHOLE: Selection = { present: PRESENT, history: VERSION };

/** @param columns the object itself is read only where the first of them is not filled yet */
export function listing(columns: readonly TableColumn[]): Selection {
  const of = (from: string): string => {
    const [first] = columns;
    const object = first === undefined ? 'NULL' : `CASE WHEN ${from}.${quoted(first.name)} IS NULL THEN ${from}.object END`;
    const own = columns.map(({ name, type }) =>
      type === 'timestamptz' ? `${milliseconds(`${from}.${quoted(name)}`)} AS ${quoted(name)}` : `${from}.${quoted(name)}`,
    );
    return [`${from}.namespace, ${from}.name, ${milliseconds('p.created_at')} AS created_ms, ${object} AS object`, ...own].join(', ');
  };
  return { present: of('p'), history: of('h') };
}

/** A number: the driver makes a Date of text, one by one. */
const milliseconds = (time: string): string => `(extract(epoch FROM ${time}) * 1000)::float8`;

interface Which {
  readonly names: readonly string[] | null;
  readonly labels: readonly Requirement[];
}

export function objectsNow(table: string, place: unknown[], { names, labels }: Which, { present: selected }: Selection): Query {
  const values = [...place, names];
  return {
    text: `SELECT ${selected} FROM ${present(table)} AS p
 WHERE ${inPlace('p')} AND ${named('p')} AND p.deleted_at IS NULL${labelled('p.object', labels, values)}
 ORDER BY namespace, name`,
    values,
  };
}

/** Where the days begin that lead to that time without a hole. */
export function daysBegin(table: string, at: Date): Query {
  return { text: 'SELECT k8s.days_begin($1, $2)::text AS begin', values: [`${table}_history`, at] };
}

/**
 * What has not changed since is in the present, whether or not its last change is still in the history. Of the rest, the
 * last version before that time. As in k8s.<table>_at, the times are literals: so that only the partitions are looked at
 * that matter, newest first.
 * @param begin of {@link daysBegin}
 */
export function objectsAt(
  table: string,
  place: unknown[],
  { names, labels }: Which,
  time: Date,
  begin: string,
  selected: Selection,
): Query {
  const values: unknown[] = [...place, names];
  const at = `${literal(time.toISOString())}::timestamptz`;
  const newest = (from: string): string =>
    `(SELECT * FROM ${history(table)} AS v WHERE v.cluster = p.cluster AND v.uid = p.uid AND v.changed_at <= ${at} AND v.changed_at ${from} ${literal(begin)}
       ORDER BY v.changed_at DESC, v.epoch DESC, v.resource_version DESC LIMIT 1)`;
  return {
    text: `SELECT ${selected.present} FROM ${present(table)} AS p
 WHERE ${inPlace('p')} AND ${named('p')} AND p.changed_at <= ${at} AND p.deleted_at IS NULL${labelled('p.object', labels, values)}
UNION ALL
SELECT ${selected.history} FROM ${present(table)} AS p
 CROSS JOIN LATERAL (SELECT * FROM (${newest('>=')} UNION ALL ${newest('<')}) AS either ORDER BY changed_at DESC LIMIT 1) AS h
 WHERE ${inPlace('p')} AND ${named('p')} AND p.changed_at > ${at} AND h.op <> 'd'${labelled('h.object', labels, values)}
 ORDER BY namespace, name`,
    values,
  };
}

export function incarnations(table: string, place: unknown[], name: string): Query {
  return {
    text: `SELECT uid, namespace, changed_at, deleted_at FROM ${present(table)} AS p WHERE ${inPlace('p')} AND name = $3 ORDER BY changed_at DESC`,
    values: [...place, name],
  };
}

export function versions(table: string, cluster: string, uids: readonly string[], until: Date | null, limit: number): Query {
  return {
    text: `SELECT ${VERSION} FROM ${history(table)} AS h
 WHERE h.cluster = $1 AND h.uid = ANY ($2::uuid[]) AND ($3::timestamptz IS NULL OR h.changed_at <= $3) ORDER BY ${NEWEST} LIMIT $4`,
    values: [cluster, uids, until, limit],
  };
}

export function revisions(table: string, cluster: string, uids: readonly string[], resourceVersions: readonly string[]): Query {
  return {
    text: `SELECT ${VERSION} FROM ${history(table)} AS h
 WHERE h.cluster = $1 AND h.uid = ANY ($2::uuid[]) AND h.resource_version = ANY ($3::bigint[]) ORDER BY ${NEWEST}`,
    values: [cluster, uids, resourceVersions],
  };
}

export function versionBefore(table: string, cluster: string, uid: string, epoch: number, resourceVersion: string): Query {
  return {
    text: `SELECT h.op, h.object FROM ${history(table)} AS h
 WHERE h.cluster = $1 AND h.uid = $2 AND (h.epoch, h.resource_version) < ($3, $4::bigint) ORDER BY ${NEWEST} LIMIT 1`,
    values: [cluster, uid, epoch, resourceVersion],
  };
}

/** The version before one of the history, `h`. */
function before(table: string): string {
  return `LEFT JOIN LATERAL (SELECT b.op, b.object FROM ${history(table)} AS b
   WHERE b.cluster = h.cluster AND b.uid = h.uid AND b.changed_at <= h.changed_at AND (b.epoch, b.resource_version) < (h.epoch, h.resource_version)
   ORDER BY b.changed_at DESC, b.epoch DESC, b.resource_version DESC LIMIT 1) AS b ON true`;
}

export function changes(table: string, place: unknown[], since: Date, until: Date, limit: number, uids: readonly string[] | null): Query {
  return {
    text: `SELECT h.*, b.op AS before_op, b.object AS before_object FROM (
  SELECT ${VERSION}, h.cluster FROM ${history(table)} AS h
   WHERE ${inPlace('h')} AND h.changed_at >= $3 AND h.changed_at <= $4 AND ($6::uuid[] IS NULL OR h.uid = ANY ($6))
   ORDER BY ${NEWEST} LIMIT $5) AS h ${before(table)} ORDER BY ${NEWEST}`,
    values: [...place, since, until, limit, uids],
  };
}

/** Of the last minutes only: the index is on the time, and what is written now was not seen long ago. */
const FOLLOWED = "interval '15 minutes'";

/** @param offsets partition → the last offset that is known */
export function written(table: string, place: unknown[], offsets: Readonly<Record<string, number>>): Query {
  return {
    text: `SELECT h.*, b.op AS before_op, b.object AS before_object FROM (
  SELECT ${VERSION}, h.cluster, h.kafka_partition, h.kafka_offset FROM ${history(table)} AS h
   WHERE ${inPlace('h')} AND h.changed_at > now() - ${FOLLOWED}
     AND h.kafka_offset > COALESCE(($3::jsonb ->> h.kafka_partition::text)::bigint, -1)) AS h ${before(table)}
 ORDER BY h.changed_at, h.epoch, h.resource_version`,
    values: [...place, JSON.stringify(offsets)],
  };
}

/** The last offset of each partition that the history has. */
export function ends(tables: readonly string[]): Query {
  const each = tables.map(
    (table) =>
      `SELECT ${literal(table)} AS "table", kafka_partition AS partition, max(kafka_offset) AS "offset" FROM ${history(table)} WHERE changed_at > now() - ${FOLLOWED} GROUP BY kafka_partition`,
  );
  return { text: each.join(' UNION ALL '), values: [] };
}

/** A watch that was heard last so long ago is not live: a quiet one says so once a minute. Of Events nothing can be told. */
const SILENT = "interval '3 minutes'";

/** The time since a watch was last heard is one more: nobody knows yet whether it will be a gap. */
export function gaps(place: unknown[], resources: readonly string[], from: Date, to: Date): Query {
  return {
    text: `SELECT resource, namespace, cause, from_time, to_time FROM (
  SELECT resource, namespace, cause, from_time, to_time FROM k8s.gaps AS g WHERE ${inPlace('g')}
  UNION ALL
  SELECT resource, namespace, 'silent', seen_until, $5 FROM k8s.watches AS w
   WHERE ${inPlace('w')} AND resource <> 'events' AND seen_until < now() - ${SILENT}) AS u
 WHERE resource = ANY ($3) AND from_time < $5 AND to_time > $4 ORDER BY to_time DESC, resource`,
    values: [...place, resources, from, to],
  };
}

/** Since when a resource is watched, or was: what was recorded by others may have come before. */
export function beginnings(tables: readonly { readonly resource: string; readonly table: string }[], cluster: string): Query {
  const each = tables.map(
    ({ resource, table }) =>
      `SELECT ${literal(resource)} AS resource,
       LEAST((SELECT min(since) FROM k8s.watches WHERE cluster = $1 AND resource = ${literal(resource)}),
             (SELECT h.changed_at FROM ${history(table)} AS h WHERE h.cluster = $1 ORDER BY h.changed_at LIMIT 1)) AS began`,
  );
  return { text: each.join(' UNION ALL '), values: [cluster] };
}

export function names(table: string, place: unknown[]): Query {
  return {
    text: `SELECT namespace, name, deleted_at FROM ${present(table)} AS p WHERE ${inPlace('p')} ORDER BY changed_at DESC LIMIT 20000`,
    values: place,
  };
}

/** @param images whether the table has the column */
export function search(table: string, place: unknown[], text: string, limit: number, images: boolean): Query {
  const found = [
    'name ILIKE $3',
    // As people write labels.
    "EXISTS (SELECT FROM jsonb_each_text(object #> '{metadata,labels}') AS l (key, value) WHERE l.key || '=' || l.value ILIKE $3)",
    ...(images ? ["array_to_string(images, ' ') ILIKE $3"] : []),
  ];
  return {
    text: `SELECT namespace, name, deleted_at, created_at, changed_at, COALESCE(object #> '{metadata,labels}', '{}') AS labels, ${images ? 'COALESCE(images, ARRAY[]::text[])' : 'ARRAY[]::text[]'} AS images
  FROM ${present(table)} AS p WHERE ${inPlace('p')} AND (${found.join(' OR ')})
 ORDER BY deleted_at IS NOT NULL, changed_at DESC LIMIT $4`,
    values: [...place, `%${text.replaceAll(/[\\%_]/g, (one) => `\\${one}`)}%`, limit],
  };
}

export const IMAGE_TABLES = `SELECT relname AS "table" FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
 WHERE relnamespace = 'k8s'::regnamespace AND attname = 'images' AND NOT attisdropped`;

/** Conditions for labels; their values go to the end of the parameters. */
function labelled(object: string, labels: readonly Requirement[], values: unknown[]): string {
  const at = (value: unknown): string => `$${values.push(value)}`;
  return labels
    .map(({ key, operator, values: wanted }) => {
      const value = `(${object} #>> ARRAY['metadata', 'labels', ${at(key)}::text])`;
      switch (operator) {
        case 'exists':
          return ` AND ${value} IS NOT NULL`;
        case 'absent':
          return ` AND ${value} IS NULL`;
        case 'in':
          return ` AND ${value} = ANY (${at(wanted)}::text[])`;
        case 'notin':
          return ` AND COALESCE(${value} <> ALL (${at(wanted)}::text[]), true)`;
      }
    })
    .join('');
}

export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
