/** What the store does when the connection fails at the worst moment. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isCode, type KubetapeError } from '../../src/events/errors.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { decodeBatch } from '../../src/sinks/batch.ts';
import type { StoreBatch } from '../../src/sinks/ports.ts';
import { changeValue, uidOf } from '../sinks/fakes.ts';
import { until } from '../support/kube.ts';
import { freshDatabase } from './database.ts';
import { proxyTo } from './proxy.ts';

const { url, database, connect } = await freshDatabase();
const proxy = await proxyTo(new URL(url));
after(() => proxy.close());
const through = connect((to) => (to.port = String(proxy.port)), { answerWithinMs: 400 });
const store = new PostgresStore(through);
const direct = new PostgresStore(database);
let partition = 0;

async function newBatch(): Promise<StoreBatch> {
  proxy.onClientData = () => 'pass';
  partition += 1;
  const at = { topic: 'k8s-pods', partition };
  await direct.initialise({ ...at, nextOffset: 0, topicId: null });
  const record = {
    ...at,
    offset: 0,
    key: null,
    value: changeValue({ uid: uidOf(partition), resourceVersion: partition }),
    timestampMs: 0,
    headers: {},
  };
  const { batch } = decodeBatch('changes', 0, [record]);
  // The tables and their days are there: what fails is the batch. A busy machine may take longer for them than this store waits.
  await until('the tables and their days', () => store.write({ ...batch, from: 0, to: 0 }).then(() => true));
  await database.query('DELETE FROM k8s.pods; DELETE FROM k8s.pods_history');
  return batch;
}
const stored = async (): Promise<number> => {
  const [row] = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.pods_history WHERE kafka_partition = $1', [
    partition,
  ]);
  return row?.n ?? 0;
};
const isCommit = (data: Buffer): boolean => data.includes('COMMIT') && !data.includes('COMMITTED');

/** As the sink does: the same batch again, while that can help. */
async function untilItIsIn(batch: StoreBatch): Promise<{ inserted: number; failures: KubetapeError[] }> {
  const failures: KubetapeError[] = [];
  for (let attempt = 0; attempt < 10; attempt += 1) {
    try {
      return { ...(await store.write(batch)), failures };
    } catch (error) {
      if (!isCode(error, 'POSTGRES_UNREACHABLE')) throw error;
      failures.push(error);
    }
  }
  throw new Error('it never went in');
}

test('S4 certain: a COMMIT that arrived and whose answer was lost is looked up at once: no error, no second write', async () => {
  const batch = await newBatch();
  let cuts = 1;
  proxy.onClientData = (data) => (isCommit(data) && cuts-- > 0 ? 'pass, then cut' : 'pass');
  assert.deepEqual(await untilItIsIn(batch), { inserted: 1, failures: [] });
  assert.equal(await stored(), 1);
});

test('S4 certain: a COMMIT that never arrived is repeated', async () => {
  const batch = await newBatch();
  let cuts = 1;
  proxy.onClientData = (data) => (isCommit(data) && cuts-- > 0 ? 'cut' : 'pass');
  const { inserted, failures } = await untilItIsIn(batch);
  assert.deepEqual([inserted, failures.length], [1, 1]);
  assert.equal(await stored(), 1);
});

test('S4 certain: the answer is lost and then the database is away: the next attempt finds that it had happened', async () => {
  const batch = await newBatch();
  let away = false;
  proxy.onClientData = (data) => {
    if (away) return 'cut';
    away = isCommit(data);
    return away ? 'pass, then cut' : 'pass';
  };
  await assert.rejects(store.write(batch), (error) => isCode(error, 'POSTGRES_UNREACHABLE'));
  assert.equal(await stored(), 1);
  proxy.onClientData = () => 'pass';
  assert.deepEqual(await untilItIsIn(batch), { inserted: 1, failures: [] });
  assert.equal(await stored(), 1);
});

test('S4 certain: a server that takes the COMMIT and falls silent', async () => {
  const batch = await newBatch();
  let once = true;
  proxy.onClientData = (data) => {
    if (!isCommit(data) || !once) return 'pass';
    once = false;
    return 'pass, then silence';
  };
  assert.equal((await untilItIsIn(batch)).inserted, 1);
  assert.equal(await stored(), 1);
});

test('S1 atomic: a backend that is terminated in the middle leaves nothing', async () => {
  const batch = await newBatch();
  let kills = 1;
  proxy.onClientData = (data) => {
    if (data.includes('advance') && kills-- > 0) {
      void database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
      );
      return 'silence';
    }
    return 'pass';
  };
  const { inserted, failures } = await untilItIsIn(batch);
  assert.deepEqual([inserted, failures.length > 0], [1, true]);
  assert.equal(await stored(), 1);
});

test('C1 bounded, C2 discards: a server that falls silent costs one time-out, and the connection is not lent again', async () => {
  await newBatch();
  proxy.onClientData = (data) => (data.includes('pg_sleep') ? 'silence' : 'pass');
  const startedMs = performance.now();
  await assert.rejects(through.query('SELECT pg_sleep(0)'), (error) => isCode(error, 'POSTGRES_UNREACHABLE'));
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= 350 && tookMs < 2_000, `${tookMs} ms`);
  assert.deepEqual(await through.query('SELECT 1 AS one'), [{ one: 1 }]);
});

test('C3 survives: a session that is ended in the very moment when it is lent costs a query, not the process', async () => {
  await newBatch();
  const ready = Buffer.from('5a0000000549', 'hex');
  const fields = ['SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command', ''];
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(''));
  const ended = Buffer.concat([Buffer.from('E'), Buffer.from([0, 0, 0, body.length + 4]), body]);
  // In one piece with the word that the session is ready: the driver reads both before anybody has the connection.
  let endings = 3;
  proxy.onServerData = (data) =>
    data.includes('server_version') && data.includes(ready) && endings-- > 0 ? Buffer.concat([data, ended]) : data;
  const fresh = connect((to) => (to.port = String(proxy.port)));
  for (let round = 0; round < 3; round += 1)
    await assert.rejects(fresh.query('SELECT 1'), (error) => isCode(error, 'POSTGRES_UNREACHABLE'));
  assert.deepEqual(await fresh.query('SELECT 1 AS one'), [{ one: 1 }]);
  proxy.onServerData = (data) => data;
});

test('S3 fenced: a worker that was suspended in its transaction is waited for no longer than the limits say', async () => {
  const batch = await newBatch();
  await database
    .with(async (zombie) => {
      await zombie.query("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '300ms'");
      await zombie.query('UPDATE k8s.sink_offsets SET updated_at = now() WHERE partition = $1', [partition]);
      assert.deepEqual(await direct.write(batch), { inserted: 1 });
    })
    .catch((error: unknown) => assert.ok(isCode(error, 'POSTGRES_UNREACHABLE')));
});
