/**
 * Change records at line rate, straight into topics, as a collector would write them: in transactions, some of which are
 * aborted. It knows what it committed, and compares the tables with it. It shares no code with producer or sink.
 *   in    a seed, the number of objects
 *   out   creates, updates, deletes (each with its tombstone), re-creates under the same name: other uids
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import kafka from 'node-rdkafka';
import { until } from './kube.ts';
import type { Installation } from './kubetape.ts';
import { seeded } from './workload.ts';

const TIMEOUT_MS = 30_000;
const STATE = -172;
const ARRIVES_WITHIN_MS = 60_000;

export interface FloodSettings {
  readonly seed: number;
  readonly objects?: number;
  /** What an object has besides its names. */
  readonly bytes?: number;
}

export interface Counts {
  readonly changes: number;
  readonly lost: number;
  readonly twice: number;
  readonly outOfOrder: number;
}

interface Found {
  readonly resource: string;
  readonly lost: readonly string[];
  readonly strange: readonly string[];
  readonly twice: number;
  readonly outOfOrder: readonly string[];
  readonly present: readonly string[];
}

interface Living {
  readonly uid: string;
  resourceVersion: number;
}

interface Committed {
  readonly resource: string;
  readonly uid: string;
  readonly resourceVersion: number;
  readonly op: 'c' | 'u' | 'd';
}

