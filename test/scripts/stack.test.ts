import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../../scripts/setup/places.mjs';
import { isAlive } from '../../scripts/stack/processes.ts';
import { Stack } from '../../scripts/stack/stack.ts';

describe('the local servers', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'kubetape-stack-'));
  });
  after(async () => {
    for (const name of ['a', 'b']) await new Stack(path.join(folder, name)).reset();
    rmSync(folder, { recursive: true, force: true });
  });

  it('two folders run side by side; starting again starts nothing; what was killed is started on its data', async () => {
    const a = await Stack.up(path.join(folder, 'a'), undefined, ['etcd', 'kube-apiserver']);
    const b = await Stack.up(path.join(folder, 'b'), undefined, ['etcd']);
    assert.notEqual(a.state.ports.etcd, b.state.ports.etcd);
    const pid = a.pid('kube-apiserver');
    const started: string[] = [];
    await Stack.up(a.dir, (name, happened) => (happened === 'starting' ? void started.push(name) : undefined), ['etcd', 'kube-apiserver']);
    assert.deepEqual(started, []);
    assert.equal(a.pid('kube-apiserver'), pid);
    const { apiUrl } = a;
    await a.stop('kube-apiserver', 'SIGKILL');
    assert.throws(() => a.pid('kube-apiserver'));
    await a.start('kube-apiserver');
    assert.equal(a.apiUrl, apiUrl);
  });

  it('env prints export lines that a shell takes', async () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [path.join(ROOT, 'scripts', 'stack.ts'), 'env', '--dir', path.join(folder, 'a')],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0);
    const shell = spawnSync('sh', ['-c', `${stdout}\nprintf '%s' "$KUBECONFIG|$KAFKA_BROKERS|$DATABASE_URL"`], { encoding: 'utf8' });
    const [kubeconfig, brokers, database] = shell.stdout.split('|');
    assert.equal(kubeconfig, path.join(folder, 'a', 'kubeconfig'));
    assert.match(brokers ?? '', /^127\.0\.0\.1:\d+$/);
    assert.match(database ?? '', /^postgres:\/\//);
  });

  it('status exits 1 while something does not run, and a wrong word is answered with the usage, exit 2', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'stack.ts'), ...args], { encoding: 'utf8' });
    const status = run('status', '--dir', path.join(folder, 'b'));
    assert.equal(status.status, 1);
    assert.match(status.stdout, /✔ etcd/);
    assert.match(status.stdout, /✗ kafka/);
    assert.equal(run('upp').status, 2);
  });

  it('down leaves no process behind, and a pid that was given again is not touched', async () => {
    const stack = new Stack(path.join(folder, 'a'));
    const { processes } = stack.state;
    await stack.down();
    for (const id of Object.values(processes)) assert.ok(!isAlive(id));
    assert.ok(!isAlive({ pid: process.pid, startedAt: '1' }), 'another process with the same pid');
  });
});
