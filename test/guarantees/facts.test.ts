/** Facts: what a change means, said once, in the same transaction as the change, through a kill -9. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';

const SECRET = 'the-value-that-nobody-may-see';
const template = (app: string, image: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image }] },
});

describe('facts', () => {
  const servers = sharedServers();
  let installation: Installation;

  before(async () => {
    installation = await Installation.create(servers.stack, 'facts');
    await servers.kube.namespace(installation.id);
  });
  after(() => installation.close());

  const facts = () =>
    installation.query<{ type: string; name: string; detail: Record<string, unknown> }>(
      'SELECT type, name, detail FROM k8s.event_stream WHERE namespace = $1 ORDER BY at, kafka_partition, kafka_offset',
      [installation.id],
    );

  it('are derived from real changes, with who did it, each once, and never with a value', async () => {
    const { kube } = servers;
    const namespace = installation.id;
    await kube.create('deployments', {
      metadata: { name: 'checkout', namespace },
      spec: { replicas: 1, selector: { matchLabels: { app: 'checkout' } }, template: template('checkout', 'registry/app:v1') },
    });
    await kube.create('pods', { metadata: { name: 'job', namespace }, spec: template('job', 'registry/job:v1').spec });
    await kube.create('configmaps', { metadata: { name: 'settings', namespace }, data: { colour: 'blue', size: 'big' } });
    await kube.create('secrets', { metadata: { name: 'database', namespace }, stringData: { password: 'first' } });
    const collector = installation.start(['collect', '--no-leader-election']);
    await installation.start(['sink']).ready();
    await collector.ready();

    await kube.patch('deployments', namespace, 'checkout', { spec: { template: template('checkout', 'registry/app:v2') } });
    await collector.kill();
    await kube.patch('deployments', namespace, 'checkout', { spec: { replicas: 3 } });
    await kube.patch('configmaps', namespace, 'settings', { data: { colour: 'green', size: null, shape: 'round' } });
    await kube.patch('secrets', namespace, 'database', { stringData: { password: SECRET } });
    const status = (restartCount: number, state: object, lastState: object = {}) => ({
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'main', image: 'i', imageID: 'i', ready: false, restartCount, state, lastState }],
      },
    });
    const setStatus = (body: unknown) =>
      kube.call('PATCH', `${kube.path('pods', namespace, 'job')}/status`, body, 'application/merge-patch+json');
    await until('KWOK to have the pod running', async () => {
      const { items } = await kube.list('pods', namespace);
      return (items.find(({ metadata }) => metadata.name === 'job')?.['status'] as { phase?: string } | undefined)?.phase === 'Running';
    });
    await setStatus(status(1, { running: { startedAt: '2026-01-01T00:00:00Z' } }, { terminated: { exitCode: 137, reason: 'OOMKilled' } }));
    await setStatus(status(2, { waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode: 137, reason: 'OOMKilled' } }));
    await installation.start(['collect', '--no-leader-election']).ready();
    // Nothing changes: nothing is said.
    await kube.patch('configmaps', namespace, 'settings', { metadata: { labels: { touched: 'true' } } });

    const wanted = [
      'configmap.changed',
      'deployment.image-changed',
      'deployment.scaled',
      'pod.crash-looping',
      'pod.restarted',
      'secret.changed',
    ];
    await until('all facts', async () => new Set((await facts()).map(({ type }) => type)).size >= wanted.length);
    const all = await facts();
    const of = (type: string, name: string) => all.filter((fact) => fact.type === type && fact.name === name).map(({ detail }) => detail);
    const by = (detail: Record<string, unknown> | undefined) => ({ ...detail, by: typeof detail?.['by'] });
    assert.deepEqual(of('deployment.image-changed', 'checkout').map(by), [
      { from: ['registry/app:v1'], to: ['registry/app:v2'], by: 'string' },
    ]);
    assert.deepEqual(of('deployment.scaled', 'checkout').map(by), [{ from: 1, to: 3, by: 'string' }]);
    assert.deepEqual(of('configmap.changed', 'settings').map(by), [
      { added: ['shape'], removed: ['size'], changed: ['colour'], by: 'string' },
    ]);
    assert.deepEqual(of('secret.changed', 'database').map(by), [{ added: [], removed: [], changed: ['password'], by: 'string' }]);
    assert.deepEqual(
      of('pod.restarted', 'job').map(({ from, to, reason }) => [from, to, reason]),
      [
        [0, 1, 'OOMKilled'],
        [1, 2, 'OOMKilled'],
      ],
    );
    assert.equal(of('pod.crash-looping', 'job').length, 1);
    assert.ok(!JSON.stringify(all).includes(SECRET));
  });

  it('a fact names the version that it follows from, and that version is in the history', async () => {
    const messages = (await installation.read([`${installation.topicPrefix}event-stream`])).map(
      ({ value }) =>
        JSON.parse(value?.toString() ?? '') as { type: string; uid?: string; resourceVersion?: string; name: string; namespace: string },
    );
    const ours = messages.filter(({ namespace, uid }) => namespace === installation.id && uid !== undefined);
    assert.ok(ours.length >= 7);
    const versions = await installation.query<{ key: string }>(
      `SELECT uid || ' ' || resource_version AS key FROM (SELECT uid, resource_version FROM k8s.deployments_history
        UNION ALL SELECT uid, resource_version FROM k8s.pods_history UNION ALL SELECT uid, resource_version FROM k8s.configmaps_history
        UNION ALL SELECT uid, resource_version FROM k8s.secrets_history) AS h`,
    );
    const known = new Set(versions.map(({ key }) => key));
    assert.deepEqual(
      ours.filter(({ uid, resourceVersion }) => !known.has(`${uid} ${resourceVersion}`)),
      [],
    );
    const started = messages.filter(({ type }) => type === 'collector.started');
    assert.equal(started.length, 2, 'one of each start');
  });
});
