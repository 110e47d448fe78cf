/**
 * latency: a real cluster, changed at a steady rate; from just before the write request is sent to a committed record that
 * a read_committed consumer holds, and to a row that is committed in Postgres. One machine, one clock; the time of the
 * change travels in an annotation of the object itself.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import kafka from 'node-rdkafka';
import type { Stack } from '../../stack/stack.ts';
import { Installation, withClient } from '../product.ts';
import type { Report, Sample } from '../report.ts';
import { profiling, type Bench } from '../scenario.ts';
import { percentile } from '../statistics.ts';
import { when } from '../wait.ts';

/** Changes a second; 0 is as many as the cluster takes. */
const RATES = [50, 200, 0];
const OBJECTS = 200;
/** Requests that may be under way at once. */
const PARALLEL = 16;
const WITHIN_MS = 120_000;
const NAMESPACE = 'bench';
const SENT = 'bench.kubetape/sent';

const COLUMNS = [
  { key: 'rate', title: 'changes/s', digits: 0 },
  { key: 'kafka50', title: 'Kafka p50 ms', digits: 0 },
  { key: 'kafka99', title: 'p99', digits: 0 },
  { key: 'kafkaMax', title: 'max', digits: 0 },
  { key: 'row50', title: 'row p50 ms', digits: 0 },
  { key: 'row99', title: 'p99', digits: 0 },
  { key: 'rowMax', title: 'max', digits: 0 },
  { key: 'request50', title: 'request p50 ms', digits: 0 },
  { key: 'lost', title: 'lost', digits: 0 },
] as const;

export async function latency(bench: Bench): Promise<Report> {
  const { options, stack, say } = bench;
  const seconds = options.events ?? 20;
  // Lets every row tell when it was committed.
  await withClient(stack.databaseUrl, (client) => client.query('ALTER SYSTEM SET track_commit_timestamp = on'));
  await stack.stop('postgres');
  await stack.start('postgres');
  const cluster = new Cluster(stack);
  await cluster.create(OBJECTS);
  const samples: Sample[] = [];
  const installation = await Installation.create(stack, { KUBETAPE_RESOURCES: 'configmaps' });
  const watcher = await TopicWatcher.open(stack, installation.topic('configmaps'));
  try {
    const collector = await installation.start('collect', {}, profiling(options));
    const sink = await installation.start('sink', {}, profiling(options));
    await when('both roles to be ready', async () => (await collector.ready()) && (await sink.ready()), WITHIN_MS, 100);
    for (let run = 1; run <= options.runs; run += 1) {
      for (const rate of RATES) {
        const values = await rateRun(cluster, watcher, installation, rate, seconds);
        samples.push({ subject: subjectOf(rate), values });
        say(`${subjectOf(rate)}: Kafka p50 ${values['kafka50']} ms, row p50 ${values['row50']} ms`);
      }
    }
  } finally {
    await watcher.close();
    await installation.close();
    cluster.close();
  }
  return {
    bench: 'latency',
    about: 'A real API server, etcd, Kafka and Postgres on one machine: from before the write request to committed',
    parameters: { objects: OBJECTS, 'seconds a rate': seconds, runs: options.runs },
    columns: COLUMNS,
    samples,
    ratios: [],
    notes: [
      'The time of the request itself is in all figures: the API server and etcd commit the change within it.',
      'Kafka: when a consumer with isolation.level=read_committed held the record. Row: the commit time that Postgres keeps (track_commit_timestamp).',
    ],
  };
}

function subjectOf(rate: number): string {
  return rate === 0 ? 'as fast as the cluster takes' : `${rate} changes/s`;
}

async function rateRun(
  cluster: Cluster,
  watcher: TopicWatcher,
  installation: Installation,
  rate: number,
  seconds: number,
): Promise<Sample['values']> {
  watcher.clear();
  const startedMs = now();
  const { sent, requests } = await cluster.change(rate, seconds);
  const tookSeconds = (now() - startedMs) / 1000;
  await when('the last change in Kafka', () => watcher.seen.size >= sent.length, WITHIN_MS, 20).catch(() => undefined);
  const rows = async (): Promise<{ sent: string; at: string }[]> =>
    installation.query<{ sent: string; at: string }>(
      `SELECT object #>> '{metadata,annotations,${SENT}}' AS sent, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS at
         FROM k8s.configmaps_history WHERE changed_at >= to_timestamp($1) AND object #>> '{metadata,annotations,${SENT}}' IS NOT NULL`,
      [startedMs / 1000],
    );
  let written: { sent: string; at: string }[] = [];
  await when('the last row', async () => (written = await rows()).length >= sent.length, WITHIN_MS, 200).catch(() => undefined);
  const toKafka = sent.flatMap((mark) => {
    const seenMs = watcher.seen.get(mark);
    return seenMs === undefined ? [] : [seenMs - Number(mark)];
  });
  const toRow = written.map(({ sent: mark, at }) => Number(at) - Number(mark));
  const of = (values: readonly number[], p: number): number => Math.round(percentile(values, p) * 10) / 10;
  return {
    rate: sent.length / tookSeconds,
    kafka50: of(toKafka, 0.5),
    kafka99: of(toKafka, 0.99),
    kafkaMax: of(toKafka, 1),
    row50: of(toRow, 0.5),
    row99: of(toRow, 0.99),
    rowMax: of(toRow, 1),
    request50: of(requests, 0.5),
    lost: sent.length - Math.min(toKafka.length, toRow.length),
  };
}

