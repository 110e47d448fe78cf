/**
 * The statement that writes rows of one resource to its present and its history: its text depends on the table alone, so
 * that it is planned once per connection.
 */
import type { ResourceTable } from '../columns/table.ts';
import type { Row } from '../sinks/ports.ts';
import { arrayLiteral, binaryArray, type ElementType } from './binary-array.ts';
import type { Wave } from './waves.ts';

interface Parameter {
  readonly name: string;
  readonly type: ElementType;
  readonly of: (row: Row, last: boolean) => unknown;
}

const COMMON: readonly Parameter[] = [
  { name: 'cluster', type: 'text', of: (row) => row.cluster },
  { name: 'uid', type: 'uuid', of: (row) => row.uid },
  { name: 'epoch', type: 'int4', of: (row) => row.epoch },
  { name: 'resource_version', type: 'int8', of: (row) => row.resourceVersion },
  { name: 'op', type: 'text', of: (row) => row.op },
  { name: 'changed_at', type: 'timestamptz', of: (row) => row.changedAtMs },
  { name: 'created_at', type: 'timestamptz', of: (row) => row.createdAtMs },
  { name: 'namespace', type: 'text', of: (row) => row.namespace },
  { name: 'name', type: 'text', of: (row) => row.name },
  { name: 'by_manager', type: 'text', of: (row) => row.byManager },
  { name: 'by_operation', type: 'text', of: (row) => row.byOperation },
  { name: 'synthetic', type: 'bool', of: (row) => row.synthetic },
  { name: 'snapshot', type: 'bool', of: (row) => row.snapshot },
  { name: 'kafka_offset', type: 'int8', of: (row) => row.offset },
  { name: 'object', type: 'jsonb', of: (row) => row.object },
  { name: 'last', type: 'bool', of: (_, last) => last },
];

/** Columns of the history that both tables have, or that only it has. */
const HISTORY = 'cluster, uid, epoch, resource_version, op, changed_at, namespace, name, by_manager, by_operation, synthetic, snapshot';
const INTO_HISTORY = `${HISTORY}, kafka_partition, kafka_offset, object`;
const AS_HISTORY = `${HISTORY.replace('op,', 'op::"char",')}, $1::int4, kafka_offset, object`;
const PRESENT = 'cluster, uid, namespace, name, resource_version, epoch, created_at, changed_at';

export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * Writes what is newer than the present, to both tables. $1 is Kafka's partition, the rest are arrays in the order of
 * {@link writeParameters}. Returns one row: `inserted`.
 */
export function writeStatement(table: ResourceTable): Statement {
  const { present, history, own, columns, values, rows } = partsOf(table);
  // A deletion that nobody saw leaves the last state that was seen.
  const kept = ['object', ...own.map(({ column }) => column)].map(
    (name) => `${name} = CASE WHEN excluded.object IS NULL THEN o.${name} ELSE excluded.${name} END`,
  );
  const text = `
WITH b AS MATERIALIZED (
  SELECT * FROM ${rows}
), f AS MATERIALIZED (
  SELECT b.*, c.changed_at AS present_at FROM b LEFT JOIN ${present} c ON c.cluster = b.cluster AND c.uid = b.uid
   WHERE c.uid IS NULL OR (b.epoch, b.resource_version) > (c.epoch, c.resource_version)
), h AS (
  INSERT INTO ${history} (${INTO_HISTORY}${columns}, previous_at)
  SELECT ${AS_HISTORY}${values}, COALESCE(lag(changed_at) OVER (PARTITION BY uid, cluster ORDER BY epoch, resource_version), present_at)
    FROM f
  ON CONFLICT DO NOTHING
  RETURNING 1
), u AS (
  INSERT INTO ${present} AS o (${PRESENT}, deleted_at, object${columns})
  SELECT ${PRESENT}, CASE WHEN op = 'd' THEN changed_at END, object${values}
    FROM f WHERE last
  ON CONFLICT (uid, cluster) DO UPDATE SET
    namespace = excluded.namespace, name = excluded.name, resource_version = excluded.resource_version, epoch = excluded.epoch,
    created_at = COALESCE(excluded.created_at, o.created_at), changed_at = excluded.changed_at, deleted_at = excluded.deleted_at,
    ${kept.join(',\n    ')}
  WHERE (excluded.epoch, excluded.resource_version) > (o.epoch, o.resource_version)
)
SELECT count(*)::int AS inserted FROM h`;
  return { name: `write_${table.table}`, text };
}

/** Writes what the history lacks, to the history alone: for what the present has overtaken. Parameters and result as above. */
export function pastStatement(table: ResourceTable): Statement {
  const { history, columns, values, rows } = partsOf(table);
  const text = `
WITH h AS (
  INSERT INTO ${history} (${INTO_HISTORY}${columns}, previous_at)
  SELECT ${AS_HISTORY}${values}, (
           SELECT p.changed_at FROM ${history} AS p
            WHERE p.uid = t.uid AND p.cluster = t.cluster AND (p.epoch, p.resource_version) < (t.epoch, t.resource_version)
            ORDER BY p.epoch DESC, p.resource_version DESC LIMIT 1)
    FROM ${rows}
   WHERE NOT EXISTS (SELECT FROM ${history} AS h WHERE h.cluster = t.cluster AND h.uid = t.uid
                        AND (h.epoch, h.resource_version) = (t.epoch, t.resource_version))
  RETURNING 1
)
SELECT count(*)::int AS inserted FROM h`;
  return { name: `past_${table.table}`, text };
}

function partsOf(table: ResourceTable) {
  // Their own names could be those of common columns.
  const own = table.columns.map(({ name, type }) => ({ column: quoted(name), parameter: quoted(`c_${name}`), type }));
  const all = [
    ...COMMON.map(({ name, type }) => ({ parameter: quoted(name), type })),
    ...own.map(({ parameter, type }) => ({ parameter, type: elementOf(type) })),
  ];
  const arrays = all.map(({ type }, at) => `$${at + 2}::${type}[]`).join(', ');
  return {
    present: `k8s.${quoted(table.table)}`,
    history: `k8s.${quoted(`${table.table}_history`)}`,
    own,
    columns: own.map(({ column }) => `, ${column}`).join(''),
    values: own.map(({ parameter, type }) => `, ${parameter}${type === 'text[]' ? '::text[]' : ''}`).join(''),
    /** What is to be written, as rows of `t`. */
    rows: `unnest(${arrays}) AS t(${all.map(({ parameter }) => parameter).join(', ')})`,
  };
}

/** @throws RangeError and its like when a value does not fit its column */
export function writeParameters(table: ResourceTable, partition: number, { rows, last }: Wave): unknown[] {
  const common = COMMON.map(({ type, of }) =>
    binaryArray(
      type,
      rows.map((row, at) => of(row, last[at] ?? true)),
    ),
  );
  const own = table.columns.map(({ type }, at) => {
    const values = rows.map(({ columns }) => columns[at] ?? null);
    if (type !== 'text[]') return binaryArray(elementOf(type), values);
    return binaryArray(
      'text',
      values.map((items) => (Array.isArray(items) ? arrayLiteral(items) : null)),
    );
  });
  return [partition, ...common, ...own];
}

function elementOf(type: ResourceTable['columns'][number]['type']): ElementType {
  return type === 'integer' ? 'int4' : type === 'timestamptz' ? 'timestamptz' : 'text';
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
