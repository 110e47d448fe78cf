/** The recorded fixtures as a history in a database: written by the sinks' own store, at times that do not change. */
import { encodeChange, type Op } from '../../src/events/change.ts';
import type { Fact } from '../../src/events/fact.ts';
import type { Database } from '../../src/postgres/pool.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { decodeBatch } from '../../src/sinks/batch.ts';
import { DEFAULT_TABLES } from '../../src/columns/columns.ts';
import type { SourceRecord } from '../../src/sinks/ports.ts';
import { versionsOf, type Recorded } from '../diff/fixtures.ts';

export const CLUSTER = 'prod';
/** A while after the fixtures were recorded: of each resource the first version; the others follow, ten seconds apart. */
export const BEGIN = Date.parse('2026-11-21T08:10:00Z');
export const STEP_MS = 10_000;

const OPS: Readonly<Record<string, Op>> = { ADDED: 'c', MODIFIED: 'u', DELETED: 'd' };
/** Deletions of these are left out, so that something is there. */
const KEPT: ReadonlySet<string> = new Set(['deployments/checkout', 'pods/web', 'pods/importer', 'secrets/database', 'services/checkout']);
const WRITERS = ['kubectl-client-side-apply', 'kube-controller-manager', 'helm'];

/** @param cluster another one than the usual, to have two */
export async function recordFixtures(database: Database, cluster = CLUSTER): Promise<void> {
  const store = new PostgresStore(database);
  for (const { resource, group, kind } of DEFAULT_TABLES) {
    const versions = versionsOf(resource as Recorded).filter(({ type, name }) => type !== 'DELETED' || !KEPT.has(`${resource}/${name}`));
    const values = versions.map(({ object, type }, at) => {
      const { name = '', namespace = '', uid = '', resourceVersion = '' } = object['metadata'] as Record<string, string>;
      const source = {
        group,
        version: 'v1',
        resource,
        kind,
        namespace,
        name,
        uid,
        resourceVersion,
        epoch: 1,
        snapshot: false,
        synthetic: false,
      };
      const op = OPS[type] ?? 'u';
      const manager = WRITERS[at % WRITERS.length] ?? '';
      const by = op === 'd' ? null : { manager, operation: 'Update', time: null };
      const ts = new Date(BEGIN + at * STEP_MS).toISOString();
      return encodeChange({ op, ts, cluster, source, by }, JSON.stringify(object));
    });
    await write(store, `k8s-${resource}`, cluster, 'changes', values);
  }
  const gap: Fact = {
    v: 1,
    type: 'coverage.gap',
    ts: new Date(BEGIN + 95_000).toISOString(),
    cluster,
    resource: 'deployments',
    namespace: '',
    name: '',
    detail: {
      cause: 'expired',
      from: { resourceVersion: '1', epoch: 1, ts: new Date(BEGIN + 42_000).toISOString() },
      to: { resourceVersion: '2', epoch: 1, ts: new Date(BEGIN + 95_000).toISOString() },
    },
  };
  await write(store, 'event-stream', cluster, 'facts', [Buffer.from(JSON.stringify(gap))]);
}

async function write(
  store: PostgresStore,
  topic: string,
  cluster: string,
  content: 'changes' | 'facts',
  values: readonly Buffer[],
): Promise<void> {
  const at = { topic, partition: cluster === CLUSTER ? 0 : 1 };
  await store.initialise({ ...at, nextOffset: 0, topicId: null });
  const records = values.map((value, offset): SourceRecord => ({
    ...at,
    offset,
    key: Buffer.from('k'),
    value,
    timestampMs: BEGIN,
    headers: {},
  }));
  const { batch, stop } = decodeBatch(content, 0, records);
  if (stop !== null || batch.deadLetters.length > 0) throw new Error(`the fixtures of ${topic} cannot be recorded`);
  await store.write(batch);
}
