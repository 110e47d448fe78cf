/** What goes wrong in the hands of people: a clear message each; where the rest can go on, it goes on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Stack } from '../../scripts/stack/stack.ts';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';

describe('mistakes', () => {
  const servers = sharedServers();
  let installation: Installation;

  before(async () => {
    installation = await Installation.create(servers.stack, 'mistakes');
    await servers.kube.namespace(installation.id);
  });
  after(async () => {
    await installation.close();
  });

  const NOBODY = '127.0.0.1:1';

  it('check passes where all is well, and prints a line each', () => {
    const { status, stdout } = installation.once(['check']);
    assert.equal(status, 0, stdout);
    for (const word of ['pods', 'secrets', 'brokers', 'topics', 'schema']) assert.ok(stdout.includes(word), word);
  });

  it('a wrong broker, a wrong database and a missing schema each have a line and a remedy in check, exit 1', () => {
    const wrong = { KAFKA_BROKERS: NOBODY, DATABASE_URL: `postgres://nobody@${NOBODY}/nothing` };
    const { status, stdout } = installation.once(['check', '-o', 'json'], wrong);
    assert.equal(status, 1);
    const { checks } = JSON.parse(stdout) as {
      checks: { area: string; name: string; ok: boolean | string; message: string; remedy?: string }[];
    };
    for (const area of ['kafka', 'postgres']) {
      const line = checks.find((one) => one.area === area);
      assert.equal(line?.ok, false);
      assert.ok(line.message.includes(NOBODY), line.message);
      assert.ok((line.remedy ?? '').length > 0);
    }
    const empty = installation.once(['check'], { DATABASE_URL: servers.stack.databaseUrl.replace(/\/[^/]*$/, '/postgres') });
    assert.equal(empty.status, 1);
    assert.match(empty.stdout, /✗ postgres +schema/);
    assert.match(empty.stdout, /kubetape migrate/);
  });

  it('check of one role asks for nothing that the role does not use', () => {
    const collector = installation.once(['check', 'collect'], { DATABASE_URL: '' });
    assert.equal(collector.status, 0, collector.stdout + collector.stderr);
    assert.match(collector.stdout, /✔ kubernetes +lease /);
    assert.doesNotMatch(collector.stdout, /postgres/);
    const sink = installation.once(['check', 'sink'], { KUBECONFIG: '/nowhere' });
    assert.equal(sink.status, 0, sink.stdout + sink.stderr);
    assert.doesNotMatch(sink.stdout, /kubernetes|hmacKey/);
    const other = installation.once(['check', 'deployments']);
    assert.equal(other.status, 2);
    assert.match(other.stderr, /"deployments"/);
  });

  it('check --wait waits for what is missing, and says for what', async () => {
    const later = new Installation(servers.stack, 'later');
    try {
      await later.createDatabase();
      const waiting = later.start(['check', 'sink', '--wait', '--timeout', '60']);
      await until('the word of what is missing', () => later.logText().includes('waiting: '));
      assert.match(later.logText(), /topics: missing/);
      assert.match(later.logText(), /schema: /);
      for (const verb of ['topics', 'migrate']) assert.equal(later.once([verb]).status, 0);
      assert.equal(await waiting.exited, 0);
    } finally {
      await later.close();
    }
  });

  it('a sink without its schema ends with the remedy; a collector without its topics too', async () => {
    const sink = installation.start(['sink'], { DATABASE_URL: servers.stack.databaseUrl.replace(/\/[^/]*$/, '/postgres') });
    assert.equal(await sink.exited, 1);
    const collector = installation.start(['collect'], { KUBETAPE_TOPIC_PREFIX: 'nowhere.' });
    assert.equal(await collector.exited, 1);
    assert.match(installation.logText(), /kubetape migrate/);
    assert.match(installation.logText(), /kubetape topics/);
  });

  it('a broker or a database that is away is waited for, and /ready says so', async () => {
    const collector = installation.start(['collect'], { KAFKA_BROKERS: NOBODY });
    await until('the word of the collector', async () => (await collector.get('/ready')).text.includes(NOBODY));
    assert.equal((await collector.get('/ready')).status, 503);
    const sink = installation.start(['sink'], { DATABASE_URL: `postgres://nobody@${NOBODY}/nothing` });
    await until('the word of the sink', async () => (await sink.get('/ready')).text.includes(NOBODY));
    for (const running of [collector, sink]) assert.equal(await running.stop(), 0, 'a process that waits still obeys');
  });

  it('a wrong token is told by check and by /ready', async () => {
    const kubeconfig = path.join(installation.logs, 'wrong-token');
    writeFileSync(kubeconfig, kubeconfigWith(servers.stack, 'not-a-token'));
    const { status, stdout } = installation.once(['check'], { KUBECONFIG: kubeconfig });
    assert.equal(status, 1);
    assert.match(stdout, /401/);
    const collector = installation.start(['collect'], { KUBECONFIG: kubeconfig });
    await until('the word of the collector', async () => (await collector.get('/ready')).text.includes('401'));
    await collector.stop();
  });

  it('a permission missing for one resource is named, and the others are recorded', async () => {
    const namespace = installation.id;
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const rules = [
      { apiGroups: [''], resources: ['pods', 'services', 'configmaps', 'namespaces'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['apps', 'events.k8s.io'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
    ];
    await servers.kube.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'reader' } });
    await servers.kube.call('POST', `${rbac}/clusterroles`, { metadata: { name: namespace }, rules });
    await servers.kube.call('POST', `${rbac}/clusterrolebindings`, {
      metadata: { name: namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: namespace },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
    });
    const { status } = await servers.kube.call<{ status: { token: string } }>(
      'POST',
      `/api/v1/namespaces/${namespace}/serviceaccounts/reader/token`,
      { spec: {} },
    );
    const kubeconfig = path.join(installation.logs, 'reader');
    writeFileSync(kubeconfig, kubeconfigWith(servers.stack, status.token));
    const env = { KUBECONFIG: kubeconfig };
    const checked = installation.once(['check'], env);
    assert.equal(checked.status, 1);
    assert.match(checked.stdout, /✗ kubernetes +secrets: not allowed: list and watch/);
    assert.match(checked.stdout, /✔ kubernetes +pods/);

    const running = installation.start(['run', '--no-leader-election'], env);
    await until('the word that secrets are forbidden', async () => /watch secrets[^}]*403/s.test((await running.get('/ready')).text));
    await servers.kube.create('configmaps', { metadata: { name: 'goes-on', namespace }, data: {} });
    await until(
      'a change of another resource',
      async () => (await installation.query("SELECT FROM k8s.configmaps WHERE name = 'goes-on'")).length === 1,
    );
    assert.equal(await running.stop(), 0);
    await servers.kube.call('DELETE', `${rbac}/clusterrolebindings/${namespace}`);
    await servers.kube.call('DELETE', `${rbac}/clusterroles/${namespace}`);
  });

  it('every wrong setting is named in one message, exit 2', () => {
    const { status, stderr } = installation.once(['run', '--http-port', 'ninety', '--configmap-data', 'show'], {
      KUBETAPE_TRANSACTION_MAX_RECORDS: '0',
    });
    assert.equal(status, 2);
    for (const word of ['--http-port', 'ninety', '--configmap-data', 'KUBETAPE_TRANSACTION_MAX_RECORDS'])
      assert.ok(stderr.includes(word), `${word} is not in: ${stderr}`);
  });
});

function kubeconfigWith(stack: Stack, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: stack.apiUrl, 'certificate-authority': stack.caFile } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}
