/** `npm run demo`: the whole of kubetape on this machine, with something to see. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { decodeChange } from '../src/events/change.ts';
import { tableOf, topicOf } from '../src/events/resource.ts';
import { GroupConsumer } from '../src/kafka/group-consumer.ts';
import { Database } from '../src/postgres/pool.ts';
import { parseOptions, USAGE, type DemoOptions } from './demo/options.ts';
import { Role, runVerb } from './demo/roles.ts';
import { View } from './demo/view.ts';
import { Workloads } from './demo/workloads.ts';
import { BINARIES, KAFKA_HOME, ROOT } from './setup/places.mjs';
import { Stack, type ServerName } from './stack/stack.ts';

const DIR = path.join(ROOT, '.kubetape', 'demo');
const RESOURCES = ['pods', 'services', 'deployments', 'statefulsets', 'configmaps', 'secrets', 'events'];
const KUBECTL = existsSync(BINARIES.kubectl) ? BINARIES.kubectl : 'kubectl';
const KUBERNETES: readonly ServerName[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'];

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const view = new View(process.stdout);
  const ends: (() => Promise<void>)[] = [];
  try {
    return await demo(options, view, stop.signal, ends);
  } finally {
    view.clearStatus();
    if (ends.length > 0) view.line('Stopping …');
    for (const end of ends.toReversed()) await end();
  }
}

async function demo(options: DemoOptions, view: View, signal: AbortSignal, ends: (() => Promise<void>)[]): Promise<number> {
  const startedMs = Date.now();
  const seconds = (): string => `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
  const servers: ServerName[] = [
    ...(options.kubeconfig === null ? KUBERNETES : []),
    ...(options.kafkaBrokers === null ? (['kafka'] as const) : []),
    ...(options.databaseUrl === null ? (['postgres'] as const) : []),
  ];
  const stack = new Stack(DIR);
  if (servers.length > 0) {
    view.line(`Starting ${servers.join(', ')} (usually 10 s)`);
    await stack.reset();
    ends.push(() => stack.down());
    await Stack.up(
      DIR,
      (server, happened) => (happened === 'ready' ? view.line(`  ✔ ${server.padEnd(24)} ${seconds()}`) : undefined),
      servers,
    );
  }
  if (signal.aborted) return 130;
  const kubeconfig = options.kubeconfig ?? stack.kubeconfig;
  const brokers = options.kafkaBrokers ?? stack.brokers;
  const databaseUrl = options.databaseUrl ?? stack.databaseUrl;
  const env = {
    KUBETAPE_KUBECONFIG: path.resolve(kubeconfig),
    KUBETAPE_KAFKA_BROKERS: brokers,
    DATABASE_URL: databaseUrl,
    KUBETAPE_HMAC_KEY: process.env['KUBETAPE_HMAC_KEY'] ?? 'the key of the demo',
  };

  runVerb(['topics'], env);
  view.line(`  ✔ topics                   ${seconds()}`);
  runVerb(['migrate'], env);
  view.line(`  ✔ schema                   ${seconds()}`);
  // A cluster of the user's is only watched; and after a kill -9 nobody has to wait for a Lease to run out.
  const collect = new Role('collect', ['--no-leader-election'], env, path.join(DIR, 'logs'));
  const roles = [collect, new Role('sink', [], env, path.join(DIR, 'logs'))] as const;
  for (const role of roles) ends.push(() => role.stop());
  for (const role of roles) {
    while (!(await role.ready())) {
      if (signal.aborted) return 130;
      if (!role.alive) throw new Error(`kubetape ${role.name} ended:\n${role.lastWords()}`);
      if (Date.now() - startedMs > 120_000) throw new Error(`kubetape ${role.name} is not ready:\n${role.lastWords()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    view.line(`  ✔ kubetape ${role.name.padEnd(15)} ${seconds()}`);
  }
  await showChanges(brokers, view, signal, ends);
  if (options.workloads) {
    const workloads = new Workloads(KUBECTL, kubeconfig, options.kubeconfig === null);
    await workloads.start();
    ends.push(() => workloads.stop(options.kubeconfig !== null));
    view.line(`  ✔ sample workloads         ${seconds()}`);
  }
  hints(view, { kubeconfig, brokers, databaseUrl, collector: roles[0].pid });
  return watch(options, databaseUrl, roles, view, signal);
}

interface Places {
  readonly kubeconfig: string;
  readonly brokers: string;
  readonly databaseUrl: string;
  readonly collector: number;
}

function hints(view: View, { kubeconfig, brokers, databaseUrl, collector }: Places): void {
  const relative = (file: string): string => path.relative(process.cwd(), file) || file;
  view.line(`
Try in another terminal:

  SQL       psql '${databaseUrl}' -c "SELECT changed_at, op, name, by_manager FROM k8s.deployments_history ORDER BY changed_at DESC LIMIT 10"
  Kafka     java -cp '${path.join(KAFKA_HOME, 'libs')}/*' org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server ${brokers} --topic k8s-pods --from-beginning
  kubectl   ${KUBECTL} --kubeconfig ${relative(kubeconfig)} -n kubetape-demo get pods
  kubetape  KAFKA_BROKERS=${brokers} DATABASE_URL='${databaseUrl}' ${relative(path.join(ROOT, 'bin', 'kubetape.js'))} check --kubeconfig ${relative(kubeconfig)}
  a crash   kill -9 ${collector}     # the collector; it is started again, and no change is lost or recorded twice

Ctrl-C stops everything. Logs: ${relative(path.join(DIR, 'logs'))}
`);
}

/** Every change from now on, as it is committed. */
async function showChanges(brokers: string, view: View, signal: AbortSignal, ends: (() => Promise<void>)[]): Promise<void> {
  const source = new GroupConsumer({
    connection: { brokers: brokers.split(','), clientId: 'kubetape-demo' },
    groupId: `kubetape-demo-${process.pid}`,
    queuedMaxBytes: 8 * 1024 * 1024,
  });
  const assigned = Promise.withResolvers<void>();
  await source.start(
    RESOURCES.map((resource) => topicOf(resource)),
    {
      assigned: async (partitions) => {
        const starts = await Promise.all(partitions.map(async (at) => ({ ...at, offset: (await source.watermarks(at)).high })));
        assigned.resolve();
        return starts;
      },
      revoked: () => Promise.resolve(),
    },
  );
  let ended = false;
  const loop = (async () => {
    while (!ended && !signal.aborted) {
      for (const { value } of await source.poll(200)) {
        if (value !== null) view.change(decodeChange(value), Date.now());
      }
    }
  })();
  // A view that breaks must not end what it shows.
  const shown = loop.catch((error: Error) => view.line(`(the view of changes has ended: ${error.message})`));
  ends.push(async () => {
    ended = true;
    await Promise.race([shown, new Promise((resolve) => setTimeout(resolve, 1000))]);
    await source.stop(2000);
  });
  await assigned.promise;
}

