/** The chart in a cluster: every example is admitted; install, test, upgrade, rollback, uninstall. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onDemand } from '../../scripts/setup/on-demand.mjs';
import { CHART } from '../../scripts/chart/generate.ts';
import type { Stack } from '../../scripts/stack/stack.ts';
import { Kube, until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedStack } from '../support/stack.ts';
import { EXAMPLES, exampleOf, Helm } from './chart.ts';
import { podKubeconfig } from './pod-kubeconfig.ts';
import { Kubectl } from './kubectl.ts';

const NAMESPACE = 'kubetape-chart';

describe('the chart in a cluster', () => {
  let stack: Stack;
  let kubectl: Kubectl;
  let kube: Kube;
  let helm: Helm;
  let crds: string;

  before(async () => {
    [crds, helm] = [await onDemand('crds'), await Helm.create()];
    stack = await sharedStack();
    kubectl = new Kubectl(stack);
    kube = new Kube(stack);
    // Those of an earlier test may still be on their way out.
    await until(
      'the definitions of custom resources',
      () =>
        kubectl.attempt(['apply', '--server-side', '-f', crds]).status === 0 &&
        kubectl.attempt(['wait', '--for=condition=Established', '--timeout=5s', '-f', crds]).status === 0 &&
        !kubectl.attempt(['get', '-f', crds, '-o', 'jsonpath={.items[*].metadata.deletionTimestamp}']).stdout.includes('T'),
      60_000,
    );
    kubectl.run(['create', 'namespace', NAMESPACE]);
    kubectl.run([
      'label',
      'namespace',
      NAMESPACE,
      'pod-security.kubernetes.io/enforce=restricted',
      'pod-security.kubernetes.io/warn=restricted',
    ]);
    kubectl.provideDisks(NAMESPACE, 2);
  });
  after(() => {
    if (kube === undefined) return;
    kubectl.attempt(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false']);
    kubectl.attempt(['delete', 'persistentvolume', '--all', '--wait=false']);
    kubectl.attempt(['delete', 'clusterrole,clusterrolebinding', '-l', 'app.kubernetes.io/part-of=kubetape', '--wait=false']);
    kubectl.attempt(['delete', '--ignore-not-found', '--wait=false', '-f', crds]);
    kube.close();
  });

  function release(verb: string, ...args: string[]): string {
    return helm.run([verb, 'kubetape', ...args, '--namespace', NAMESPACE, '--kubeconfig', stack.kubeconfig]);
  }

  function secret(): Record<string, string> {
    const { data } = JSON.parse(kubectl.run(['-n', NAMESPACE, 'get', 'secret', 'kubetape', '-o', 'json'])) as {
      data: Record<string, string>;
    };
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
  }

  async function running(): Promise<number> {
    const { items } = await kube.list('pods', NAMESPACE);
    return (items as unknown as { status: { phase: string } }[]).filter(({ status }) => status.phase !== 'Succeeded').length;
  }

  it('every example is admitted as it is rendered, and Pod Security warns of nothing', () => {
    const further = [
      ['--set', 'tls.enabled=true,demo.enabled=false,load.enabled=true,retention.keep=90d'],
      ['--set', 'demo.enabled=true'],
    ];
    for (const flags of [...EXAMPLES.map((name) => ['--values', exampleOf(name)]), ...further]) {
      const text = helm.run(['template', 'kubetape', CHART, '--namespace', NAMESPACE, ...flags]);
      const { status, stderr } = kubectl.attempt(['-n', NAMESPACE, 'apply', '--validate=strict', '--dry-run=server', '-f', '-'], text);
      assert.deepEqual([status, stderr.slice(0, 2000)], [0, ''], flags.join(' '));
    }
  });

  it('installs; its pods run; `helm test` passes', () => {
    const small = [
      '--values',
      exampleOf('development'),
      '--set-string',
      'secret.hmacKey=,secret.postgresPassword=,secret.pgadminPassword=',
    ];
    const notes = release('install', CHART, ...small, '--wait', '--timeout', '180s');
    assert.match(notes, /records\s+pods, services/);
    assert.match(notes, /helm -n kubetape-chart test kubetape/);
    const tested = release('test', '--timeout', '120s');
    assert.equal(tested.match(/Phase:\s+Succeeded/g)?.length, 2, tested);
  });

  it('what `helm test` runs passes with the rights that the chart gives', async () => {
    const installation = await Installation.create(stack, 'chart');
    try {
      const token = kubectl.run(['-n', NAMESPACE, 'create', 'token', 'kubetape-collector']).trim();
      const told = JSON.parse(kubectl.run(['-n', NAMESPACE, 'get', 'configmap', 'kubetape', '-o', 'jsonpath={.data}'])) as Record<
        string,
        string
      >;
      const { KAFKA_BROKERS: _brokers, ...env } = told;
      const kubeconfig = podKubeconfig(stack, path.join(installation.logs, 'pod'), token);
      const checked = installation.once(['check', 'collect'], { ...env, KUBECONFIG: kubeconfig, KUBETAPE_LEASE_NAMESPACE: NAMESPACE });
      assert.equal(checked.status, 0, `${checked.stdout}${checked.stderr}`);
    } finally {
      await installation.close();
    }
  });

  it('upgrade and rollback keep what was made once, and make topics and schema anew', () => {
    const before = secret();
    assert.match(before['database-url'] ?? '', new RegExp(`:${before['postgres-password']}@kubetape-postgres:5432/`));
    assert.equal(before['hmac-key']?.length, 64);
    release('upgrade', CHART, '--reuse-values', '--set', 'sink.autoscaling.max=3,pgadmin.enabled=true', '--wait', '--timeout', '180s');
    const { 'pgadmin-password': added, ...after } = secret();
    assert.deepEqual(after, before);
    assert.equal(added?.length, 24);
    const max = (): string => kubectl.run(['-n', NAMESPACE, 'get', 'hpa', 'kubetape-sink', '-o', 'jsonpath={.spec.maxReplicas}']);
    assert.equal(max(), '3');
    assert.match(kubectl.run(['-n', NAMESPACE, 'get', 'jobs', '-o', 'name']), /kubetape-migrate-2/);
    release('rollback', '1', '--wait', '--timeout', '180s');
    assert.equal(max(), '2');
    assert.equal(secret()['database-url'], before['database-url']);
  });

  it('uninstalled, the Secret and the claims stay, and a new installation takes them over', async () => {
    const before = secret();
    release('uninstall', '--wait', '--timeout', '120s');
    assert.equal(secret()['hmac-key'], before['hmac-key']);
    assert.match(kubectl.run(['-n', NAMESPACE, 'get', 'pvc', '-o', 'name']), /data-kubetape-postgres-0/);
    // What `helm test` ran stays to be read.
    await until('the pods to be gone', async () => (await running()) === 0, 60_000);
    assert.equal(kubectl.attempt(['get', 'clusterrole', 'kubetape-chart-kubetape-collector']).status, 1);
    release('install', CHART, '--values', exampleOf('development'), '--set-string', 'secret.hmacKey=,secret.postgresPassword=');
    assert.equal(secret()['database-url'], before['database-url']);
    release('uninstall');
  });
});
