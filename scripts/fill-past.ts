/**
 * How fast the past answers: fills a database of its own with 10,000 pods and 1,000,000 changes of them, asks what people
 * ask, and prints plan and time of each answer.
 *
 *   node scripts/setup.mjs --only=runtime -- scripts/fill-past.ts postgres://postgres@localhost/postgres [--keep] [--plans]
 *   … [--objects 10000] [--changes 1000000] [--days 30]
 *
 * `--keep` leaves the database there for a look; the next run goes on with it, and fills nothing. Where the server runs on
 * this machine, the processor's time that it took is measured too, and counts: it says the same on a busy machine as on an
 * idle one. Exit 1 when an answer took longer than it should.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { migrate } from '../src/postgres/migrate.ts';
import { Database } from '../src/postgres/pool.ts';
import { PostgresStore } from '../src/postgres/store.ts';
import { DEFAULT_TABLES } from '../src/columns/columns.ts';

const NAME = 'kubetape_past';
const ROUNDS = 15;
const NAMESPACES = 50;

interface Question {
  readonly about: string;
  readonly sql: string;
  /** undefined where nothing is promised. */
  readonly withinMs?: number;
}

const UID = `(SELECT uid FROM k8s.pods ORDER BY md5(uid::text) LIMIT 1)`;
const QUESTIONS: readonly Question[] = [
  ...[0.04, 1, 10, 29].map((days) => ({
    about: `pods_at, ${days} days ago`,
    sql: `SELECT namespace, name, phase, ready, restarts, node, images FROM k8s.pods_at(now() - interval '${days} days')`,
    withinMs: 300,
  })),
  { about: 'pods_at, with all objects', sql: "SELECT * FROM k8s.pods_at(now() - interval '10 days')" },
  {
    about: 'history of one object',
    sql: `SELECT changed_at, op, resource_version, by_manager FROM k8s.pods_history WHERE uid = '$uid' ORDER BY changed_at DESC`,
    withinMs: 5,
  },
  {
    about: 'a namespace, the last 15 minutes',
    sql: "SELECT changed_at, op, name, by_manager FROM k8s.pods_history WHERE namespace = 'ns-7' AND changed_at > '$since' ORDER BY changed_at DESC",
    withinMs: 50,
  },
  {
    about: 'the same of every resource',
    sql: "SELECT changed_at, resource, op, name, by_manager FROM k8s.changes WHERE namespace = 'ns-7' AND changed_at > '$since'",
    withinMs: 50,
  },
  {
    about: 'the same, with summaries',
    sql: "SELECT changed_at, resource, op, name, summary FROM k8s.changes WHERE namespace = 'ns-7' AND changed_at > '$since'",
    withinMs: 50,
  },
  {
    about: 'the same, relative to now()',
    sql: "SELECT changed_at, resource, op, name, summary FROM k8s.changes WHERE namespace = 'ns-7' AND changed_at > now() - (now() - '$since'::timestamptz)",
  },
  { about: 'the newest 50 changes', sql: 'SELECT changed_at, resource, op, name, summary FROM k8s.changes LIMIT 50' },
];

function podOf(): object {
  const env = Array.from({ length: 14 }, (_, n) => ({
    name: `SETTING_${n}`,
    value: `https://service-${n}.shop.svc.cluster.local:8080/api`,
  }));
  const container = (name: string): object => ({
    name,
    image: `registry.example/shop/${name}:v42`,
    env,
    ports: [{ containerPort: 8080, protocol: 'TCP' }],
    resources: { limits: { memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
    terminationMessagePath: '/dev/termination-log',
    volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
  });
  const state = { running: { startedAt: '2026-11-20T10:00:00Z' } };
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'x', namespace: 'x', labels: { app: 'checkout', tier: 'backend', 'pod-template-hash': '7d9bcc796' } },
    spec: {
      nodeName: 'node-1',
      containers: [container('main'), container('proxy')],
      volumes: [{ name: 'config', configMap: { name: 'settings' } }],
    },
    status: {
      phase: 'Running',
      podIP: '10.1.2.3',
      conditions: ['Ready', 'ContainersReady', 'Initialized', 'PodScheduled'].map((type) => ({ type, status: 'True' })),
      containerStatuses: ['main', 'proxy'].map((name) => ({ name, ready: true, restartCount: 0, state })),
    },
  };
}

