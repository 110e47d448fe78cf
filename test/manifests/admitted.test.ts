/**
 * The manifests against a real API server: strict validation, Pod Security and RBAC are its own; KWOK runs the pods. The
 * definitions of custom resources are their operators' own, where Go modules have them.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onDemand } from '../../scripts/setup/on-demand.mjs';
import type { Stack } from '../../scripts/stack/stack.ts';
import { DEFAULT_RESOURCES } from '../../src/config/kubernetes.ts';
import { Kube, until, type KubeObject } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { comparePresent } from '../support/oracle.ts';
import { sharedStack } from '../support/stack.ts';
import { podKubeconfig } from './pod-kubeconfig.ts';
import { Kubectl } from './kubectl.ts';
import { COMPONENTS, manifestsOf, Rendering, settingsIn, type Manifest } from './rendering.ts';

/** Operators whose definitions no Go module has: their resources are looked at below. */
const UNDEFINED = new Set(['kafka.strimzi.io/v1', 'postgresql.cnpg.io/v1']);
/** Several of them that go together, so that few applications see all. */
const TOGETHER = [
  [
    'kafka',
    'postgres',
    'postgres-backup',
    'pgadmin',
    'ingress',
    'audit',
    'tls',
    'keda',
    'demo',
    'load',
    'network-policies',
    'disruption-budgets',
  ],
  ['kafka-ha', 'hpa-lag', 'without-secrets', 'snapshot', 'monitoring'],
  ['strimzi', 'cloudnativepg', 'kafka-login'],
];

