/** Two collectors of one cluster: one leads, the other stands by and takes over. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { compare } from '../support/oracle.ts';
import { watchRaw } from '../support/recorder.ts';
import type { StreamWitness } from '../support/witness.ts';
import { sharedServers } from '../support/servers.ts';

describe('two collectors', () => {
  const servers = sharedServers();

  async function withTwo(
    name: string,
    end: (leader: ReturnType<Installation['start']>) => Promise<unknown>,
    withinMs: number,
  ): Promise<void> {
    const installation = await Installation.create(servers.stack, name);
    const recorders: StreamWitness[] = [];
    try {
      const namespace = installation.id;
      await servers.kube.namespace(namespace);
      const env = { KUBETAPE_LEASE_NAME: namespace };
      const leader = installation.start(['collect'], env);
      await leader.ready();
      const standby = installation.start(['collect'], env);
      await until('the standby to stand by', async () => (await standby.get('/ready')).text.includes('standing by'));
      await installation.start(['sink']).ready();
      recorders.push(await watchRaw(servers.kube, 'configmaps'));
      let made = 0;
      const make = () => servers.kube.create('configmaps', { metadata: { name: `made-${(made += 1)}`, namespace }, data: {} });
      for (let i = 0; i < 20; i += 1) await make();
      const startedMs = Date.now();
      const ending = end(leader);
      for (let i = 0; i < 20; i += 1) await make();
      await ending;
      await until('the standby to lead', async () => (await standby.get('/metrics')).text.includes('kubetape_leader 1'), withinMs);
      await until('it to record', async () => (await standby.get('/ready')).text.includes('"watch configmaps"'));
      const seconds = (Date.now() - startedMs) / 1000;
      assert.ok(seconds * 1000 <= withinMs, `the take-over took ${seconds} s`);
      console.log(`    taken over after ${seconds.toFixed(1)} s`);
      for (let i = 0; i < 20; i += 1) await make();
      for (const recorder of recorders) await compare(installation, servers.kube, recorder);
    } finally {
      for (const recorder of recorders) recorder.stop();
      await installation.close();
    }
  }

  it('the standby takes over within 15 s of a kill -9, and nothing is lost or said twice', async () => {
    await withTwo('killed-leader', (leader) => leader.kill(), 15_000);
  });

  it('a leader that ends in order hands over at once', async () => {
    await withTwo('ended-leader', async (leader) => assert.equal(await leader.stop(), 0), 5_000);
  });
});
