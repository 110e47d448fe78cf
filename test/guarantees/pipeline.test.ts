/** From the API server to the row, on real servers: each change once, in order, through restarts. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Installation } from '../support/kubetape.ts';
import { full, times } from '../support/length.ts';
import { Scene } from '../support/scene.ts';
import { sharedServers } from '../support/servers.ts';
import type { Workload } from '../support/workload.ts';

const FAULTS: Readonly<Record<string, string>> = {
  steady: 'none',
  sigterm: 'all of it stopped (SIGTERM) and started',
  kill: 'all of it killed',
};

const KILLS = times(3, 50);

describe('from the API server to the row', () => {
  const servers = sharedServers();

  /** Runs `work` between the start of the recorders and the comparison. */
  function recorded(
    name: string,
    kills: number,
    work: (installation: Installation, workload: Workload) => Promise<void>,
    args: readonly string[] = ['run'],
  ): Promise<void> {
    return Scene.run(servers.stack, servers.kube, name, async (scene) => {
      const { installation, workload } = scene;
      // Something that is there before anybody looks.
      await workload.run(12);
      await installation.start(args).ready();
      await scene.record();
      await work(installation, workload);
      const changes = await scene.compare({ fault: FAULTS[name] ?? name, kills, catchUpMs: 0 });
      if (full && kills === 0) assert.ok(changes >= 20_000, `${changes} changes`);
      const covered = await installation.query('SELECT DISTINCT gaps::int, share FROM k8s.coverage()');
      assert.deepEqual(covered, [{ gaps: 0, share: 1 }], 'a restart that loses nothing is no gap');
    });
  }

  it('G1 G2 G3 G7: every resourceVersion that a raw watch saw is in topic and history, once, in order; the present equals a LIST', async () => {
    await recorded('steady', 0, async (_installation, workload) => workload.run(times(240, 6_500)));
  });

  it('G1 G2 G4: SIGTERM in the middle drains and exits 0; what changes and goes while it is down arrives after the restart', async () => {
    await recorded('sigterm', 1, async (installation, workload) => {
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

  it('G1 G2 G4: kill -9 in the middle, over and over, neither loses nor repeats a change', async () => {
    // Without the Lease each of them works at once: a stand-by that is killed proves nothing.
    const args = ['run', '--no-leader-election'];
    const kills = async (installation: Installation, workload: Workload): Promise<void> => {
      for (let round = 0; round < KILLS; round += 1) {
        const load = workload.run(40);
        await new Promise((resolve) => setTimeout(resolve, 100 + randomInt(400)));
        await installation.processes.at(-1)?.kill();
        await load;
        await workload.run(12);
        const next = installation.start(args);
        if (round % 2 === 0) await next.ready();
      }
      await installation.processes.at(-1)?.ready();
    };
    await recorded('kill', KILLS, kills, args);
  });
});
