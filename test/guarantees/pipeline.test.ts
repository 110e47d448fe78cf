/** From the API server to the row, on real servers: each change once, in order, through restarts. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { PATHS } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { compare } from '../support/oracle.ts';
import { Recorder } from '../support/recorder.ts';
import { sharedServers } from '../support/servers.ts';
import { Workload } from '../support/workload.ts';

const RESOURCES = Object.keys(PATHS);

describe('from the API server to the row', () => {
  const servers = sharedServers();

  /** Runs `work` between the start of the recorders and the comparison. */
  async function recorded(name: string, work: (installation: Installation, workload: Workload) => Promise<void>): Promise<void> {
    const seed = Number(process.env['KUBETAPE_TEST_SEED'] ?? randomInt(2 ** 31));
    const installation = await Installation.create(servers.stack, name);
    const recorders: Recorder[] = [];
    try {
      const namespace = installation.id;
      await servers.kube.namespace(namespace);
      const workload = new Workload(servers.kube, namespace, seed);
      // Something that is there before anybody looks.
      await workload.run(12);
      const first = installation.start(['run']);
      await first.ready();
      for (const resource of RESOURCES) recorders.push(await Recorder.start(servers.kube, resource));
      await work(installation, workload);
      const verdicts = [];
      for (const recorder of recorders) verdicts.push(await compare(installation, servers.kube, recorder));
      console.log(`    seed ${seed}: ${verdicts.map(({ resource, changes }) => `${resource} ${changes}`).join(', ')}`);
      for (const { resource, changes } of verdicts) assert.ok(changes > 0, `the workload changed no ${resource}`);
      assert.deepEqual(await installation.query('SELECT code, message FROM k8s.dead_letters'), []);
      assert.deepEqual(await installation.query('SELECT * FROM k8s.gaps'), []);
      const covered = await installation.query('SELECT DISTINCT gaps::int, share FROM k8s.coverage()');
      assert.deepEqual(covered, [{ gaps: 0, share: 1 }], 'a restart that loses nothing is no gap');
      await servers.kube.call('DELETE', `/api/v1/namespaces/${namespace}`);
    } catch (error) {
      console.error(`    seed ${seed}, logs in ${installation.logs}`);
      throw error;
    } finally {
      for (const recorder of recorders) recorder.stop();
      await installation.close();
    }
  }

  it('G1 G2 G3 G7: every resourceVersion that a raw watch saw is in topic and history, once, in order; the present equals a LIST', async () => {
    await recorded('steady', async (_installation, workload) => workload.run(240));
  });

  it('G1 G2 G4: SIGTERM in the middle drains and exits 0; what changes and goes while it is down arrives after the restart', async () => {
    await recorded('sigterm', async (installation, workload) => {
      await workload.run(60);
      const [first] = installation.processes;
      const stopping = first?.stop();
      await workload.run(30);
      assert.equal(await stopping, 0);
      await workload.run(60);
      await installation.start(['run']).ready();
      await workload.run(60);
    });
  });

  it('G1 G2 G4: kill -9 in the middle, five times, neither loses nor repeats a change', async () => {
    await recorded('kill', async (installation, workload) => {
      for (let round = 0; round < 5; round += 1) {
        const load = workload.run(40);
        await new Promise((resolve) => setTimeout(resolve, 100 + randomInt(400)));
        await installation.processes.at(-1)?.kill();
        await load;
        await workload.run(12);
        const next = installation.start(['run']);
        if (round % 2 === 0) await next.ready();
      }
      await installation.processes.at(-1)?.ready();
    });
  });
});
