/** The chart: what it renders is what kustomize renders; and its values are guarded and described. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { CHART, chartFiles } from '../../scripts/chart/generate.ts';
import { valuesOf } from '../../scripts/chart/values.ts';
import { settings } from '../../src/config/settings.ts';
import { EXAMPLES, exampleOf, Helm, helmManifests, said } from './chart.ts';
import { essencesOf } from './essence.ts';
import { manifestsOf, Rendering, settingsIn, type Manifest } from './rendering.ts';

let helm: Helm;
let rendering: Rendering;
let folder: string;

before(async () => {
  helm = await Helm.create();
  rendering = new Rendering().fillIn();
  folder = mkdtempSync(path.join(tmpdir(), 'kubetape-chart-'));
});
after(() => {
  rendering?.close();
  rmSync(folder, { recursive: true, force: true });
});

function valuesFile(values: object): string {
  const file = path.join(folder, `values-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(file, stringify(values));
  return file;
}

function withValues(values: object, ...more: string[]): Manifest[] {
  return helm.template('--values', valuesFile(values), ...more);
}

describe('the chart says what the manifests say', () => {
  const same = (chart: readonly Manifest[], kustomize: string): void => {
    const [actual, expected] = [essencesOf(chart), essencesOf(manifestsOf(kustomize))];
    assert.deepEqual(Object.keys(actual), Object.keys(expected));
    for (const [name, essence] of Object.entries(expected)) assert.deepEqual(actual[name], essence, name);
  };

  it('development', () => same(helm.template('--values', exampleOf('development')), rendering.render(rendering.overlay('dev'))));

  it('production, with what Prometheus and Grafana read', () =>
    same(
      helm.template('--values', exampleOf('production'), '--set', 'pgadmin.enabled=true,audit.enabled=true'),
      rendering.compose(
        'production-pgadmin',
        'resources: [../manifests/overlays/production]\ncomponents: [../manifests/monitoring, ../manifests/components/audit, ../manifests/monitoring/audit, ../manifests/components/pgadmin]\n',
      ),
    ));

  it('an external Kafka that wants a password, an external Postgres', () =>
    same(
      withValues({
        secret: { existing: 'kubetape' },
        kafka: { mode: 'external', brokers: ['kubetape-kafka:9092'], login: { secret: 'kubetape-kafka-login' } },
        postgres: { mode: 'external' },
        disruptionBudgets: { enabled: true },
        load: { enabled: true },
        audit: { enabled: true },
      }),
      rendering.withComponents(['load', 'audit', 'kafka-login', 'disruption-budgets']),
    ));

  it('TLS, KEDA, pgAdmin and its Ingress, load, backup', () =>
    same(
      withValues({
        tls: { enabled: true },
        sink: { autoscaling: { by: 'keda' } },
        pgadmin: { enabled: true },
        ingress: { enabled: true },
        load: { enabled: true },
        audit: { enabled: true },
        backup: { enabled: true },
      }),
      rendering.withComponents(['keda', 'pgadmin', 'ingress', 'load', 'audit', 'postgres-backup', 'kafka', 'tls']),
    ));

  it('the collector as a CronJob without Secrets, sinks by lag, the demo, network policies', () =>
    same(
      withValues({
        collector: { mode: 'cronjob' },
        record: { resources: ['pods', 'services', 'deployments', 'statefulsets', 'configmaps', 'events'] },
        sink: { autoscaling: { by: 'lag' } },
        demo: { enabled: true },
        pgadmin: { enabled: true },
        networkPolicies: { enabled: true },
      }),
      rendering.withComponents(['snapshot', 'without-secrets', 'hpa-lag', 'demo', 'postgres', 'pgadmin', 'network-policies']),
    ));
});

describe('the values', () => {
  it('README and schema are made from them, and are up to date', () => {
    for (const [name, text] of Object.entries(chartFiles())) assert.equal(readFileSync(path.join(CHART, name), 'utf8'), text, name);
  });

  it('each has a meaning', () => {
    assert.ok(valuesOf(readFileSync(path.join(CHART, 'values.yaml'), 'utf8')).length > 80);
    assert.throws(() => valuesOf('a:\n  bare: 1\n'), /a\.bare has no comment/);
  });

  it('lint finds nothing in any example', () => {
    for (const name of EXAMPLES) {
      const { status, stdout, stderr } = helm.attempt(['lint', '--strict', CHART, '--values', exampleOf(name)]);
      assert.equal(status, 0, `${name}: ${stdout}${said(stderr)}`);
    }
  });

  it('a wrong one is refused by name', () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ colector: { mode: 'deployment' } }, /colector/],
      [{ collector: { mode: 'daemonset' } }, /collector.*mode|mode/],
      [{ kafka: { replicas: 2 } }, /replicas/],
      [{ settings: { KUBETAPE_NO_SUCH: 'x' } }, /KUBETAPE_NO_SUCH/],
      [{ settings: { KUBETAPE_HMAC_KEY: 'in a ConfigMap' } }, /KUBETAPE_HMAC_KEY/],
      [{ secret: { hmacKey: 'short' } }, /hmacKey/],
      [{ kafka: { mode: 'external' } }, /kafka\.brokers says where it is/],
      [{ postgres: { mode: 'external' } }, /secret\.databaseUrl/],
      [{ ingress: { enabled: true } }, /pgadmin\.enabled/],
      [{ record: { resources: ['certificates'] } }, /write certificates\.<group>/],
    ];
    for (const [values, pattern] of wrong) assert.throws(() => withValues(values), pattern, JSON.stringify(values));
  });

  it('what is recorded may be read, and nothing else; custom resources, and single namespaces', () => {
    const rulesOf = (manifests: readonly Manifest[], kind: string): string[] =>
      manifests
        .filter((one) => one.kind === kind && !one.metadata.name.endsWith('-lease'))
        .flatMap(({ metadata, rules }) =>
          (rules as { apiGroups: string[]; resources: string[] }[]).map(
            ({ apiGroups, resources }) => `${metadata.namespace ?? '*'}: ${apiGroups.join()}/${resources.join()}`,
          ),
        );
    const record = { resources: ['pods', 'jobs', 'secrets', 'certificates.cert-manager.io'] };
    assert.deepEqual(rulesOf(withValues({ record }), 'ClusterRole'), [
      '*: /pods',
      '*: batch/jobs',
      '*: cert-manager.io/certificates',
      '*: /namespaces',
      '*: /secrets',
    ]);
    const limited = withValues({ record: { resources: ['pods'], namespaces: ['shop', 'pay'] } });
    assert.deepEqual(rulesOf(limited, 'ClusterRole'), ['*: /namespaces']);
    assert.deepEqual(rulesOf(limited, 'Role'), ['shop: /pods', 'pay: /pods']);
    assert.deepEqual(settings('collect', { env: settingsIn(limited) }).settings.namespaces, ['shop', 'pay']);
  });

  it('a second release has names of its own', () => {
    const names = (release: string, namespace: string): string[] =>
      helmManifests(helm.run(['template', release, CHART, '--namespace', namespace])).map(
        ({ kind, metadata }) => `${kind}/${kind.startsWith('Cluster') ? '' : namespace}/${metadata.name}`,
      );
    const first = new Set(names('kubetape', 'kubetape'));
    for (const [release, namespace] of [
      ['kubetape', 'elsewhere'],
      ['second', 'kubetape'],
    ] as const)
      assert.deepEqual(
        names(release, namespace).filter((name) => first.has(name)),
        [],
        `${release} in ${namespace}`,
      );
  });
});
