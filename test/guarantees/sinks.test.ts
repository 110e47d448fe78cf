/** Sinks that die, come and go, or wake up too late: each change is in the tables once, in order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { proxyTo } from '../postgres/proxy.ts';
import { FLOODED, flooded } from '../support/flooded.ts';
import { PATHS, until } from '../support/kube.ts';
import type { Installation, Running } from '../support/kubetape.ts';
import { times } from '../support/length.ts';
import { metric } from '../support/metrics.ts';
import { compare } from '../support/oracle.ts';
import { watchRaw } from '../support/recorder.ts';
import type { StreamWitness } from '../support/witness.ts';
import { sharedServers } from '../support/servers.ts';
import { seeded, Workload } from '../support/workload.ts';

const RESOURCES = Object.keys(PATHS);
const SUNK = [...RESOURCES, ...FLOODED];
/** Three of each resource and of the facts, and the one of the checkpoints. */
const PARTITIONS = 3 * (SUNK.length + 1) + 1;

describe('sinks', () => {
  const servers = sharedServers();

  /** Small batches, so that there are many commits to interrupt; a name makes it a static member. */
  function sink(
    installation: Installation,
    { name, env = {} }: { readonly name?: string; readonly env?: Record<string, string> } = {},
  ): Running {
    const url = new URL(installation.databaseUrl);
    if (name !== undefined) url.searchParams.set('application_name', name);
    return installation.start(['sink'], {
      DATABASE_URL: url.toString(),
      KUBETAPE_RESOURCES: SUNK.join(','),
      KUBETAPE_BATCH_MAX_ROWS: '50',
      // As short as the broker allows.
      ...(name === undefined ? { KUBETAPE_KAFKA_PROPERTIES: 'session.timeout.ms=6000' } : { KUBETAPE_SINK_INSTANCE_ID: name }),
      ...env,
    });
  }

  const written = (worker: Running): Promise<number> => metric(worker, 'kubetape_rows_written_total', 'example.com');
  const running = (worker: Running): Promise<number> => metric(worker, 'kubetape_partitions', '"running"');

  it('G2 G3 G7: kill -9 of two static members in turn, under load, half of them within a database transaction', async () => {
    await flooded(
      servers.stack,
      'sink-kill',
      'sink killed, two static members',
      RESOURCES,
      async ({ installation, flood, seed, injected }) => {
        const random = seeded(seed);
        const namespace = installation.id;
        await servers.kube.namespace(namespace);
        await installation.start(['collect'], { KUBETAPE_LEASE_NAME: namespace }).ready();
        const recorders: StreamWitness[] = [];
        for (const resource of RESOURCES) recorders.push(await watchRaw(servers.kube, resource));
        const ended = new AbortController();
        const workload = new Workload(servers.kube, namespace, seed);
        const changing = (async () => {
          while (!ended.signal.aborted) await workload.run(10);
        })();
        try {
          flood.run(500, 150);
          const names = ['first', 'second'];
          const workers = names.map((name) => sink(installation, { name }));
          const shared = async (): Promise<boolean> => {
            const shares = await Promise.all(workers.map(running));
            return shares.every((share) => share > 0) && shares.reduce((sum, share) => sum + share) === PARTITIONS;
          };
          await until('both to have their share', shared);
          const moved = revocations(installation);
          const kills = times(8, 50);
          let within = 0;
          for (let kill = 0; kill < kills; kill += 1) {
            const at = kill % names.length;
            const name = names[at] ?? '';
            const worker = workers[at];
            assert.ok(worker !== undefined);
            await until(`${name} to write`, async () => (await written(worker)) > 0);
            await sleep(random() * 400);
            const open = async (): Promise<boolean> => {
              const [row] = await installation.query<{ n: number }>(
                'SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1 AND xact_start IS NOT NULL',
                [name],
              );
              return (row?.n ?? 0) > 0;
            };
            if (kill % 4 < 2) await until('a transaction of it', open);
            if (await open()) within += 1;
            await worker.kill();
            injected();
            workers[at] = sink(installation, { name });
          }
          await until('both to have their share again', shared);
          assert.equal(revocations(installation), moved, 'one that comes back in time disturbs no other');
          ended.abort();
          await changing;
          await flood.stop();
          let changes = 0;
          for (const recorder of recorders) changes += (await compare(installation, servers.kube, recorder)).changes;
          console.log(`    ${kills} kills, at least ${within} within a transaction; ${changes} changes of the API server`);
          assert.ok(changes > 0 && within > 0);
        } finally {
          ended.abort();
          await changing.catch(() => undefined);
          for (const recorder of recorders) recorder.stop();
        }
      },
    );
  });

  it('G2 G3: workers that come and go take over from each other, and keep what need not move', async () => {
    await flooded(servers.stack, 'sink-rebalance', 'sinks that come and go', RESOURCES, async ({ installation, flood, injected }) => {
      flood.run(300, 100);
      const first = sink(installation);
      await until('the first to own everything', async () => (await running(first)) === PARTITIONS);
      const second = sink(installation);
      const half = Math.floor(PARTITIONS / 2);
      await until('the second to have its share', async () => (await running(second)) >= half);
      assert.ok(revocations(installation) <= PARTITIONS - half, `the first lost ${revocations(installation)} of ${PARTITIONS} partitions`);
      const third = sink(installation);
      await until('the third to have its share', async () => (await running(third)) > 0);
      assert.equal(await first.stop(), 0);
      await until('the others to own everything', async () => (await running(second)) + (await running(third)) === PARTITIONS);
      await second.kill();
      injected(5);
      await until('the third to own everything', async () => (await running(third)) === PARTITIONS);
    });
  });

  it('G2 G3: an owner that was suspended within a transaction and wakes up after another took over is fenced by the offset row', async () => {
    await flooded(
      servers.stack,
      'sink-stale',
      'sink suspended in a transaction',
      RESOURCES,
      async ({ installation, flood, injected, atEnd }) => {
        const proxy = await proxyTo(new URL(installation.databaseUrl));
        atEnd(() => proxy.close());
        const through = new URL(installation.databaseUrl);
        through.port = String(proxy.port);
        const stale = sink(installation, { env: { DATABASE_URL: through.toString() } });
        await stale.ready();
        // Its transaction is open, and what locks the offset row is on its way.
        let caught = false;
        proxy.onClientData = (data) => {
          if (!data.includes('advance')) return 'pass';
          caught = true;
          return 'hold';
        };
        flood.run(100, 200);
        await until('it to begin a transaction', () => caught);
        stale.child.kill('SIGSTOP');
        injected();
        const owner = sink(installation);
        await until('another to own its partitions', async () => (await running(owner)) === PARTITIONS);
        await until('another to write', async () => (await written(owner)) > flood.committed / 2);
        stale.child.kill('SIGCONT');
        proxy.onClientData = () => 'pass';
        proxy.release();
        await until('it to be fenced', async () => (await metric(stale, 'kubetape_database_operations_total', 'OFFSET_FENCED')) > 0);
        await until('it to have a share again', async () => (await running(stale)) > 0);
        await stale.ready();
        assert.ok(stale.alive && owner.alive);
      },
    );
  });
});

/** Over all processes that there were. */
function revocations(installation: Installation): number {
  return installation.logText().match(/is revoked/g)?.length ?? 0;
}
