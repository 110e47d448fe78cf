/**
 * past: a database with 10,000 pods and 1,000,000 changes of them; what people ask, in SQL and with the command line, from
 * the question to the last row.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type pg from 'pg';
import { ROOT } from '../../setup/places.mjs';
import { CLUSTER, fillPast } from '../past/fill.ts';
import { COMMANDS, QUESTIONS, type Question } from '../past/questions.ts';
import { Installation, withClient } from '../product.ts';
import type { Report, Sample } from '../report.ts';
import type { Bench } from '../scenario.ts';
import { spreadOf } from '../statistics.ts';
import { cpuSeconds } from '../usage.ts';

const OBJECTS = 10_000;
const CHANGES = 1_000_000;
const DAYS = 30;
/** Rounds in one run: the kernel counts processor time in hundredths of a second. */
const ROUNDS = 10;
const BIN = path.join(ROOT, 'bin', 'kubetape.js');

const COLUMNS = [
  { key: 'ms', title: 'ms', digits: 1 },
  { key: 'cpu', title: 'CPU ms', digits: 1 },
  { key: 'limit', title: 'at most ms', digits: 0 },
  { key: 'rows', title: 'rows', digits: 0 },
] as const;

export async function past(bench: Bench): Promise<Report> {
  const { options, stack, say } = bench;
  const [objects, changes] = [options.objects ?? OBJECTS, options.events ?? CHANGES];
  const installation = await Installation.create(stack, { KUBETAPE_CLUSTER: CLUSTER });
  try {
    const samples = await withClient(installation.databaseUrl, async (client) => {
      await fillPast(client, objects, changes, DAYS, say);
      const questions = await inThisPast(client);
      if (options.plans) for (const question of questions) say(await planOf(client, question));
      return everyRun(options.runs, questions, client, installation.env, say);
    });
    const late = new Set(samples.filter(isLate).map(({ subject }) => subject));
    return {
      bench: 'past',
      about: `${objects.toLocaleString('en')} pods, ${changes.toLocaleString('en')} changes over ${DAYS} days: from the question to the last row`,
      parameters: { objects, changes, rounds: ROUNDS, runs: options.runs },
      columns: COLUMNS,
      samples,
      ratios: [],
      notes: [
        late.size === 0 ? 'Every answer came in time, in every run.' : `Too late in some run: ${[...late].join('; ')}.`,
        'CPU: of a question the server process, of a command its own; the median of ten rounds is one run.',
      ],
    };
  } finally {
    await installation.close();
  }
}

async function everyRun(
  runs: number,
  questions: readonly Question[],
  client: pg.Client,
  env: Record<string, string>,
  say: Bench['say'],
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let run = 1; run <= runs; run += 1) {
    for (const question of questions) samples.push(await ask(client, question));
    for (const { line, limitMs } of COMMANDS) samples.push(await command(line, limitMs, env));
    say(`run ${run} of ${runs}`);
  }
  return samples;
}

async function inThisPast(client: pg.Client): Promise<Question[]> {
  const { rows } = await client.query<{ uid: string; since: string }>(
    `SELECT (SELECT uid FROM k8s.pods ORDER BY md5(uid::text) LIMIT 1) AS uid,
            (SELECT max(changed_at) - interval '15 minutes' FROM k8s.pods_history)::text AS since`,
  );
  const { uid = '', since = '' } = rows[0] ?? {};
  return QUESTIONS.map((question) => ({ ...question, sql: question.sql.replace('$uid', uid).replace('$since', since) }));
}

async function planOf(client: pg.Client, { sql }: Question): Promise<string> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) ${sql}`);
  return `\n${sql}\n${rows.map((row) => `  ${row['QUERY PLAN']}`).join('\n')}\n`;
}

async function ask(client: pg.Client, { about, sql, limitMs }: Question): Promise<Sample> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rounds(about, limitMs, [rows[0]?.pid ?? 0], async () => (await client.query(sql)).rows.length);
}

function command(line: string, limitMs: number | undefined, env: Record<string, string>): Promise<Sample> {
  return rounds(`kubetape ${line}`, limitMs, [process.pid], async () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...line.split(' ')], { env, maxBuffer: 2 ** 30 });
    // A diff that finds something ends with 1.
    if (status !== 0 && !(status === 1 && line.startsWith('diff'))) throw new Error(`kubetape ${line} failed: ${stderr.toString()}`);
    return stdout.toString().split('\n').length - 1;
  });
}

/** @param pids whose processor time it takes */
async function rounds(subject: string, limitMs: number | undefined, pids: readonly number[], work: () => Promise<number>): Promise<Sample> {
  // The first one finds cold caches.
  let rows = await work();
  const before = cpuSeconds(pids);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedMs = performance.now();
    rows = await work();
    times.push(performance.now() - startedMs);
  }
  const after = cpuSeconds(pids);
  const cpu = before === null || after === null ? null : ((after - before) * 1000) / ROUNDS;
  return { subject, values: { ms: spreadOf(times)?.median ?? null, cpu, limit: limitMs ?? null, rows } };
}

function isLate({ values: { ms, limit } }: Sample): boolean {
  return typeof ms === 'number' && typeof limit === 'number' && ms > limit;
}