describe('the manifests in a cluster', () => {
  let stack: Stack;
  let kubectl: Kubectl;
  let kube: Kube;
  let rendering: Rendering;
  let crds: string;

  before(async () => {
    crds = await onDemand('crds');
    stack = await sharedStack();
    kubectl = new Kubectl(stack);
    kube = new Kube(stack);
    rendering = new Rendering().fillIn();
    kubectl.run(['apply', '--server-side', '-f', crds]);
    kubectl.run(['wait', '--for=condition=Established', '--timeout=60s', '-f', crds]);
    kubectl.provideDisks('kubetape-manifests', 8);
  });
  after(() => {
    if (rendering === undefined) return;
    const mine = ['-l', 'app.kubernetes.io/part-of=kubetape', '--ignore-not-found', '--wait=false'];
    kubectl.run(['delete', 'namespace,clusterrole,clusterrolebinding', ...mine]);
    kubectl.run(['delete', 'persistentvolume', '--all', '--wait=false']);
    kubectl.run(['delete', '--ignore-not-found', '--wait=false', '-f', crds]);
    kube.close();
    rendering.close();
  });

  /** Applies it, and fails on a warning too: Pod Security warns where a workload's pods would be refused. */
  function applyStrictly(text: string, ...flags: string[]): void {
    const { status, stderr } = kubectl.attempt(['apply', '--validate=strict', ...flags, '-f', '-'], text);
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
  }

  /** Every pod of the namespace runs, or has done what it was there for. */
  async function allRun(namespace: string, expected: Readonly<Record<string, number>>): Promise<void> {
    const count = async (): Promise<Record<string, number>> => {
      const { items } = await kube.list('pods', namespace);
      const counts: Record<string, number> = {};
      for (const { metadata, status } of items as (KubeObject & { status: { phase: string } })[]) {
        const name = (metadata['labels'] as Record<string, string>)['app.kubernetes.io/component'] ?? '';
        const { phase } = status;
        const key = `${name} ${phase}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
      return counts;
    };
    let last: Record<string, number> = {};
    await until(
      `the pods of ${namespace}`,
      async () => {
        last = await count();
        return JSON.stringify(Object.entries(last).toSorted()) === JSON.stringify(Object.entries(expected).toSorted());
      },
      60_000,
    ).catch((error: Error) =>
      assert.fail(`${error.message}: ${JSON.stringify(last)}\n${kubectl.attempt(['-n', namespace, 'get', 'events']).stdout.slice(-3000)}`),
    );
  }

  it('dev is admitted, and its pods run', async () => {
    applyStrictly(rendering.render(rendering.overlay('dev')));
    await allRun('kubetape', {
      'collector Running': 1,
      'sink Running': 1,
      'setup Succeeded': 2,
      'kafka Running': 1,
      'postgres Running': 1,
    });
  });

  it('a pod that is not hardened is refused there', () => {
    const { status, stderr } = kubectl.attempt(['-n', 'kubetape', 'run', 'plain', '--image=kubetape:0.1.0', '--restart=Never']);
    assert.notEqual(status, 0);
    assert.match(stderr, /violates PodSecurity "restricted:latest"/);
  });

  it('every component is admitted, by the definitions of the operators too', () => {
    assert.deepEqual(TOGETHER.flat().toSorted(), [...COMPONENTS, 'monitoring'].toSorted());
    const namespace = 'kubetape-components';
    for (const names of TOGETHER) {
      const defined = manifestsOf(rendering.withComponents(names, `namespace: ${namespace}\n`)).filter(
        ({ apiVersion }) => !UNDEFINED.has(apiVersion),
      );
      // A trial makes no namespace: it is there before what goes into it.
      kubectl.apply(defined.filter(({ kind }) => kind === 'Namespace'));
      const { status, stderr } = kubectl.attempt(
        ['apply', '--validate=strict', '--dry-run=server', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items: defined }),
      );
      assert.deepEqual([status, stderr.slice(0, 3000)], [0, ''], names.join(', '));
    }
  });

  it('what Strimzi and CloudNativePG are asked for has the parts that they need', () => {
    const manifests = manifestsOf(
      rendering.withComponents(['audit', 'load', 'postgres-backup', 'strimzi', 'cloudnativepg', 'kafka-login']),
    );
    const one = (kind: string): Manifest => manifests.find((manifest) => manifest.kind === kind) ?? assert.fail(kind);
    const [pool, kafka, cluster] = [one('KafkaNodePool'), one('Kafka'), one('Cluster')];
    assert.equal(pool.metadata.labels?.['strimzi.io/cluster'], kafka.metadata.name);
    assert.deepEqual(Object.keys(pool.spec ?? {}).toSorted(), ['jvmOptions', 'replicas', 'resources', 'roles', 'storage', 'template']);
    assert.deepEqual(Object.keys(kafka.spec ?? {}), ['kafka']);
    assert.equal(settingsIn(manifests)['KAFKA_BROKERS'], `${kafka.metadata.name}-kafka-bootstrap:9092`);
    const { bootstrap, instances } = cluster.spec as { bootstrap: { initdb: { database: string; owner: string } }; instances: number };
    assert.deepEqual([bootstrap.initdb.database, bootstrap.initdb.owner, instances], ['kubetape', 'kubetape', 3]);
    const urls = JSON.stringify(manifests.filter(({ kind }) => ['Deployment', 'Job', 'CronJob'].includes(kind))).match(
      /"secretName":"[^"]+","items":\[{"key":"uri","path":"database-url"}\]|"items":\[{"key":"uri","path":"database-url"}\],"secretName":"[^"]+"/g,
    );
    assert.equal(urls?.length, 6, 'sink, audit, migrate, retention, load and backup find the URL in the Secret that the operator makes');
    for (const url of urls ?? []) assert.match(url, new RegExp(`"${cluster.metadata.name}-app"`));
  });

  it('production is admitted, and its pods run, each broker and each collector on a node of its own', async () => {
    const namespace = 'kubetape-production';
    const text = rendering.withComponents([], `namespace: ${namespace}\nnamePrefix: production-\n`, 'overlays/production');
    const manifests = manifestsOf(text).filter(({ kind }) => !kind.startsWith('ClusterRole'));
    const renamed = manifests.map((manifest) =>
      manifest.kind === 'Namespace' ? { ...manifest, metadata: { ...manifest.metadata, name: namespace } } : manifest,
    );
    applyStrictly(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: renamed }));
    await allRun(namespace, { 'collector Running': 2, 'sink Running': 2, 'setup Succeeded': 2, 'kafka Running': 3, 'postgres Running': 1 });
    const { items } = await kube.list('pods', namespace);
    for (const component of ['kafka', 'collector']) {
      const nodes = items
        .filter(({ metadata }) => (metadata['labels'] as Record<string, string>)['app.kubernetes.io/component'] === component)
        .map((pod) => (pod['spec'] as { nodeName: string }).nodeName);
      assert.equal(new Set(nodes).size, nodes.length, `${component}: ${nodes.join(' ')}`);
    }
  });

  describe('the rights of its accounts', () => {
    const list = (account: string, namespace: string): string[] =>
      kubectl
        .run(['auth', 'can-i', '--list', '--no-headers', `--as=system:serviceaccount:${account}`, '-n', namespace])
        .trim()
        .split('\n')
        .map((line) => line.trim().replaceAll(/\s+/g, ' '))
        .toSorted();
    /** What every account may: ask what it may, and what the API server is. */
    const beyond = (account: string, namespace: string): string[] => {
      const everybody = new Set(list('default:nobody-in-particular', namespace));
      return list(account, namespace).filter((line) => !everybody.has(line));
    };
    const READS = ['configmaps', 'deployments.apps', 'events.events.k8s.io', 'pods', 'secrets', 'services', 'statefulsets.apps'].map(
      (resource) => `${resource} [] [] [get list watch]`,
    );

    it('the collector may read what it records, use its Lease, and nothing else', () => {
      const lease = ['leases.coordination.k8s.io [] [] [create]', 'leases.coordination.k8s.io [] [kubetape-collector] [get update]'];
      const cluster = ['namespaces [] [kube-system] [get]'];
      assert.deepEqual(beyond('kubetape:kubetape-collector', 'kubetape'), [...READS, ...lease, ...cluster].toSorted());
      assert.deepEqual(beyond('kubetape:kubetape-collector', 'default'), [...READS, ...cluster].toSorted());
    });

    it('the others may nothing at all', () => {
      for (const account of ['kubetape-sink', 'kubetape-setup', 'default'])
        for (const namespace of ['kubetape', 'default']) assert.deepEqual(beyond(`kubetape:${account}`, namespace), [], account);
    });
  });

  describe('the collector with the token of its account', () => {
    let installation: Installation;
    let env: Record<string, string>;

    before(async () => {
      installation = await Installation.create(stack, 'manifests');
      const token = kubectl.run(['-n', 'kubetape', 'create', 'token', 'kubetape-collector']).trim();
      const kubeconfig = podKubeconfig(stack, path.join(installation.logs, 'pod'), token);
      // What the pod is told, but for where the servers are.
      const { KAFKA_BROKERS: _brokers, ...told } = settingsIn(manifestsOf(rendering.render(rendering.overlay('dev'))));
      env = { ...told, KUBECONFIG: kubeconfig, KUBETAPE_LEASE_NAMESPACE: 'kubetape' };
    });
    after(() => installation?.close());

    it('waits for nothing that is there, and finds every permission', () => {
      const { status, stdout, stderr } = installation.once(['check', 'collect', '--wait', '--timeout', '20'], env);
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.doesNotMatch(stdout, /not allowed/);
    });

    it('records all default resources, and leads by the Lease that it may have', async () => {
      const collector = installation.start(['collect'], env);
      await collector.ready();
      await installation.start(['sink']).ready();
      await kube.create('configmaps', { metadata: { name: 'seen', namespace: 'kubetape' }, data: { a: 'b' } });
      for (const resource of DEFAULT_RESOURCES) await comparePresent(installation, kube, resource);
      const [row] = await installation.query<{ count: string }>("SELECT count(*) FROM k8s.configmaps WHERE name = 'seen'");
      assert.equal(row?.count, '1');
      const lease = await kube.call<{ spec: { holderIdentity: string } }>(
        'GET',
        '/apis/coordination.k8s.io/v1/namespaces/kubetape/leases/kubetape-collector',
      );
      assert.ok(lease.spec.holderIdentity !== '');
      assert.equal(await collector.stop(), 0);
    });

    it('may learn the name of the cluster, and read no other namespace', () => {
      const as = ['--as=system:serviceaccount:kubetape:kubetape-collector'];
      kubectl.run(['get', 'namespace', 'kube-system', ...as]);
      assert.match(kubectl.attempt(['get', 'namespace', 'default', ...as]).stderr, /Forbidden/);
    });

    it('without the right to read Secrets it says exactly that, and goes on with the rest', async () => {
      const binding = kubectl.run(['get', 'clusterrolebinding', 'kubetape-secrets', '-o', 'json']);
      kubectl.run(['delete', 'clusterrolebinding', 'kubetape-secrets']);
      try {
        await until(
          'the right to be gone',
          () =>
            kubectl.attempt(['auth', 'can-i', 'list', 'secrets', '-A', '--as=system:serviceaccount:kubetape:kubetape-collector']).status !==
            0,
        );
        const waited = installation.once(['check', 'collect', '--wait', '--timeout', '20', '--resources', 'pods'], env);
        assert.equal(waited.status, 0, `the init container is not held up: ${waited.stdout}${waited.stderr}`);
        const checked = installation.once(['check', 'collect'], env);
        assert.equal(checked.status, 1);
        const failures = checked.stdout.split('\n').filter((line) => line.includes('not allowed'));
        assert.equal(failures.length, 1, checked.stdout);
        assert.match(failures[0] ?? '', /secrets: not allowed: list and watch/);

        const collector = installation.start(['collect'], env);
        let report: { checks: { name: string; ready: boolean; reason?: string }[] } = { checks: [] };
        await until('all but Secrets to be watched', async () => {
          report = JSON.parse((await collector.get('/ready')).text) as typeof report;
          return report.checks.length === DEFAULT_RESOURCES.length + 1 && report.checks.filter(({ ready }) => !ready).length === 1;
        });
        const failed = report.checks.find(({ ready }) => !ready);
        assert.equal(failed?.name, 'watch secrets');
        assert.match(failed?.reason ?? '', /secrets.*forbidden/i);
        assert.match((await collector.get('/metrics')).text, /kubetape_errors_total\{code="KUBE_FORBIDDEN",stage="source"\} [1-9]/);
        await kube.create('configmaps', { metadata: { name: 'seen-without', namespace: 'kubetape' }, data: {} });
        await until('the rest to be recorded', async () => {
          const rows = await installation.query("SELECT 1 FROM k8s.configmaps WHERE name = 'seen-without'");
          return rows.length === 1;
        });

        // And it takes the right up when it is given.
        const { metadata, roleRef, subjects, ...rest } = JSON.parse(binding) as {
          metadata: { name: string; labels: object };
          roleRef: object;
          subjects: object;
        };
        kubectl.apply([{ ...rest, metadata: { name: metadata.name, labels: metadata.labels }, roleRef, subjects }]);
        await collector.ready(60_000);
      } finally {
        kubectl.attempt(['apply', '-k', rendering.overlay('dev')]);
      }
    });
  });
});
