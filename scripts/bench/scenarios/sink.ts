/**
 * sink: a filled topic → Postgres, present and history and position in one transaction. Beside it COPY of the very same
 * rows into a table like the history, read by the server from a file: no client, no guard, no present.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { onDemand } from '../../setup/on-demand.mjs';
import { Installation, withClient } from '../product.ts';
import { DEBEZIUM, debeziumRun } from '../peers/debezium.ts';
import { fillFlat, fillTopic, type Filled } from '../records.ts';
import type { RatioWanted, Report, Sample } from '../report.ts';
import { profiling, type Bench } from '../scenario.ts';
import { TopicEnd } from '../topic.ts';
import { cpuSeconds, familyOf } from '../usage.ts';
import { when } from '../wait.ts';

const COPY = 'COPY into the history alone';
const WITHIN_MS = 1_200_000;

const COLUMNS = [
  { key: 'rate', title: 'changes/s', digits: 0 },
  { key: 'cpu', title: 'worker CPU-s per 1,000', digits: 4 },
  { key: 'postgresCpu', title: 'Postgres CPU-s per 1,000', digits: 4 },
  { key: 'peak', title: 'peak RSS MB', digits: 0 },
  { key: 'wal', title: 'WAL bytes per change', digits: 0 },
  { key: 'table', title: 'table bytes per change', digits: 0 },
  { key: 'lost', title: 'lost', digits: 0 },
] as const;

interface Load {
  readonly objects: number;
  readonly records: number;
}

export async function sink(bench: Bench): Promise<Report> {
  const { options, stack, say } = bench;
  const load: Load = {
    objects: options.objects ?? (options.quick ? 2_000 : 5_000),
    records: options.events ?? (options.quick ? 40_000 : 200_000),
  };
  const connect = options.peers.includes('debezium') ? await onDemand('connect') : null;
  const samples: Sample[] = [];
  let bytes = 0;
  for (let run = 1; run <= options.runs; run += 1) {
    for (const partitions of options.partitions) {
      const installation = await Installation.create(stack, { KUBETAPE_PARTITIONS: String(partitions) });
      try {
        const filled = await fillTopic(stack, installation.topic('pods'), options.seed, load.objects, load.records);
        bytes = filled.bytes;
        const values = await productRun(bench, installation, filled, load, partitions);
        samples.push({ subject: subjectOf(partitions), values });
        say(`${subjectOf(partitions)}: ${Math.round(values['rate'] ?? 0).toLocaleString('en')} changes/s`);
        if (connect !== null) samples.push(...(await debezium(bench, connect, load, partitions)));
        if (partitions !== options.partitions[0]) continue;
        const copied = await copyRun(bench, installation, load);
        samples.push({ subject: COPY, values: copied });
        say(`${COPY}: ${Math.round(copied['rate'] ?? 0).toLocaleString('en')} rows/s`);
      } finally {
        await installation.close();
      }
    }
  }
  const [server] = await withClient(stack.databaseUrl, async (client) => {
    const { rows } = await client.query<{ version: string; lz4: boolean }>(
      "SELECT current_setting('server_version') AS version, 'lz4' = ANY (enumvals) AS lz4 FROM pg_settings WHERE name = 'default_toast_compression'",
    );
    return rows;
  });
  return {
    bench: 'sink',
    about: 'A filled topic → the present, the history and the position in one Postgres transaction',
    parameters: {
      ...load,
      'bytes a record': Math.round(bytes / load.records),
      seed: options.seed,
      runs: options.runs,
      postgres: server?.version ?? '',
      compression: server?.lz4 === true ? 'lz4' : 'pglz',
    },
    columns: COLUMNS,
    samples,
    ratios: options.partitions.flatMap((partitions) => {
      const to = (other: string, atLeast?: number): RatioWanted => ({
        title: `${subjectOf(partitions)}, to ${other}, rows/s`,
        key: 'rate',
        of: subjectOf(partitions),
        to: other,
        ...(atLeast === undefined ? {} : { target: { atLeast } }),
      });
      if (connect === null) return [to(COPY)];
      return [
        to(COPY),
        to(`${DEBEZIUM.present}, ${partitionsText(partitions)}`, 0.9),
        to(`${DEBEZIUM.both}, ${partitionsText(partitions)}`, 2),
      ];
    }),
    notes: [
      'COPY writes each row once; the sink writes it to the history and, where it is the newest of its object in the batch, to the present.',
      'Postgres runs with fsync off, as the test servers do: the disk is not what is measured.',
    ],
  };
}

/** The same rows, through the connectors. */
async function debezium({ options, stack, say }: Bench, home: string, { objects, records }: Load, partitions: number): Promise<Sample[]> {
  const topic = await fillFlat(stack, `bench-flat-${Date.now().toString(36)}`, partitions, options.seed, objects, records);
  const samples: Sample[] = [];
  for (const [name, withHistory] of [
    [DEBEZIUM.present, false],
    [DEBEZIUM.both, true],
  ] as const) {
    const subject = `${name}, ${partitionsText(partitions)}`;
    const values = await debeziumRun(stack, home, topic, withHistory);
    samples.push({ subject, values });
    say(`${subject}: ${Math.round(values['rate'] ?? 0).toLocaleString('en')} changes/s`);
  }
  return samples;
}