/** So often a role that ends is started again; one that was killed for fun is, one that cannot run is not for ever. */
const STARTS_MAX = 20;

/** The status line, until the time is over or Ctrl-C. */
async function watch(
  options: DemoOptions,
  databaseUrl: string,
  roles: readonly [Role, Role],
  view: View,
  signal: AbortSignal,
): Promise<number> {
  const [collector, sink] = roles;
  const startedMs = Date.now();
  let before = { changes: 0, atMs: startedMs };
  /** Of processes that have ended. */
  const ended = { changes: 0, rows: 0 };
  const running = { changes: 0, rows: 0 };
  let lag = 0;
  let starts = 0;
  while (!signal.aborted && (options.forMs === null || Date.now() - startedMs < options.forMs)) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (const role of roles.filter(({ alive }) => !alive)) {
      starts += 1;
      if (starts > STARTS_MAX) throw new Error(`kubetape ${role.name} ends again and again:\n${role.lastWords()}`);
      view.line(`✗ kubetape ${role.name} has ended (${role.end}); it is started again and goes on where it was`);
      const count = role === collector ? 'changes' : 'rows';
      ended[count] += running[count];
      running[count] = 0;
      role.startAgain();
    }
    const [captured, stored] = [await collector.metrics(), await sink.metrics()];
    const nowMs = Date.now();
    running.changes = total(captured, 'kubetape_changes_total') || running.changes;
    running.rows = total(stored, 'kubetape_rows_written_total') || running.rows;
    lag = stored.size === 0 ? lag : total(stored, 'kubetape_consumer_lag_records');
    const changes = ended.changes + running.changes;
    const rate = ((changes - before.changes) * 1000) / Math.max(1, nowMs - before.atMs);
    before = { changes, atMs: nowMs };
    view.status(
      `${rate.toFixed(1)} changes/s   ${changes} changes in Kafka   ${ended.rows + running.rows} rows in Postgres   lag ${lag}   ${Math.round((nowMs - startedMs) / 1000)} s`,
    );
  }
  view.clearStatus();
  // Counters of a process that was killed miss its last second; the tables do not.
  const rows = await rowsSince(databaseUrl, startedMs);
  view.line(`\n${rows} changes in ${Math.round((Date.now() - startedMs) / 1000)} s, in Kafka and in Postgres; lag ${lag} records.`);
  return 0;
}

async function rowsSince(databaseUrl: string, sinceMs: number): Promise<number> {
  const database = new Database({ url: databaseUrl, applicationName: 'kubetape-demo', poolMax: 1 });
  try {
    const tables = RESOURCES.map((resource) => `SELECT count(*)::int AS n FROM k8s.${tableOf(resource)}_history WHERE changed_at >= $1`);
    const rows = await database.query<{ n: number }>(tables.join(' UNION ALL '), [new Date(sinceMs)]);
    return rows.reduce((sum, { n }) => sum + n, 0);
  } finally {
    await database.close();
  }
}

/** The sum over all labels. */
function total(metrics: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [key, value] of metrics) if (key === name || key.startsWith(`${name}{`)) sum += value;
  return sum;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`\ndemo: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
// Clients of Kafka keep threads of their own.
setTimeout(() => process.exit(), 500).unref();
