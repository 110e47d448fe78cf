/**
 * Debezium's JDBC sink on Kafka Connect as a subject of `sink`: the present alone, by upsert, and the present and the history
 * by two connectors. It wants flat records with a schema: it gets the same rows so, the object as a text that becomes json.
 * At least once, without a guard by version; in a batch it keeps the last of each key (reduction buffer), and writes by unnest.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import { ConnectWorker } from '../../connect/worker.ts';
import type { Stack } from '../../stack/stack.ts';
import { withClient } from '../product.ts';
import type { FlatTopic } from '../records.ts';
import type { Sample } from '../report.ts';
import { cpuSeconds, familyOf, memoryMb } from '../usage.ts';
import { when } from '../wait.ts';

export const DEBEZIUM = { present: 'Debezium JDBC sink, present only', both: 'Debezium JDBC sink, present and history' } as const;

const WITHIN_MS = 1_200_000;
const HEAP_MB = 1_024;
const BATCH = 1_000;

const FIELDS = [
  ...['cluster', 'uid', 'namespace', 'name', 'operation', 'changed_at', 'by_manager', 'phase', 'node', 'ready'].map((field) => ({
    field,
    type: 'string',
  })),
  { field: 'resource_version', type: 'int64' },
  { field: 'object', type: 'string', name: 'io.debezium.data.Json' },
];

/** @param home where Connect and the connector are */
export async function debeziumRun(stack: Stack, home: string, topic: FlatTopic, withHistory: boolean): Promise<Sample['values']> {
  const id = `debezium_${Date.now().toString(36)}`;
  const folder = path.join(stack.dir, 'connect', id);
  mkdirSync(folder, { recursive: true });
  const url = new URL(stack.databaseUrl);
  url.pathname = `/${id}`;
  await withClient(stack.databaseUrl, (client) => client.query(`CREATE DATABASE ${id}`));
  // Its name is its consumer group: another run begins at the beginning.
  const tables = ['present', ...(withHistory ? ['history'] : [])].map((table) => ({ table, name: `${id}_${table}` }));
  const connectors = tables.map(({ table, name }) => connector(folder, name, table, topic, url));
  const names = tables.map(({ name }) => name);
  const postmaster = stack.pid('postgres');
  try {
    return await withClient(url.toString(), async (client) => {
      const worker = await ConnectWorker.start(stack, {
        home,
        folder,
        connectors,
        heapMb: HEAP_MB,
        worker: [`consumer.max.poll.records=${BATCH}`, 'consumer.fetch.min.bytes=1'],
      });
      try {
        const startedMs = await when('its first rows', () => told(worker, names, began(client)), WITHIN_MS, 5);
        const used = { worker: cpuSeconds([worker.pid]), postgres: cpuSeconds(familyOf(postmaster)) };
        const endedMs = await when('its last rows', () => told(worker, names, isDone(client, topic, withHistory)), WITHIN_MS);
        const now = { worker: cpuSeconds([worker.pid]), postgres: cpuSeconds(familyOf(postmaster)) };
        const each = (after: number | null, before: number | null): number | null =>
          after === null || before === null ? null : ((after - before) / topic.records) * 1000;
        return {
          rate: topic.records / ((endedMs - startedMs) / 1000),
          cpu: each(now.worker, used.worker),
          postgresCpu: each(now.postgres, used.postgres),
          peak: memoryMb(worker.pid).peak,
          lost: 0,
        };
      } finally {
        await worker.end();
      }
    });
  } finally {
    await withClient(stack.databaseUrl, (client) => client.query(`DROP DATABASE ${id} WITH (FORCE)`));
  }
}

function connector(folder: string, name: string, table: string, { topic, partitions }: FlatTopic, url: URL): string {
  const file = path.join(folder, `${table}.properties`);
  const settings = [
    `name=${name}`,
    'connector.class=io.debezium.connector.jdbc.JdbcSinkConnector',
    `tasks.max=${partitions}`,
    `topics=${topic}`,
    `connection.url=jdbc:postgresql://${url.host}${url.pathname}`,
    `connection.username=${url.username}`,
    `connection.password=${url.password}`,
    `collection.name.format=${table}`,
    'value.converter=org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable=true',
    `value.converter.schema.content=${JSON.stringify({ type: 'struct', fields: FIELDS })}`,
    'insert.mode=upsert',
    'primary.key.mode=record_value',
    `primary.key.fields=${table === 'present' ? 'uid' : 'uid,resource_version'}`,
    'schema.evolution=basic',
    `batch.size=${BATCH}`,
    'use.reduction.buffer=true',
    'dialect.postgres.unnest.insert.enabled=true',
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  return file;
}

/** A failure of a task is told, where rows would be waited for in vain. */
async function told(worker: ConnectWorker, connectors: readonly string[], isSo: Promise<boolean>): Promise<boolean> {
  if (await isSo) return true;
  for (const name of connectors) await worker.check(name);
  return false;
}

async function began(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass('present') IS NOT NULL AS there");
  if (rows[0]?.there !== true) return false;
  return (await client.query('SELECT FROM present LIMIT 1')).rows.length > 0;
}

/** Each object is there in its last version, and each version in the history. */
async function isDone(client: pg.Client, { objects, records, versions }: FlatTopic, withHistory: boolean): Promise<boolean> {
  const { rows } = await client.query<{ n: string; sum: string }>('SELECT count(*) AS n, sum(resource_version) AS sum FROM present');
  if (Number(rows[0]?.n) !== objects || rows[0]?.sum !== versions.toString()) return false;
  if (!withHistory) return true;
  const { rows: past } = await client.query<{ n: string }>("SELECT CASE WHEN to_regclass('history') IS NULL THEN 0 ELSE 1 END AS n");
  if (Number(past[0]?.n) === 0) return false;
  return Number((await client.query<{ n: string }>('SELECT count(*) AS n FROM history')).rows[0]?.n) === records;
}
