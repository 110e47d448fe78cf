/** `kubetape snapshot`: now and then a list instead of a watch; what happened in between is known by its net effect. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { compare, gapsOf } from '../support/oracle.ts';
import { watchRaw } from '../support/recorder.ts';
import type { StreamWitness } from '../support/witness.ts';
import { sharedServers } from '../support/servers.ts';

describe('snapshot', () => {
  const servers = sharedServers();
  const configmap = (namespace: string, name: string) => ({ metadata: { name, namespace }, data: { a: 'b' } });

  it('G1 G2 G4: the first lists, the next says what differs, deletions too; a collector goes on from there, and beside it there is nothing to do', async () => {
    const installation = await Installation.create(servers.stack, 'snapshot', 'configmaps');
    const { kube } = servers;
    const namespace = installation.id;
    let recorder: StreamWitness | null = null;
    try {
      await kube.namespace(namespace);
      for (const name of ['changed', 'gone', 'again', 'still']) await kube.create('configmaps', configmap(namespace, name));
      await installation.start(['sink', '--resources', 'configmaps']).ready();
      const snapshot = (): string => {
        const { status, stdout, stderr } = installation.once(['snapshot', '--resources', 'configmaps']);
        assert.equal(status, 0, `${stdout}${stderr}`);
        return stdout;
      };
      const history = () =>
        installation
          .query<{ said: string }>(
            `SELECT op::text || ' ' || name || CASE WHEN synthetic THEN ' synthetic' ELSE '' END AS said
               FROM k8s.configmaps_history WHERE namespace = $1 AND name <> 'kube-root-ca.crt'`,
            [namespace],
          )
          .then((rows) => rows.map(({ said }) => said).toSorted());
      const written = async () =>
        (await installation.read([installation.topic('configmaps')])).filter(({ key }) => key.includes(`/${namespace}/`)).length;

      assert.match(snapshot(), /configmaps: \d+ objects, \d+ recorded first$/m);
      await until('the first list', async () => (await history()).length === 4);
      assert.deepEqual(await history(), ['r again', 'r changed', 'r gone', 'r still']);
      assert.deepEqual(await installation.query('SELECT * FROM k8s.gaps'), []);

      recorder = await watchRaw(kube, 'configmaps');
      for (let turn = 0; turn < 3; turn += 1) await kube.patch('configmaps', namespace, 'changed', { data: { turn: String(turn) } });
      for (const name of ['gone', 'again']) await kube.remove('configmaps', namespace, name);
      for (const name of ['again', 'brief', 'new']) await kube.create('configmaps', configmap(namespace, name));
      await kube.remove('configmaps', namespace, 'brief');
      assert.match(snapshot(), /configmaps: \d+ objects, \d+ created, \d+ updated, \d+ deleted$/m);
      const difference = ['c again', 'c new', 'd again synthetic', 'd gone synthetic', 'u changed'];
      await until('the difference', async () => (await history()).length === 4 + difference.length);
      assert.deepEqual(await history(), ['r again', 'r changed', 'r gone', 'r still', ...difference].toSorted());
      await until('the gap', async () => (await installation.query("SELECT FROM k8s.gaps WHERE cause = 'snapshot'")).length === 1);

      const before = await written();
      assert.match(snapshot(), /configmaps: \d+ objects, /);
      assert.equal(await written(), before, 'it said something again');

      const collector = installation.start(['collect', '--resources', 'configmaps']);
      await collector.ready();
      await kube.create('configmaps', configmap(namespace, 'watched'));
      await until('the collector to see it', async () => (await history()).includes('c watched'));
      assert.match(snapshot(), /the collector \S+ records test-snapshot already; there is nothing to do/);
      await kube.remove('configmaps', namespace, 'watched');
      await until('the collector to see it go', async () => (await history()).includes('d watched'));
      assert.equal(await collector.stop(), 0);
      await compare(installation, kube, recorder, () => gapsOf(installation, 'configmaps'));
    } finally {
      recorder?.stop();
      await installation.close();
    }
  });
});
