/** kill -9 of the collector: at each labelled step of a transaction, and at any time; and a leader that was only paused. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../scripts/setup/places.mjs';
import { keepBusy } from '../support/busy.ts';
import { until } from '../support/kube.ts';
import { times } from '../support/length.ts';
import { Scene } from '../support/scene.ts';
import { sharedServers } from '../support/servers.ts';

const STEPS = ['before-begin', 'before-commit', 'in-commit', 'after-commit', 'any time'] as const;
const PRELOAD = path.join(ROOT, 'test', 'support', 'kill-at.mjs');

/**
 * The API server may call a position expired that is not: where no change of that resource came after it, and its window
 * was filled since. That is a gap on record, with its net difference.
 */
const EXPIRED = ['expired'];

describe('a collector that is killed', () => {
  const servers = sharedServers();

  it('G2 G4: at each step of a transaction and at any time, over and over: every change once', async () => {
    await Scene.run(servers.stack, servers.kube, 'killed', async (scene) => {
      const { installation, workload } = scene;
      await workload.run(12);
      const first = installation.start(['collect', '--no-leader-election']);
      await first.ready();
      await scene.record();
      await first.kill();
      await installation.start(['sink']).ready();
      const busy = keepBusy(workload);
      const kills = times(10, 50);
      for (let kill = 0; kill < kills; kill += 1) {
        const step = STEPS[kill % STEPS.length] ?? 'any time';
        const nth = String(1 + randomInt(6));
        const env = { NODE_OPTIONS: `--import=${PRELOAD}`, KUBETAPE_TEST_KILL_AT: step, KUBETAPE_TEST_KILL_NTH: nth };
        const collector = installation.start(['collect', '--no-leader-election'], env);
        if (step === 'any time') {
          await collector.url();
          await new Promise((resolve) => setTimeout(resolve, randomInt(2_500)));
          await collector.kill();
        } else {
          await busy.during(until(`the end at ${step}, transaction ${nth}`, () => !collector.alive, 120_000));
          assert.equal(collector.child.signalCode, 'SIGKILL', `it ended by itself: ${installation.logText().slice(-500)}`);
        }
      }
      const downMs = Date.now();
      await installation.start(['collect', '--no-leader-election']).ready();
      const catchUpMs = Date.now() - downMs;
      await busy.end();
      await scene.compare({ fault: 'collector killed at each step of a transaction', kills, catchUpMs }, EXPIRED);
    });
  });

  it('G2 G4: a leader that was paused and wakes up finds the log fenced, writes nothing and ends', async () => {
    await Scene.run(servers.stack, servers.kube, 'paused', async (scene) => {
      const { installation, workload } = scene;
      const env = { KUBETAPE_LEASE_NAME: scene.namespace };
      const leader = installation.start(['collect'], env);
      await leader.ready();
      const standby = installation.start(['collect'], env);
      await until('the standby to stand by', async () => (await standby.get('/ready')).text.includes('standing by'));
      await installation.start(['sink']).ready();
      await scene.record();
      const busy = keepBusy(workload);
      const said = async (): Promise<boolean> =>
        /kubetape_changes_total\{[^}]*op="u"[^}]*\} [1-9]/.test((await leader.get('/metrics')).text);
      await busy.during(until('the leader to have said something', said));
      leader.child.kill('SIGSTOP');
      const pausedMs = Date.now();
      await until('the standby to lead', async () => (await standby.get('/metrics')).text.includes('kubetape_leader 1'), 60_000);
      const catchUpMs = Date.now() - pausedMs;
      await until('the standby to record', async () => (await standby.get('/ready')).text.includes('"watch configmaps"'), 60_000);
      leader.child.kill('SIGCONT');
      assert.equal(await busy.during(leader.exited), 1, 'who was fenced ends');
      assert.match(installation.logText(), /KAFKA_FENCED|LEASE_LOST/);
      await busy.end();
      await scene.compare({ fault: 'leader paused (SIGSTOP), then woken', kills: 1, catchUpMs }, EXPIRED);
      assert.ok(catchUpMs <= 15_000, `the take-over took ${catchUpMs} ms`);
    });
  });
});