/**
 * A fifth of all changes lies in the last day. Of three objects in ten all changes lie within a single day: what they were
 * on another has to be looked for.
 */
async function fill(client: pg.Client, objects: number, changes: number, days: number): Promise<void> {
  const each = Math.round(changes / objects);
  await client.query(`SET synchronous_commit = off; SET work_mem = '256MB'; SELECT setseed(0.42)`);
  await client.query(`SELECT k8s.ensure_day('pods', (now() AT TIME ZONE 'UTC')::date - n) FROM generate_series(0, $1::int) AS n`, [
    days + 1,
  ]);
  await client.query(
    `CREATE TEMP TABLE made AS
     SELECT *, row_number() OVER (ORDER BY at)::bigint AS rv, lag(at) OVER (PARTITION BY i ORDER BY at) AS previous, lead(at) OVER (PARTITION BY i ORDER BY at) IS NULL AS last
       FROM (SELECT i, md5(i::text)::uuid AS uid, date_trunc('milliseconds', now() - CASE
                      WHEN i % 10 < 3 THEN (i * 37 % ($3::int - 1) + random()) * interval '1 day'
                      WHEN n % 5 < 1 THEN random() * interval '1 day'
                      ELSE random() * $3::int * interval '1 day' END) AS at
               FROM generate_series(1, $1::int) AS i, generate_series(1, $2::int) AS n) AS drawn`,
    [objects, each, days],
  );
  const columns = `'node-' || i % 100, '10.1.2.3', 2 - rv % 2 || '/2', (rv % 7)::int, ARRAY['registry.example/shop/main:v42'], 'ReplicaSet/checkout', 'Running', 'Running', at`;
  const object = `jsonb_set(jsonb_set($1::jsonb, '{status,containerStatuses,0,restartCount}', to_jsonb(rv % 7)), '{metadata,name}', to_jsonb('pod-' || i))`;
  for (let day = days + 1; day >= 0; day -= 1) {
    process.stderr.write(`\r  filling: ${days + 1 - day} of ${days + 1} days `);
    await client.query(
      `INSERT INTO k8s.pods_history (cluster, uid, epoch, resource_version, op, changed_at, previous_at, namespace, name, by_manager, by_operation,
                                     synthetic, snapshot, kafka_partition, kafka_offset, object, node, pod_ip, ready, restarts, images, owner, phase, status, restarted_at)
       SELECT 'prod', uid, 1, rv, CASE WHEN last AND i % 20 = 0 THEN 'd' WHEN previous IS NULL THEN 'c' ELSE 'u' END::"char", at, previous,
              'ns-' || i % ${NAMESPACES}, 'pod-' || i, 'kubelet', 'Update', false, false, i % 12, rv, ${object}, ${columns}
         FROM made WHERE (at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date - $2::int ORDER BY at`,
      [JSON.stringify(podOf()), day],
    );
  }
  process.stderr.write('\n');
  await client.query(
    `INSERT INTO k8s.pods (cluster, uid, namespace, name, resource_version, epoch, created_at, changed_at, deleted_at, object, node, pod_ip, ready, restarts, images, owner, phase, status, restarted_at)
     SELECT h.cluster, h.uid, h.namespace, h.name, h.resource_version, h.epoch, f.first, h.changed_at, CASE h.op WHEN 'd' THEN h.changed_at END,
            h.object, h.node, h.pod_ip, h.ready, h.restarts, h.images, h.owner, h.phase, h.status, h.restarted_at
       FROM made AS m JOIN k8s.pods_history AS h ON h.uid = m.uid AND h.changed_at = m.at AND h.resource_version = m.rv
       JOIN (SELECT uid, min(at) AS first FROM made GROUP BY uid) AS f ON f.uid = m.uid
      WHERE m.last`,
  );
  await client.query('VACUUM ANALYZE k8s.pods');
  await client.query('VACUUM ANALYZE k8s.pods_history');
}

