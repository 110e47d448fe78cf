/** The clock of collector and sink goes back by an hour under load. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../scripts/setup/places.mjs';
import { keepBusy } from '../support/busy.ts';
import { until } from '../support/kube.ts';
import { Scene } from '../support/scene.ts';
import { sharedServers } from '../support/servers.ts';

const PRELOAD = path.join(ROOT, 'test', 'support', 'set-back.mjs');

describe('the clock', () => {
  const servers = sharedServers();

  it('G1 G2 G3 G7: goes back by an hour: nothing lost, nothing twice, in order, and a word of it in log and metrics', async () => {
    await Scene.run(servers.stack, servers.kube, 'clock', async (scene) => {
      const { installation, workload } = scene;
      const env = { NODE_OPTIONS: `--import=${PRELOAD}`, KUBETAPE_TEST_SET_BACK_AFTER_MS: '7000', KUBETAPE_TEST_SET_BACK_MS: '3600000' };
      const collector = installation.start(['collect', '--no-leader-election'], env);
      const sink = installation.start(['sink'], env);
      await collector.ready();
      await sink.ready();
      await scene.record();
      const busy = keepBusy(workload);
      for (const role of [collector, sink])
        await busy.during(
          until('the step in the metrics', async () =>
            /kubetape_clock_steps_total\{direction="back"[^}]*\} 1/.test((await role.get('/metrics')).text),
          ),
        );
      await busy.during(new Promise((resolve) => setTimeout(resolve, 3_000)));
      await busy.end();
      await scene.compare({ fault: 'clock set back by an hour', kills: 1, catchUpMs: 0 });
      assert.match(installation.logText(), /the clock went back by 3600 s/);
      // The watches go on in the store, and a drain does not wait for an hour.
      const [watch] = await installation.query<{ late: boolean }>(
        "SELECT max(seen_until) < now() - interval '50 minutes' AS late FROM k8s.watches WHERE resource = 'configmaps'",
      );
      assert.equal(watch?.late, true, 'by their own clocks');
      for (const role of [collector, sink]) assert.equal(await role.stop(), 0);
    });
  });
});
