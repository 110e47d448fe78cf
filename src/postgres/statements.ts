/** The statement that writes a batch of one resource: its text depends on the table alone, so that it is planned once. */
import type { ResourceTable, Row } from '../sinks/ports.ts';
import { arrayLiteral, binaryArray, type ElementType } from './binary-array.ts';

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

const ARRAY_TYPE: Readonly<Record<ElementType, string>> = {
  uuid: 'uuid[]',
  int8: 'int8[]',
  int4: 'int4[]',
  text: 'text[]',
  bool: 'bool[]',
  timestamptz: 'timestamptz[]',
  jsonb: 'jsonb[]',
};

export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * Writes what is newer than the present, to both tables. $1 is Kafka's partition, the rest are arrays in the order of
 * {@link parametersOf}. Returns one row: `inserted`.
 */
export function writeStatement(table: ResourceTable): Statement {
  const present = `k8s.${quoted(table.table)}`;
  const history = `k8s.${quoted(`${table.table}_history`)}`;
  const own = table.columns.map(({ name }) => quoted(`c_${name}`));
  const all = [
    ...COMMON.map(({ name, type }) => ({ name: quoted(name), type })),
    ...table.columns.map((one, at) => ({ name: own[at] ?? '', type: elementOf(one.type) })),
  ];
  const arrays = all.map(({ type }, at) => `$${at + 2}::${ARRAY_TYPE[type]}`).join(', ');
  const columns = table.columns.map(({ name }) => quoted(name));
  const values = table.columns.map(({ type }, at) => (type === 'text[]' ? `${own[at]}::text[]` : own[at]));
  // A deletion that nobody saw leaves the last state that was seen.
  const kept = ['object', ...columns].map((name) => `${name} = CASE WHEN excluded.object IS NULL THEN o.${name} ELSE excluded.${name} END`);
  const text = `
WITH b AS MATERIALIZED (
  SELECT * FROM unnest(${arrays}) AS t(${all.map(({ name }) => name).join(', ')})
), f AS MATERIALIZED (
  SELECT b.* FROM b LEFT JOIN ${present} c ON c.cluster = b.cluster AND c.uid = b.uid
   WHERE c.uid IS NULL OR (b.epoch, b.resource_version) > (c.epoch, c.resource_version)
), h AS (
  INSERT INTO ${history} (cluster, uid, epoch, resource_version, op, changed_at, namespace, name, by_manager, by_operation, synthetic, snapshot, kafka_partition, kafka_offset, object)
  SELECT cluster, uid, epoch, resource_version, op::"char", changed_at, namespace, name, by_manager, by_operation, synthetic, snapshot, $1::int4, kafka_offset, object FROM f
  RETURNING 1
), u AS (
  INSERT INTO ${present} AS o (cluster, uid, namespace, name, resource_version, epoch, created_at, changed_at, deleted_at, object${columns.map((name) => `, ${name}`).join('')})
  SELECT cluster, uid, namespace, name, resource_version, epoch, created_at, changed_at, CASE WHEN op = 'd' THEN changed_at END, object${values.map((value) => `, ${value}`).join('')}
    FROM f WHERE last
  ON CONFLICT (cluster, uid) DO UPDATE SET
    namespace = excluded.namespace, name = excluded.name, resource_version = excluded.resource_version, epoch = excluded.epoch,
    created_at = COALESCE(excluded.created_at, o.created_at), changed_at = excluded.changed_at, deleted_at = excluded.deleted_at,
    ${kept.join(',\n    ')}
  WHERE (excluded.epoch, excluded.resource_version) > (o.epoch, o.resource_version)
)
SELECT count(*)::int AS inserted FROM h`;
  return { name: `write_${table.table}`, text };
}

/** @param last per row: is it the newest of its object in the batch? */
export function parametersOf(table: ResourceTable, partition: number, rows: readonly Row[], last: readonly boolean[]): unknown[] {
  const common = COMMON.map(({ type, of }) =>
    binaryArray(
      type,
      rows.map((row, at) => of(row, last[at] ?? true)),
    ),
  );
  const own = table.columns.map(({ type }, at) => {
    const values = rows.map(({ columns }) => columns[at] ?? null);
    if (type === 'text[]')
      return binaryArray(
        'text',
        values.map((items) => (Array.isArray(items) ? arrayLiteral(items) : null)),
      );
    return binaryArray(elementOf(type), values);
  });
  return [partition, ...common, ...own];
}

/**
 * Splits rows into waves that one statement each can write: within a wave resourceVersions of an object rise (what does
 * not rise was written before and is dropped), and a deletion without a last state comes in a later wave than the state.
 */
export function wavesOf(rows: readonly Row[]): { readonly rows: Row[]; readonly last: boolean[] }[] {
  const waves: { rows: Row[]; last: boolean[] }[] = [];
  let wave: { rows: Row[]; last: boolean[] } = { rows: [], last: [] };
  let newest = new Map<string, number>();
  const close = (): void => {
    if (wave.rows.length > 0) waves.push(wave);
    wave = { rows: [], last: [] };
    newest = new Map();
  };
  for (const row of rows) {
    const key = `${row.cluster} ${row.uid}`;
    const at = newest.get(key);
    const before = at === undefined ? undefined : wave.rows[at];
    if (before !== undefined && at !== undefined) {
      if (!isNewer(row, before)) continue;
      if (row.object === null && before.object !== null) close();
      else wave.last[at] = false;
    }
    newest.set(key, wave.rows.length);
    wave.rows.push(row);
    wave.last.push(true);
  }
  close();
  return waves;
}

function isNewer(a: Row, b: Row): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  return BigInt(a.resourceVersion) > BigInt(b.resourceVersion);
}

function elementOf(type: ResourceTable['columns'][number]['type']): ElementType {
  return type === 'integer' ? 'int4' : 'text';
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