/** Processor time of the server's process for this connection so far (ms); undefined where it is not on this machine. */
function processorMs(pid: number): number | undefined {
  try {
    const [name = '', fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user = '', system = ''] = fields.split(' ').slice(11, 13);
    return name.includes('(postgres') ? (Number(user) + Number(system)) * 10 : undefined;
  } catch {
    return undefined;
  }
}

async function ask(client: pg.Client, { about, sql, withinMs }: Question, plans: boolean): Promise<boolean> {
  if (plans) {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) ${sql}`);
    process.stdout.write(`\n${sql}\n${rows.map((row) => `  ${row['QUERY PLAN']}`).join('\n')}\n`);
  }
  const times: number[] = [];
  let count = 0;
  const { rows: of } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = of[0]?.pid ?? 0;
  const before = processorMs(pid);
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedMs = performance.now();
    count = (await client.query(sql)).rows.length;
    times.push(performance.now() - startedMs);
  }
  times.sort((a, b) => a - b);
  const [best = 0, median = 0] = [times[0], times[ROUNDS >> 1]];
  const after = processorMs(pid);
  const processor = before === undefined || after === undefined ? undefined : (after - before) / ROUNDS;
  const good = withinMs === undefined || (processor ?? median) <= withinMs;
  const wish = withinMs === undefined ? '' : `  ≤ ${withinMs} ms ${good ? '✔' : '✗'}`;
  process.stdout.write(
    `${about.padEnd(36)} ${String(count).padStart(7)} rows   best ${best.toFixed(1).padStart(7)} ms   median ${median.toFixed(1).padStart(7)} ms${processor === undefined ? '' : `   processor ${processor.toFixed(1).padStart(6)} ms`}${wish}\n`,
  );
  return good;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      keep: { type: 'boolean', default: false },
      plans: { type: 'boolean', default: false },
      objects: { type: 'string', default: '10000' },
      changes: { type: 'string', default: '1000000' },
      days: { type: 'string', default: '30' },
    },
  });
  const [server] = positionals;
  if (server === undefined) {
    process.stderr.write('usage: fill-past.ts postgres://… [--keep] [--plans] [--objects N] [--changes N] [--days N]\n');
    return 2;
  }
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  const { rows } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME]);
  if (rows.length === 0) await admin.query(`CREATE DATABASE ${NAME}`);
  const url = new URL(server);
  url.pathname = `/${NAME}`;
  const client = new pg.Client({ connectionString: url.toString() });
  try {
    const database = new Database({ url: url.toString(), applicationName: 'kubetape-fill', poolMax: 1 });
    await migrate(database);
    for (const table of DEFAULT_TABLES) await new PostgresStore(database).ensureTable(table);
    await database.close();
    await client.connect();
    const { rows: there } = await client.query('SELECT 1 FROM k8s.pods LIMIT 1');
    if (there.length === 0) await fill(client, Number(values.objects), Number(values.changes), Number(values.days));
    const { rows: facts } = await client.query<{ uid: string; since: string; n: string; size: string }>(
      `SELECT ${UID} AS uid, (SELECT max(changed_at) - interval '15 minutes' FROM k8s.pods_history)::text AS since, (SELECT count(*) FROM k8s.pods_history) AS n, pg_size_pretty(pg_database_size(current_database())) AS size`,
    );
    const [fact] = facts;
    process.stdout.write(`${fact?.n} changes, ${fact?.size}\n`);
    let good = true;
    for (const question of QUESTIONS) {
      const sql = question.sql.replace('$uid', fact?.uid ?? '').replace('$since', fact?.since ?? '');
      good = (await ask(client, { ...question, sql }, values.plans)) && good;
    }
    return good ? 0 : 1;
  } finally {
    await client.end();
    if (!values.keep) await admin.query(`DROP DATABASE ${NAME} WITH (FORCE)`);
    await admin.end();
  }
}

process.exitCode = await main();