const partitionsText = (partitions: number): string => `${partitions} partition${partitions === 1 ? '' : 's'}`;

function subjectOf(partitions: number): string {
  return `kubetape sink, ${partitionsText(partitions)}`;
}

async function productRun(
  { options, stack }: Bench,
  installation: Installation,
  { records }: Filled,
  { objects }: Load,
  partitions: number,
): Promise<Sample['values']> {
  const end = await TopicEnd.open(stack, installation.topic('pods'), partitions);
  // Behind the last record of each partition lies the marker of its transaction, which is not waited for.
  const target = (await end.records()) - partitions;
  await end.close();
  const client = new pg.Client({ connectionString: installation.databaseUrl });
  await client.connect();
  try {
    const [log] = (await client.query<{ at: string }>('SELECT pg_current_wal_lsn() AS at')).rows;
    const position = async (): Promise<number> => {
      const { rows } = await client.query<{ at: string | null }>(
        "SELECT sum(next_offset) AS at FROM k8s.sink_offsets WHERE topic LIKE '%k8s-pods'",
      );
      return Number(rows[0]?.at ?? 0);
    };
    const postmaster = stack.pid('postgres');
    const worker = await installation.start('sink', {}, profiling(options));
    let first = 0;
    // The time that it takes to start and to join the group is not the sink's speed.
    const startedMs = await when('the first rows', async () => (first = await position()) > 0, WITHIN_MS, 5);
    const used = { worker: worker.cpuSeconds, postgres: cpuSeconds(familyOf(postmaster)) };
    const endedMs = await when('the last rows', async () => (await position()) >= target, WITHIN_MS);
    const now = { worker: worker.cpuSeconds, postgres: cpuSeconds(familyOf(postmaster)) };
    const { peak } = worker.memory;
    await worker.end();
    const [sizes] = (
      await client.query<{ wal: string; bytes: string; history: string; present: string }>(
        `SELECT pg_current_wal_lsn() - $1::pg_lsn AS wal,
                (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
                  WHERE c.relnamespace = 'k8s'::regnamespace AND c.relkind = 'r' AND c.relname LIKE 'pods%') AS bytes,
                (SELECT count(*) FROM k8s.pods_history) AS history, (SELECT count(*) FROM k8s.pods) AS present`,
        [log?.at],
      )
    ).rows;
    if (Number(sizes?.present) !== objects) throw new Error(`the present has ${sizes?.present} rows of ${objects} objects`);
    const measured = records - first;
    const each = (after: number | null, before: number | null): number | null =>
      after === null || before === null ? null : ((after - before) / measured) * 1000;
    return {
      rate: measured / ((endedMs - startedMs) / 1000),
      cpu: each(now.worker, used.worker),
      postgresCpu: each(now.postgres, used.postgres),
      peak,
      wal: Number(sizes?.wal) / records,
      table: Number(sizes?.bytes) / records,
      lost: records - Number(sizes?.history),
    };
  } finally {
    await client.end();
  }
}

/** The rows that the sink has just written, once more. */
async function copyRun({ stack }: Bench, installation: Installation, { records }: Load): Promise<Sample['values']> {
  const dir = path.join(stack.dir, 'copy');
  mkdirSync(dir, { recursive: true });
  // The server writes and reads the file, and may run as another user.
  chmodSync(dir, 0o777);
  const file = path.join(dir, `${installation.id}.copy`);
  const postmaster = stack.pid('postgres');
  try {
    return await withClient(installation.databaseUrl, async (client) => {
      await client.query(`COPY (SELECT * FROM k8s.pods_history) TO '${file}'`);
      await client.query('CREATE TABLE k8s.copied (LIKE k8s.pods_history INCLUDING ALL); CHECKPOINT');
      const [log] = (await client.query<{ at: string }>('SELECT pg_current_wal_lsn() AS at')).rows;
      const used = cpuSeconds(familyOf(postmaster));
      const startedMs = performance.now();
      const { rowCount } = await client.query(`COPY k8s.copied FROM '${file}'`);
      const seconds = (performance.now() - startedMs) / 1000;
      const now = cpuSeconds(familyOf(postmaster));
      const [sizes] = (
        await client.query<{ wal: string; bytes: string }>(
          "SELECT pg_current_wal_lsn() - $1::pg_lsn AS wal, pg_total_relation_size('k8s.copied') AS bytes",
          [log?.at],
        )
      ).rows;
      const rows = rowCount ?? 0;
      return {
        rate: rows / seconds,
        postgresCpu: now === null || used === null ? null : ((now - used) / rows) * 1000,
        wal: Number(sizes?.wal) / rows,
        table: Number(sizes?.bytes) / rows,
        lost: records - rows,
      };
    });
  } finally {
    rmSync(file, { force: true });
  }
}
