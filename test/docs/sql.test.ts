/** The queries of docs/sql.md, run as they stand there, by who may only read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ensureReader } from '../../src/postgres/reader.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { DEFAULT_TABLES } from '../../src/columns/columns.ts';
import { freshDatabase } from '../postgres/database.ts';
import { newUid, record } from '../postgres/recording.ts';

const text = readFileSync(new URL('../../docs/sql.md', import.meta.url), 'utf8');
const queries = [...text.matchAll(/([^\n]+)\n```sql\n([\s\S]*?)```/g)].map(([, about = '', sql = '']) => ({ about, sql }));

const { database } = await freshDatabase();
for (const table of DEFAULT_TABLES) await new PostgresStore(database).ensureTable(table);
await ensureReader(database);

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

function deployment(image: string, ready: number, by: string): Parameters<typeof record>[1][number] {
  return {
    name: 'checkout',
    by,
    resourceVersion: 0,
    object: {
      kind: 'Deployment',
      metadata: { name: 'checkout', namespace: 'shop' },
      spec: { replicas: 3, template: { spec: { containers: [{ name: 'main', image: `shop/checkout:${image}` }] } } },
      status: { readyReplicas: ready },
    },
  };
}

function pod(name: string, restartCount: number): Record<string, unknown> {
  const lastState = restartCount === 0 ? {} : { terminated: { reason: 'OOMKilled', finishedAt: minutesAgo(9) } };
  const state = restartCount === 0 ? { running: {} } : { waiting: { reason: 'CrashLoopBackOff' } };
  return {
    kind: 'Pod',
    metadata: { name, namespace: 'shop', ownerReferences: [{ kind: 'ReplicaSet', name: 'checkout-7d9', controller: true }] },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'shop/checkout:v2' }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', ready: true, restartCount, state, lastState }] },
  };
}

/** An evening in the shop. */
async function anEvening(): Promise<void> {
  const [checkout, web, importer, late] = [newUid(), newUid(), newUid(), newUid()];
  await record(
    database,
    [
      { ...deployment('v1', 3, 'argocd-controller'), uid: checkout, resourceVersion: 10, op: 'c', ts: minutesAgo(180) },
      { ...deployment('v2', 3, 'kubectl-edit'), uid: checkout, resourceVersion: 20, ts: minutesAgo(40) },
      { ...deployment('v2', 1, 'kube-controller-manager'), uid: checkout, resourceVersion: 30, ts: minutesAgo(10) },
    ],
    10,
    'deployments',
  );
  await record(database, [
    { name: 'checkout-1', uid: web, resourceVersion: 11, op: 'c', ts: minutesAgo(170), object: pod('checkout-1', 0) },
    { name: 'importer', uid: importer, resourceVersion: 12, op: 'c', ts: minutesAgo(160), object: pod('importer', 0) },
    { name: 'checkout-1', uid: web, resourceVersion: 31, ts: minutesAgo(9), object: pod('checkout-1', 1) },
    { name: 'importer', uid: importer, resourceVersion: 32, op: 'd', ts: minutesAgo(8), object: pod('importer', 0) },
    { name: 'checkout-2', uid: late, resourceVersion: 33, op: 'c', ts: minutesAgo(7), object: pod('checkout-2', 0) },
  ]);
  const settings = newUid();
  await record(
    database,
    ['info', 'debug'].map((level, n) => ({
      name: 'settings',
      by: 'kubectl-edit',
      uid: settings,
      resourceVersion: 40 + n,
      op: n === 0 ? ('c' as const) : ('u' as const),
      ts: minutesAgo(50 - n * 20),
      object: { kind: 'ConfigMap', data: { 'log.level': level } },
    })),
    10,
    'configmaps',
  );
  const event = {
    kind: 'Event',
    type: 'Warning',
    reason: 'BackOff',
    regarding: { kind: 'Pod', name: 'checkout-1' },
    note: 'Back-off restarting',
  };
  await record(
    database,
    [{ name: 'checkout-1.17a', uid: newUid(), resourceVersion: 50, op: 'c', ts: minutesAgo(6), object: event }],
    1,
    'events',
  );
  const edge = (minutes: number): object => ({ resourceVersion: '1', epoch: 1, ts: minutesAgo(minutes) });
  await database.query(
    `INSERT INTO k8s.event_stream (cluster, resource, namespace, name, type, at, detail, kafka_topic, kafka_partition, kafka_offset)
     VALUES ('test', 'pods', '', '', 'coverage.gap', now(), $1, 'event-stream', 0, 0)`,
    [JSON.stringify({ cause: 'expired', from: edge(20), to: edge(15) })],
  );
}

await anEvening();

describe('docs/sql.md', () => {
  it('has queries', () => assert.ok(queries.length >= 15, `only ${queries.length}`));
  for (const { about, sql } of queries) {
    it(`answers: ${about}`, async () => {
      const rows = await database.with(async (client) => {
        await client.query('BEGIN READ ONLY');
        await client.query('SET LOCAL ROLE kubetape_reader');
        const result = await client.query(sql);
        await client.query('COMMIT');
        return result.rows as Record<string, unknown>[];
      });
      assert.ok(rows.length > 0, 'no rows');
      for (const column of Object.keys(rows[0] ?? {}))
        assert.ok(
          rows.some((row) => row[column] !== null),
          `nothing in ${column}`,
        );
    });
  }
});
