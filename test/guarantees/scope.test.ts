/** What is recorded: namespaces, labels, fields; and what becomes of it when the scope changes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';

describe('scope', () => {
  const servers = sharedServers();

  const configmap = (namespace: string, name: string, labels: Record<string, string> = {}) => ({
    metadata: { name, namespace, labels },
    data: { a: 'b' },
  });
  const history = (installation: Installation) =>
    installation
      .query<{ said: string }>(
        `SELECT op::text || ' ' || namespace || '/' || name AS said FROM k8s.configmaps_history ORDER BY resource_version`,
      )
      .then((rows) => rows.map(({ said }) => said.replaceAll(`${installation.id}-`, '')));

  async function settled(installation: Installation, namespace: string): Promise<void> {
    const name = `end-${Date.now()}`;
    await servers.kube.create('configmaps', configmap(namespace, name, { app: 'recorded' }));
    await until(
      'the last change',
      async () => (await installation.query('SELECT FROM k8s.configmaps WHERE name = $1', [name])).length === 1,
    );
  }

  it('--namespaces: one watch each, only theirs, with a checkpoint each, so that a restart repeats nothing', async () => {
    const installation = await Installation.create(servers.stack, 'namespaces', 'configmaps');
    try {
      const [one, two, other] = ['one', 'two', 'other'].map((name) => `${installation.id}-${name}`) as [string, string, string];
      for (const namespace of [one, two, other]) await servers.kube.namespace(namespace);
      const args = [
        'run',
        '--resources',
        'configmaps',
        '--namespaces',
        `${one},${two}`,
        '--field-selector',
        'metadata.name!=kube-root-ca.crt',
      ];
      const first = installation.start(args);
      await first.ready();
      for (const namespace of [one, two, other]) await servers.kube.create('configmaps', configmap(namespace, 'a'));
      await servers.kube.remove('configmaps', one, 'a');
      await settled(installation, two);
      assert.equal(await first.stop(), 0);
      await servers.kube.create('configmaps', configmap(one, 'while-down'));
      const second = installation.start(args);
      await second.ready();
      await until('the change while it was down', async () => (await history(installation)).includes('c one/while-down'));
      const said = (await history(installation)).filter((line) => !line.includes('/end-'));
      assert.deepEqual(said, ['c one/a', 'c two/a', 'd one/a', 'c one/while-down']);
      assert.deepEqual(await installation.query('SELECT * FROM k8s.gaps'), []);
    } finally {
      await installation.close();
    }
  });

  it('--exclude-namespaces leaves them out', async () => {
    const installation = await Installation.create(servers.stack, 'exclude', 'configmaps');
    try {
      const [one, other] = ['one', 'other'].map((name) => `${installation.id}-${name}`) as [string, string];
      for (const namespace of [one, other]) await servers.kube.namespace(namespace);
      await installation.start(['run', '--resources', 'configmaps', '--exclude-namespaces', other]).ready();
      await servers.kube.create('configmaps', configmap(other, 'unseen'));
      await settled(installation, one);
      assert.deepEqual(await installation.query('SELECT name FROM k8s.configmaps WHERE namespace = $1', [other]), []);
    } finally {
      await installation.close();
    }
  });

  it('--label-selector: an object that moves out is deleted and one that moves in is created, in restarts too; another selector lists anew', async () => {
    const installation = await Installation.create(servers.stack, 'labels', 'configmaps');
    try {
      const namespace = installation.id;
      await servers.kube.namespace(namespace);
      const args = (selector: string) => ['run', '--resources', 'configmaps', '--namespaces', namespace, '--label-selector', selector];
      const first = installation.start(args('app=recorded'));
      await first.ready();
      await servers.kube.create('configmaps', configmap(namespace, 'mover', { app: 'recorded' }));
      await servers.kube.create('configmaps', configmap(namespace, 'stranger', { app: 'other' }));
      await servers.kube.patch('configmaps', namespace, 'mover', { metadata: { labels: { app: 'other' } } });
      await servers.kube.patch('configmaps', namespace, 'mover', { metadata: { labels: { app: 'recorded' } } });
      await settled(installation, namespace);
      await first.stop();
      await servers.kube.patch('configmaps', namespace, 'mover', { metadata: { labels: { app: 'other' } } });
      const second = installation.start(args('app=recorded'));
      await second.ready();
      await until(
        'the move while it was down',
        async () => (await history(installation)).filter((line) => line === `d ${namespace}/mover`).length === 2,
      );
      await second.stop();
      const mover = (await history(installation)).filter((line) => line.endsWith('/mover')).map((line) => line[0]);
      assert.deepEqual(mover, ['c', 'd', 'c', 'd']);

      await installation.start(args('app=other')).ready();
      await until(
        'the objects of the other selector',
        async () =>
          (await installation.query("SELECT FROM k8s.configmaps WHERE name IN ('mover', 'stranger') AND deleted_at IS NULL")).length === 2,
      );
      await until('the gap', async () => (await installation.query("SELECT FROM k8s.gaps WHERE cause = 'scope-changed'")).length === 1);
    } finally {
      await installation.close();
    }
  });
});
