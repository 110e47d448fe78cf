/**
 * The verbs that ask, over what was really recorded of a real cluster: next to kubectl, fed to kubectl, and live.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';
import { start, type Child } from './child.ts';

const BIN = fileURLToPath(new URL('../../bin/kubetape.js', import.meta.url));
const CANARY = 'canary-of-the-past-3f9a1c';
const INTERRUPTED = 130;

describe('what was recorded, asked for', () => {
  const servers = sharedServers();
  let installation: Installation;
  let namespace: string;

  before(async () => {
    installation = await Installation.create(servers.stack, 'past');
    namespace = installation.id;
    await servers.kube.namespace(namespace);
    apply([
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta('checkout'), spec: { ...workload('checkout', 'v1'), replicas: 2 } },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: meta('ledger'),
        spec: { ...workload('ledger', 'v1'), replicas: 1, serviceName: 'ledger' },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meta('checkout'),
        spec: {
          selector: { app: 'checkout' },
          ports: [
            { port: 80, name: 'http' },
            { port: 53, protocol: 'UDP', name: 'dns' },
          ],
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meta('headless'),
        spec: { clusterIP: 'None', selector: { app: 'ledger' }, ports: [{ port: 5432 }] },
      },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('settings'), data: { 'log.level': 'info', 'app.yaml': 'a: 1\nb:\n  - yes\n' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: meta('database'), stringData: { password: CANARY } },
    ]);
    await installation.start(['run', '--configmap-data=keep', '--namespaces', namespace]).ready();
    await until('the pods to run', () => kubectl(['get', 'pods', '-n', namespace, '--no-headers']).stdout.split('Running').length === 4);
    await settled();
  });
  after(() => installation?.close());

  const meta = (name: string) => ({ name, namespace, labels: { app: name } });
  const workload = (app: string, version: string) => ({
    selector: { matchLabels: { app } },
    template: {
      metadata: { labels: { app } },
      spec: { containers: [{ name: 'main', image: `registry.example/${app}:${version}`, env: [{ name: 'COLOR', value: 'blue' }] }] },
    },
  });

  function kubectl(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(servers.stack.kubectl, [`--kubeconfig=${servers.stack.kubeconfig}`, ...args], { encoding: 'utf8', input });
  }

  function apply(items: readonly object[]): void {
    const { status, stderr } = kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    assert.equal(status, 0, stderr);
  }

  /** Waits until the tables hold what the cluster holds. */
  async function settled(): Promise<void> {
    await until('the present to be that of the cluster', async () => {
      for (const resource of ['pods', 'deployments', 'statefulsets', 'services', 'configmaps', 'secrets']) {
        const { items } = await servers.kube.list(resource, namespace);
        const rows = await installation.query<{ v: string }>(
          `SELECT uid || ' ' || resource_version AS v FROM k8s.${resource} WHERE namespace = $1 AND deleted_at IS NULL`,
          [namespace],
        );
        const [there, here] = [items.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`), rows.map(({ v }) => v)].map(
          (list) => list.toSorted().join('\n'),
        );
        if (there !== here) return false;
      }
      return true;
    });
  }

  const kubetape = (args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    start(BIN, [...args, '-n', namespace], installation.env).ended;

  /** Between the two calls a second may pass: ages, and with them the width of their columns, may differ. */
  const withoutAges = (text: string): string =>
    text
      .replaceAll(/(?<=\s|\()(\d+[smhdy])+(?=\s|\)|$| ago)/gm, 'AGE')
      .replaceAll(/ {3,}/g, '   ')
      .trimEnd();

  it('get prints what kubectl get prints, for every kind and width', async () => {
    const kinds = ['pods', 'deployments', 'statefulsets', 'services', 'configmaps', 'secrets', 'po,deploy,svc'].map((kind) => [kind]);
    const names = [
      ['deploy', 'checkout'],
      ['deploy/checkout', 'sts/ledger'],
      ['pods', '-l', 'app=checkout'],
      ['po,svc', '-l', 'app notin (ledger)'],
    ];
    for (const args of [...kinds, ...names])
      for (const more of args[0] === 'po,deploy,svc'
        ? [[], ['--no-headers'], ['-o', 'name'], ['--show-labels']]
        : [['-o', 'wide'], []].slice(0, names.includes(args) ? 1 : 2)) {
        const line = ['get', ...args, ...more];
        const theirs = kubectl([...line, '-n', namespace]);
        const ours = await kubetape(line);
        // A list by name may come in any order.
        assert.equal(withoutAges(ours.stdout), withoutAges(theirs.stdout), line.join(' '));
        assert.equal(ours.code, theirs.status);
      }
  });

  it('get events prints the columns of kubectl, the same Events', async () => {
    const sorted = (text: string): string[] => withoutAges(text).split('\n').toSorted();
    await until('the Events to be recorded', async () => {
      const [theirs, ours] = [
        kubectl(['get', 'events.v1.events.k8s.io', '-n', namespace, '-o', 'wide']),
        await kubetape(['get', 'events', '-o', 'wide']),
      ];
      return JSON.stringify(sorted(theirs.stdout)) === JSON.stringify(sorted(ours.stdout));
    });
  });

  it('get --at -o yaml is what kubectl apply takes, and brings back what was', async () => {
    const atMs = Date.now();
    const at = new Date(atMs).toISOString();
    await until('the clock to be past it', () => Date.now() > atMs + 5);
    kubectl(['set', 'image', 'deploy/checkout', 'main=registry.example/checkout:v2', '-n', namespace]);
    kubectl(['set', 'env', 'sts/ledger', 'COLOR=red', '-n', namespace]);
    kubectl(['patch', 'cm/settings', '-n', namespace, '--type=merge', '-p', '{"data":{"log.level":"debug"}}']);
    kubectl(['delete', 'svc/headless', '-n', namespace]);
    await until('the change to be recorded', async () =>
      (await kubetape(['get', 'deploy/checkout', '-o', 'yaml'])).stdout.includes('checkout:v2'),
    );

    const { code, stdout, stderr } = await kubetape(['get', 'deploy,sts,svc,cm', '-l', 'app', '--at', at, '-o', 'yaml']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /checkout:v1/);
    const dry = kubectl(['apply', '--dry-run=server', '-n', namespace, '-f', '-'], stdout);
    assert.equal(dry.status, 0, dry.stderr);
    for (const line of [
      'deployment.apps/checkout configured',
      'service/headless created',
      'configmap/settings configured',
      'statefulset.apps/ledger configured',
    ])
      assert.ok(dry.stdout.includes(`${line} (server dry run)`), `${line}: ${dry.stdout}`);
    const real = kubectl(['apply', '-n', namespace, '-f', '-'], stdout);
    assert.equal(real.status, 0, real.stderr);
    const there = JSON.parse(kubectl(['get', 'deploy/checkout', 'cm/settings', '-n', namespace, '-o', 'json']).stdout) as {
      items: { spec?: unknown; data?: unknown }[];
    };
    assert.match(JSON.stringify(there.items[0]?.spec), /checkout:v1/);
    assert.deepEqual(there.items[1]?.data, { 'log.level': 'info', 'app.yaml': 'a: 1\nb:\n  - yes\n' });

    // A StatefulSet makes its pods anew under the same names: those are others now.
    const pod = await kubetape(['get', 'pod', '-l', 'app=checkout', '--at', at, '-o', 'yaml']);
    const again = kubectl(['apply', '--dry-run=server', '-n', namespace, '-f', '-'], pod.stdout);
    assert.equal(again.status, 0, `pods of then, created anew: ${again.stderr}`);

    const secret = await kubetape(['get', 'secret/database', '-o', 'yaml']);
    assert.match(secret.stderr, /kubectl will not apply it as printed/);
    assert.notEqual(
      kubectl(['apply', '--dry-run=server', '-n', namespace, '-f', '-'], secret.stdout).status,
      0,
      'a Secret without its values must not be applied',
    );
  });

  /** What a running verb has printed so far. */
  function printed(child: Child): () => string {
    let text = '';
    child.process.stdout?.on('data', (chunk: string) => (text += chunk));
    return () => text;
  }

  async function interrupted(child: Child): Promise<void> {
    child.process.kill('SIGINT');
    const { code, stderr } = await child.ended;
    assert.equal(code, INTERRUPTED, stderr);
  }

  it('get -w and changes -w go on with what is recorded, each change once', async () => {
    await settled();
    const get = start(BIN, ['get', 'deploy', '-n', namespace, '-w'], installation.env);
    const changes = start(BIN, ['changes', '-n', namespace, '-w', '--since', '1s', '-o', 'jsonl'], installation.env);
    const [gets, told] = [printed(get), printed(changes)];
    await until('get to print the present', () => gets().includes('checkout'));
    await changes.says(/./).catch(() => undefined);
    await until('a change to be told', async () => {
      kubectl(['annotate', 'svc/checkout', `turn=${Date.now()}`, '--overwrite', '-n', namespace]);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return told().includes('"svc/checkout"') || told().includes('annotation turn');
    });
    kubectl(['scale', 'deploy/checkout', '--replicas=3', '-n', namespace]);
    await until('the scaling to be told', () => told().includes('replicas 2 → 3'));
    await until('the row to be printed again', () => /checkout +3\/3 +3 +3/.test(gets()));
    await interrupted(get);
    await interrupted(changes);
    const revisions = told()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { resourceVersion: string }).resourceVersion);
    assert.equal(new Set(revisions).size, revisions.length);
  });

  it('tail: live from Kafka, what an object was before its first change from the database; conditions; from a time on', async () => {
    const tail = start(BIN, ['tail', 'deploy,svc', '-n', namespace], installation.env);
    const told = printed(tail);
    await tail.says(/waiting for changes of deployments, services/);
    await until('a change to come through Kafka', async () => {
      kubectl(['label', 'svc/checkout', `turn=t${Date.now()}`, '--overwrite', '-n', namespace]);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return told().includes('svc/checkout');
    });
    kubectl(['set', 'image', 'deploy/checkout', 'main=registry.example/checkout:v9', '-n', namespace]);
    await until('the new image to be told', () => /deploy\/checkout +image v1 → v9 {2}\(kubectl-set, age /.test(told()));
    assert.match(told(), /^\d\d:\d\d:\d\d\.\d{3} ~ svc\/checkout +(\+label turn=t\d+|label turn t\d+ → t\d+)/m);
    await interrupted(tail);

    const { DATABASE_URL: _without, ...env } = installation.env;
    const since = start(
      BIN,
      ['tail', '-A', '--since', '10m', '--where', `namespace == "${namespace}" && kind == "Service" && labels.turn`, '-o', 'jsonl'],
      env,
    );
    const past = printed(since);
    await until('what Kafka still holds', () => past().includes('"summary"'));
    await interrupted(since);
    for (const line of past().trim().split('\n')) {
      const { kind, name } = JSON.parse(line) as { kind: string; name: string };
      assert.deepEqual([kind, name], ['Service', 'checkout']);
    }
  });

  it('no value of a Secret is in anything that any verb prints', async () => {
    kubectl([
      'patch',
      'secret/database',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      JSON.stringify({ stringData: { password: `${CANARY}-2` } }),
    ]);
    await until('the change to be recorded', async () =>
      (await kubetape(['history', 'secret/database'])).stdout.includes('*** (before) → *** (after)'),
    );
    const lines = [
      'get secrets -o wide',
      'get secrets -o yaml',
      'get secrets -o json',
      'history secret/database -o json',
      'diff secret/database',
      'diff secret/database -o json',
      'changes -o json',
      'blame secret/database',
      'timeline -o json',
      'search database -o json',
    ];
    const forms = [
      CANARY,
      ...[0, 1, 2].map((shift) =>
        Buffer.from(`${'x'.repeat(shift)}${CANARY}`)
          .toString('base64')
          .slice(4, -4),
      ),
    ];
    for (const line of lines) {
      const { stdout, stderr } = await kubetape(line.split(' '));
      assert.match(stdout, /database|password/, line);
      for (const form of forms) assert.ok(!`${stdout}${stderr}`.includes(form), line);
    }
    const sql = await start(BIN, ['query', 'SELECT object FROM k8s.secrets_history', '-o', 'json'], installation.env).ended;
    for (const form of forms) assert.ok(!sql.stdout.includes(form));
  });

  it('kubectl tape: the same verbs, and Tab', async () => {
    const folder = path.join(installation.logs, 'bin');
    mkdirSync(folder, { recursive: true });
    for (const name of ['kubectl-tape', 'kubectl_complete-tape']) symlinkSync(BIN, path.join(folder, name));
    const env = {
      ...installation.env,
      PATH: `${folder}${path.delimiter}${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
    };
    const run = (args: readonly string[]) => spawnSync(servers.stack.kubectl, args, { encoding: 'utf8', env });
    assert.equal(run(['tape', 'get', 'sts', '-n', namespace, '-o', 'name']).stdout, 'statefulset.apps/ledger\n');
    const { stdout } = run(['__complete', 'tape', 'history', '-n', namespace, 'sts/']);
    assert.equal(stdout, 'sts/ledger\n:4\n');
  });
});