export class Flood {
  static readonly CLUSTER = 'flood';
  readonly #producer: kafka.Producer;
  readonly #resources: readonly string[];
  readonly #topicOf: (resource: string) => string;
  readonly #random: () => number;
  readonly #objects: (Living | null)[];
  readonly #committed: Committed[] = [];
  readonly #padding: string;
  #resourceVersion = 1000;
  #ending = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(
    producer: kafka.Producer,
    resources: readonly string[],
    topicOf: (resource: string) => string,
    { seed, objects = 200, bytes = 400 }: FloodSettings,
  ) {
    this.#producer = producer;
    this.#resources = resources;
    this.#topicOf = topicOf;
    this.#random = seeded(seed);
    this.#objects = Array.from({ length: objects }, () => null);
    this.#padding = 'x'.repeat(bytes);
  }

  /** @param resources by their short names; the objects are spread over them */
  static async open(installation: Installation, resources: readonly string[], settings: FloodSettings): Promise<Flood> {
    const producer = new kafka.Producer(
      {
        'metadata.broker.list': installation.stack.brokers,
        'transactional.id': `flood-${installation.id}-${randomUUID()}`,
        'compression.codec': 'lz4',
        'linger.ms': 2,
      },
      { partitioner: 'murmur2' },
    );
    producer.on('event.error', () => undefined);
    await called((done) => producer.connect({ timeout: TIMEOUT_MS }, done));
    producer.setPollInterval(10);
    await called((done) => producer.initTransactions(TIMEOUT_MS, done));
    return new Flood(producer, resources, (resource) => installation.topic(resource), settings);
  }

  get committed(): number {
    return this.#committed.length;
  }

  /** One transaction of `records` changes; one of ten is aborted, with its records in the log. */
  async commit(records: number): Promise<void> {
    const before = this.#objects.map((object) => (object === null ? null : { ...object }));
    const abort = this.#random() < 0.1;
    const changes: Committed[] = [];
    await called((done) => this.#producer.beginTransaction(done));
    try {
      for (let i = 0; i < records; i += 1) changes.push(this.#change());
      if (abort) await called((done) => this.#producer.flush(TIMEOUT_MS, done));
      else await called((done) => this.#producer.commitTransaction(TIMEOUT_MS, done));
    } catch (error) {
      const { code, isTxnRequiresAbort } = error as { readonly code?: number; readonly isTxnRequiresAbort?: boolean };
      // The driver tells in `produce` that the transaction can only be aborted.
      if (code !== STATE && isTxnRequiresAbort !== true) throw error;
      changes.length = 0;
    }
    if (!abort && changes.length > 0) {
      this.#committed.push(...changes);
      return;
    }
    await called((done) => this.#producer.abortTransaction(TIMEOUT_MS, done));
    this.#objects.splice(0, this.#objects.length, ...before);
  }

  /** Goes on until `stop`: `records` changes every `everyMs`. */
  run(records: number, everyMs: number): void {
    this.#running = (async () => {
      while (!this.#ending) {
        await this.commit(records);
        await sleep(everyMs);
      }
    })();
    this.#running.catch(() => undefined);
  }

  /** Resolves once nothing more is written. @throws what went wrong meanwhile */
  async stop(): Promise<void> {
    this.#ending = true;
    await this.#running;
  }

  async close(): Promise<void> {
    this.#ending = true;
    await this.#running.catch(() => undefined);
    await new Promise<void>((resolve) => {
      this.#producer.disconnect(3_000, () => resolve());
    });
  }

  /**
   * Every committed change is in the history once, in order, and the present is the last of each; of what was aborted
   * nothing is.
   * @param tell hears the counts, whether they are good or not
   */
  async verify(installation: Installation, tell: (counts: Counts) => void = () => undefined): Promise<void> {
    const found = await Promise.all(this.#resources.map((resource) => this.#compare(installation, resource)));
    const sum = (of: (one: Found) => number): number => found.reduce((total, one) => total + of(one), 0);
    tell({
      changes: this.committed,
      lost: sum(({ lost }) => lost.length),
      twice: sum(({ twice }) => twice),
      outOfOrder: sum(({ outOfOrder }) => outOfOrder.length),
    });
    for (const { resource, present, ...rest } of found) {
      assert.deepEqual(rest, { lost: [], strange: [], twice: 0, outOfOrder: [] }, `the history of ${resource}`);
      const living = this.#objects.flatMap((object, at) =>
        object === null || this.#resourceOf(at) !== resource ? [] : `${object.uid} ${object.resourceVersion}`,
      );
      assert.deepEqual(present, living.toSorted(), `the present of ${resource}`);
    }
  }

  async #compare(installation: Installation, resource: string): Promise<Found> {
    const table = `k8s.${resource.replaceAll(/[^a-z0-9]/g, '_')}`;
    const committed = this.#committed.filter((change) => change.resource === resource);
    await until(
      `${committed.length} changes in ${table}_history`,
      async () => {
        const count = `SELECT count(*)::int AS n FROM ${table}_history WHERE cluster = $1`;
        const [row] = await installation.query<{ n: number }>(count, [Flood.CLUSTER]);
        return (row?.n ?? 0) >= committed.length;
      },
      ARRIVES_WITHIN_MS,
    ).catch(() => undefined);
    const rows = await installation.query<{ uid: string; rv: number; op: string }>(
      `SELECT uid, resource_version::int AS rv, op::text AS op FROM ${table}_history WHERE cluster = $1 ORDER BY kafka_partition, kafka_offset`,
      [Flood.CLUSTER],
    );
    const actual = new Set(rows.map(({ uid, rv, op }) => `${uid} ${rv} ${op}`));
    const expected = new Set(committed.map(({ uid, resourceVersion, op }) => `${uid} ${resourceVersion} ${op}`));
    const last = new Map<string, number>();
    const outOfOrder: string[] = [];
    for (const { uid, rv } of rows) {
      if (rv < (last.get(uid) ?? 0)) outOfOrder.push(`${uid} goes from ${last.get(uid)} to ${rv}`);
      last.set(uid, rv);
    }
    const present = await installation.query<{ key: string }>(
      `SELECT uid || ' ' || resource_version AS key FROM ${table} WHERE cluster = $1 AND deleted_at IS NULL`,
      [Flood.CLUSTER],
    );
    return {
      resource,
      lost: [...expected].filter((one) => !actual.has(one)),
      strange: [...actual].filter((one) => !expected.has(one)),
      twice: rows.length - actual.size,
      outOfOrder,
      present: present.map(({ key }) => key).toSorted(),
    };
  }

  #resourceOf(at: number): string {
    return this.#resources[at % this.#resources.length] ?? '';
  }

  #change(): Committed {
    const at = Math.floor(this.#random() * this.#objects.length);
    const before = this.#objects[at] ?? null;
    this.#resourceVersion += 1;
    const resourceVersion = this.#resourceVersion;
    const gone = before !== null && this.#random() < 0.1;
    const uid = before?.uid ?? randomUUID();
    const op = before === null ? 'c' : gone ? 'd' : 'u';
    const resource = this.#resourceOf(at);
    const name = `object-${at}`;
    const key = `${Flood.CLUSTER}/flood/${name}`;
    this.#producer.produce(this.#topicOf(resource), null, Buffer.from(this.#record(resource, op, uid, name, resourceVersion)), key);
    if (gone) this.#producer.produce(this.#topicOf(resource), null, null, key);
    this.#objects[at] = gone ? null : { uid, resourceVersion };
    return { resource, uid, resourceVersion, op };
  }

  #record(resource: string, op: string, uid: string, name: string, resourceVersion: number): string {
    const [, ...group] = resource.split('.');
    const kind = 'Flood';
    const metadata = { name, namespace: 'flood', uid, resourceVersion: String(resourceVersion) };
    return JSON.stringify({
      v: 1,
      op,
      ts: new Date().toISOString(),
      cluster: Flood.CLUSTER,
      source: {
        group: group.join('.'),
        version: 'v1',
        resource,
        kind,
        namespace: 'flood',
        name,
        uid,
        resourceVersion: String(resourceVersion),
        epoch: 1,
        snapshot: false,
        synthetic: false,
      },
      by: null,
      object: { apiVersion: `${group.join('.')}/v1`, kind, metadata, spec: { padding: this.#padding } },
    });
  }
}

function called(run: (done: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