/** ms since 1970, with fractions: each change's mark is its own. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

class Cluster {
  readonly #stack: Stack;
  readonly #agent: Agent;
  #objects = 0;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#agent = new Agent({ keepAlive: true, maxSockets: PARALLEL, ca: readFileSync(stack.caFile) });
  }

  async create(objects: number): Promise<void> {
    this.#objects = objects;
    await this.#call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
    for (let at = 0; at < objects; at += 1) {
      await this.#call('POST', `/api/v1/namespaces/${NAMESPACE}/configmaps`, {
        metadata: { name: `settings-${at}` },
        data: { 'settings.yaml': 'a: 1\n'.repeat(400) },
      });
    }
  }

  /** Patches one object after the other for so long. @returns the marks of the changes, and how long each request took (ms) */
  async change(rate: number, seconds: number): Promise<{ sent: string[]; requests: number[] }> {
    const sent: string[] = [];
    const requests: number[] = [];
    const startedMs = now();
    let next = 0;
    const work = async (): Promise<void> => {
      for (;;) {
        const at = next;
        next += 1;
        const dueMs = rate === 0 ? now() : startedMs + (1000 * at) / rate;
        if (Math.max(dueMs, now()) > startedMs + seconds * 1000) return;
        if (dueMs > now()) await new Promise((resolve) => setTimeout(resolve, dueMs - now()));
        const mark = now().toFixed(3);
        const patch = { metadata: { annotations: { [SENT]: mark } } };
        await this.#call('PATCH', `/api/v1/namespaces/${NAMESPACE}/configmaps/settings-${at % this.#objects}`, patch);
        requests.push(now() - Number(mark));
        sent.push(mark);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return { sent, requests };
  }

  close(): void {
    this.#agent.destroy();
  }

  #call(method: string, pathname: string, body: object): Promise<void> {
    const text = JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.#stack.adminToken}`,
      'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    return new Promise((resolve, reject) => {
      const call = request(`${this.#stack.apiUrl}${pathname}`, { method, headers, agent: this.#agent }, (response) => {
        response.resume().once('end', () => {
          if ((response.statusCode ?? 500) < 300) resolve();
          else reject(new Error(`${method} ${pathname}: ${response.statusCode}`));
        });
      });
      call.once('error', reject);
      call.end(text);
    });
  }
}

const MARK = Buffer.from(`"${SENT}":"`);

/** A consumer of committed records that notes when it first held each mark. */
class TopicWatcher {
  readonly seen = new Map<string, number>();
  readonly #consumer: kafka.KafkaConsumer;
  #closed = false;

  private constructor(consumer: kafka.KafkaConsumer) {
    this.#consumer = consumer;
  }

  static async open(stack: Stack, topic: string): Promise<TopicWatcher> {
    const consumer = new kafka.KafkaConsumer(
      {
        'metadata.broker.list': stack.brokers,
        'group.id': 'kubetape-bench-latency',
        'isolation.level': 'read_committed',
        'fetch.wait.max.ms': 500,
      },
      { 'auto.offset.reset': 'earliest' },
    );
    await new Promise<void>((resolve, reject) => consumer.connect({}, (error) => (error ? reject(error) : resolve())));
    consumer.setDefaultConsumeTimeout(5);
    consumer.assign([0, 1, 2].map((partition) => ({ topic, partition, offset: 0 })));
    const watcher = new TopicWatcher(consumer);
    watcher.#poll();
    return watcher;
  }

  clear(): void {
    this.seen.clear();
  }

  close(): Promise<void> {
    this.#closed = true;
    return new Promise((resolve) => {
      this.#consumer.disconnect(() => resolve());
    });
  }

  #poll(): void {
    if (this.#closed) return;
    this.#consumer.consume(64, (_error, messages) => {
      const atMs = now();
      for (const { value } of messages ?? []) {
        const at = value?.indexOf(MARK) ?? -1;
        if (value === null || at < 0) continue;
        const from = at + MARK.length;
        const mark = value.toString('latin1', from, value.indexOf(0x22, from));
        if (!this.seen.has(mark)) this.seen.set(mark, atMs);
      }
      setImmediate(() => this.#poll());
    });
  }
}
