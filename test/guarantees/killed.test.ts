/** kill -9 of the collector: at each labelled step of a transaction, and at any time; and a leader that was only paused. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../scripts/setup/places.mjs';
import { keepBusy } from '../support/busy.ts';
import { PATHS, until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { times } from '../support/length.ts';
import { compare, gapsOf } from '../support/oracle.ts';
import { Recorder } from '../support/recorder.ts';
import { report } from '../support/report.ts';
import { seedOf, Workload } from '../support/workload.ts';
import { sharedServers } from '../support/servers.ts';

const STEPS = ['before-begin', 'before-commit', 'in-commit', 'after-commit', 'any time'] as const;
const RESOURCES = Object.keys(PATHS);
const PRELOAD = path.join(ROOT, 'test', 'support', 'kill-at.mjs');

describe('a collector that is killed', () => {
  const servers = sharedServers();

  /**
   * The API server may call a position expired that is not: where no change of that resource came after it, and its window
   * was filled since. That is a gap on record, with its net difference.
   */
  async function comparedAll(installation: Installation, recorders: readonly Recorder[]): Promise<number> {
    let changes = 0;
    for (const recorder of recorders)
      changes += (await compare(installation, servers.kube, recorder, () => gapsOf(installation, recorder.resource))).changes;
    const causes = await installation.query<{ cause: string }>('SELECT DISTINCT cause FROM k8s.gaps');
    assert.ok(causes.every(({ cause }) => cause === 'expired'));
    return changes;
  }

  it('G2 G4: at each step of a transaction and at any time, over and over: every change once', async () => {
    const seed = seedOf();
    const installation = await Installation.create(servers.stack, 'killed');
    const recorders: Recorder[] = [];
    try {
      const namespace = installation.id;
      await servers.kube.namespace(namespace);
      const workload = new Workload(servers.kube, namespace, seed);
      await workload.run(12);
      const first = installation.start(['collect', '--no-leader-election']);
      await first.ready();
      for (const resource of RESOURCES) recorders.push(await Recorder.start(servers.kube, resource));
      await first.kill();
      await installation.start(['sink']).ready();
      const busy = keepBusy(workload);
      const kills = times(10, 50);
      for (let kill = 0; kill < kills; kill += 1) {
        const step = STEPS[kill % STEPS.length] ?? 'any time';
        const env = { NODE_OPTIONS: `--import=${PRELOAD}`, KUBETAPE_TEST_KILL_AT: step, KUBETAPE_TEST_KILL_NTH: String(1 + randomInt(6)) };
        const collector = installation.start(['collect', '--no-leader-election'], env);
        if (step === 'any time') {
          await collector.url();
          await new Promise((resolve) => setTimeout(resolve, randomInt(2_500)));
          await collector.kill();
        } else {
          await until(`the end at ${step}`, () => !collector.alive, 60_000);
          assert.equal(collector.child.signalCode, 'SIGKILL', `it ended by itself: ${installation.logText().slice(-500)}`);
        }
      }
      const downMs = Date.now();
      const last = installation.start(['collect', '--no-leader-election']);
      await last.ready();
      await busy.end();
      const changes = await comparedAll(installation, recorders);
      report({ fault: 'collector killed at each step of a transaction', seed, changes, kills, catchUpMs: Date.now() - downMs });
      await servers.kube.call('DELETE', `/api/v1/namespaces/${namespace}`);
    } catch (error) {
      console.error(`    seed ${seed}, logs in ${installation.logs}`);
      throw error;
    } finally {
      for (const recorder of recorders) recorder.stop();
      await installation.close();
    }
  });

  it('G2 G4: a leader that was paused and wakes up finds the log fenced, writes nothing and ends', async () => {
    const seed = seedOf();
    const installation = await Installation.create(servers.stack, 'paused');
    const recorders: Recorder[] = [];
    try {
      const namespace = installation.id;
      await servers.kube.namespace(namespace);
      const workload = new Workload(servers.kube, namespace, seed);
      const env = { KUBETAPE_LEASE_NAME: namespace };
      const leader = installation.start(['collect'], env);
      await leader.ready();
      const standby = installation.start(['collect'], env);
      await until('the standby to stand by', async () => (await standby.get('/ready')).text.includes('standing by'));
      await installation.start(['sink']).ready();
      for (const resource of RESOURCES) recorders.push(await Recorder.start(servers.kube, resource));
      const busy = keepBusy(workload);
      await until('the leader to have said something', async () =>
        /kubetape_changes_total\{[^}]*op="u"[^}]*\} [1-9]/.test((await leader.get('/metrics')).text),
      );
      leader.child.kill('SIGSTOP');
      const pausedMs = Date.now();
      await until('the standby to lead', async () => (await standby.get('/metrics')).text.includes('kubetape_leader 1'), 30_000);
      const catchUpMs = Date.now() - pausedMs;
      await until('the standby to record', async () => (await standby.get('/ready')).text.includes('"watch configmaps"'), 30_000);
      leader.child.kill('SIGCONT');
      assert.equal(await leader.exited, 1, 'who was fenced ends');
      assert.match(installation.logText(), /KAFKA_FENCED|LEASE_LOST/);
      await busy.end();
      const changes = await comparedAll(installation, recorders);
      report({ fault: 'leader paused (SIGSTOP), then woken', seed, changes, kills: 1, catchUpMs });
      assert.ok(catchUpMs <= 15_000, `the take-over took ${catchUpMs} ms`);
    } catch (error) {
      console.error(`    seed ${seed}, logs in ${installation.logs}`);
      throw error;
    } finally {
      for (const recorder of recorders) recorder.stop();
      await installation.close();
    }
  });
});
