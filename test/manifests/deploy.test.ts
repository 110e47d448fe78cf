/** scripts/deploy.sh against a real API server: what it checks, shows, does, and takes away. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onDemand } from '../../scripts/setup/on-demand.mjs';
import { ROOT } from '../../scripts/setup/places.mjs';
import type { Stack } from '../../scripts/stack/stack.ts';
import { until } from '../support/kube.ts';
import { sharedStack } from '../support/stack.ts';
import { Kubectl } from './kubectl.ts';

const SCRIPT = path.join(ROOT, 'scripts', 'deploy.sh');

interface Outcome {
  readonly status: number | null;
  /** What it says to a person. */
  readonly stderr: string;
}

describe('scripts/deploy.sh', () => {
  let stack: Stack;
  let kubectl: Kubectl;
  let folder: string;
  let bin: string;

  before(async () => {
    const helm = await onDemand('helm');
    stack = await sharedStack();
    kubectl = new Kubectl(stack);
    folder = mkdtempSync(path.join(tmpdir(), 'kubetape-deploy-'));
    bin = path.join(folder, 'bin');
    spawnSync('mkdir', [bin]);
    symlinkSync(stack.kubectl, path.join(bin, 'kubectl'));
    symlinkSync(helm, path.join(bin, 'helm'));
    // The tests before this one have left their namespace on its way out.
    await until('the namespace to be free', () => kubectl.attempt(['get', 'namespace', 'kubetape']).status !== 0, 120_000);
    kubectl.provideDisks('kubetape-deploy', 4);
  });
  after(() => {
    if (bin === undefined) return;
    for (const namespace of ['kubetape', 'kubetape-deployed'])
      kubectl.attempt(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
    kubectl.attempt(['delete', 'persistentvolume', '--all', '--wait=false']);
    kubectl.attempt(['delete', 'clusterrole,clusterrolebinding', '-l', 'app.kubernetes.io/part-of=kubetape']);
    rmSync(folder, { recursive: true, force: true });
  });

  function deploy(...args: string[]): Outcome {
    const env = { ...process.env, PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`, KUBECONFIG: stack.kubeconfig };
    const { status, stderr } = spawnSync(SCRIPT, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
    return { status, stderr };
  }

  it('says what is missing or wrong, and does nothing', () => {
    for (const [args, message] of [
      [[], /development, production or external\?/],
      [['staging'], /staging is not known/],
      [['development', '--timeout', 'soon'], /it is a number of seconds/],
      [['external', '--yes'], /--brokers says where Kafka is/],
      [['development', '--by', 'kustomize', '--namespace', 'other'], /by Helm it can be another/],
    ] as const) {
      const { status, stderr } = deploy(...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
    for (const [args, message] of [
      [['development', '--context', 'nowhere'], /no such context: nowhere/],
      [['development', '--by', 'kustomize'], /nobody to ask: --yes/],
    ] as const) {
      const { status, stderr } = deploy(...args);
      assert.equal(status, 1, stderr);
      assert.match(stderr, message);
    }
    assert.notEqual(kubectl.attempt(['get', 'namespace', 'kubetape']).status, 0);
  });

  it('--dry-run shows what each way would make', () => {
    const url = path.join(folder, 'url');
    writeFileSync(url, 'postgres://u:p@db.example.com/kubetape');
    for (const by of ['helm', 'kustomize'])
      for (const mode of [['development'], ['production'], ['external', '--brokers', 'a:9092,b:9092', '--database-url-file', url]]) {
        const { status, stderr } = deploy(...mode, '--by', by, '--image', 'registry.example.com:5000/kubetape:1.2', '--dry-run');
        assert.equal(status, 0, `${by} ${mode.join(' ')}: ${stderr}`);
        assert.match(stderr, mode[0] === 'external' ? /2 Deployment/ : /2 StatefulSet/);
        assert.match(stderr, /nothing was changed/);
      }
    assert.notEqual(kubectl.attempt(['get', 'namespace', 'kubetape']).status, 0);
  });

  it('development by kustomize: installed, run again, uninstalled; disks stay', () => {
    for (const round of ['new', 'again']) {
      const { status, stderr } = deploy(
        'development',
        '--by',
        'kustomize',
        '--yes',
        '--timeout',
        '180',
        '--image',
        'example.com/kubetape:2',
      );
      assert.equal(status, 0, `${round}: ${stderr}`);
      assert.match(stderr, /✔ everything runs[^]*Next:/);
    }
    const image = kubectl.attempt([
      '-n',
      'kubetape',
      'get',
      'deployment',
      'kubetape-sink',
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    ]);
    assert.equal(image.stdout, 'example.com/kubetape:2');
    const { status, stderr } = deploy('--uninstall', '--by', 'kustomize', '--yes');
    assert.equal(status, 0, stderr);
    assert.equal(kubectl.attempt(['-n', 'kubetape', 'get', 'deployments,statefulsets', '-o', 'name']).stdout, '');
    assert.equal(kubectl.attempt(['-n', 'kubetape', 'get', 'pvc', '-o', 'name']).stdout.trim().split('\n').length, 2);
  });

  it('development by Helm, into a namespace of its own', () => {
    const into = ['--by', 'helm', '--namespace', 'kubetape-deployed', '--yes'];
    const { status, stderr } = deploy('development', ...into, '--timeout', '180');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /helm -n kubetape-deployed test kubetape/);
    const label = kubectl.attempt(['get', 'namespace', 'kubetape-deployed', '-o', 'jsonpath={.metadata.labels}']);
    assert.match(label.stdout, /"pod-security.kubernetes.io\/enforce":"restricted"/);
    assert.equal(deploy('--uninstall', ...into).status, 0);
    assert.equal(kubectl.attempt(['-n', 'kubetape-deployed', 'get', 'deployments', '-o', 'name']).stdout, '');
  });
});
