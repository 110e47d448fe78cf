import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { backgrounds, stateDirectory, stop, type Background, type Detached } from '../../src/app/detach.ts';
import { run } from './child.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/background.ts', import.meta.url));
const BIN = fileURLToPath(new URL('../../bin/kubetape.js', import.meta.url));

function home(): { XDG_STATE_HOME: string } {
  return { XDG_STATE_HOME: mkdtempSync(path.join(tmpdir(), 'kubetape-state-')) };
}

async function begin(env: { XDG_STATE_HOME: string }, how = 'sleep'): Promise<Detached> {
  const { stdout, stderr } = await run(FIXTURE, ['start', how], env);
  assert.ok(stdout.startsWith('{'), stderr);
  return JSON.parse(stdout) as Detached;
}

function started(outcome: Detached): Background {
  assert.equal(outcome.kind, 'started');
  return (outcome as { background: Background }).background;
}

test('a role runs on in the background, says where, and stops in order', async () => {
  const env = home();
  const background = started(await begin(env));
  assert.equal(background.log, path.join(env.XDG_STATE_HOME, 'kubetape', 'sleeper.log'));
  assert.equal((await fetch(`${background.url}/health`)).status, 200);
  assert.deepEqual(backgrounds(env), [background]);

  const tookMs = await stop(background, env);
  assert.ok(tookMs !== null && tookMs < 5000);
  assert.deepEqual(backgrounds(env), []);
  assert.match(readFileSync(background.log, 'utf8'), /"msg":"stopped"/);
});

test('D1 one each: a role that runs already is not started again', async (t) => {
  const env = home();
  const background = started(await begin(env));
  t.after(() => stop(background, env));
  const again = await begin(env);
  assert.deepEqual(again, { kind: 'running', background });
});

test('a role that ends at once is told, with the end of its log', async () => {
  const env = home();
  assert.deepEqual(await begin(env, 'die'), {
    kind: 'ended',
    exitCode: 2,
    log: path.join(stateDirectory(env), 'sleeper.log'),
    lastLines: ['no such thing'],
  });
  assert.deepEqual(backgrounds(env), []);
});

test('D2 told apart: a process that only has the same pid is not taken for ours, and never stopped', async (t) => {
  const env = home();
  const background = started(await begin(env));
  t.after(() => stop(background, env));
  const stranger = { ...background, startTime: '1' };
  writeFileSync(path.join(stateDirectory(env), 'sleeper.pid'), JSON.stringify(stranger));
  assert.deepEqual(backgrounds(env), []);
  assert.notEqual(await stop(stranger, env), null);
  assert.equal((await fetch(`${background.url}/health`)).status, 200);
});

test('a note that is broken is no note', () => {
  const env = home();
  assert.deepEqual(backgrounds(env), []);
});

test('`kubetape stop` stops by name, waits, and reports', async () => {
  const env = home();
  const background = started(await begin(env));
  const note = path.join(stateDirectory(env), 'collect.pid');
  writeFileSync(note, JSON.stringify({ ...background, role: 'collect' }));
  const { code, stdout } = await run(BIN, ['stop', 'collect'], env);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^✔ collect stopped after \\d\\.\\d s \\(pid ${background.pid}\\)\n$`));
  const nothing = await run(BIN, ['stop'], env);
  assert.equal(nothing.code, 0);
  assert.match(nothing.stderr, /nothing runs in the background/);
});

test('`kubetape collect --detach` and `kubetape stop`, with nothing to reach: it waits, is found, and ends', async (t) => {
  const env = home();
  const kubeconfig = path.join(env.XDG_STATE_HOME, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  const args = ['collect', '--detach', '--kubeconfig', kubeconfig, '--http-port', '0', '--kafka-brokers', '127.0.0.1:1'];
  const first = await run(BIN, args, env);
  t.after(() => Promise.all(backgrounds(env).map((one) => stop(one, env))));
  assert.equal(first.code, 0, first.stderr);
  const [, url = ''] = /ready {2}(http:\S+)/.exec(first.stdout) ?? [];
  assert.match(first.stdout, /^✔ collect runs in the background\n {2}pid {4}\d+\n {2}log {4}\S+collect\.log\n/);
  const response = await fetch(url);
  assert.equal(response.status, 503);
  assert.equal(((await response.json()) as { ready: boolean }).ready, false);

  const second = await run(BIN, args, env);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /runs in the background already: pid \d+/);

  const stopped = await run(BIN, ['stop'], env);
  assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
  assert.match(stopped.stdout, /^✔ collect stopped after/);
});

test('one that does not stop in time is reported', async (t) => {
  const env = home();
  const background = started(await begin(env, 'stuck'));
  t.after(() => process.kill(background.pid, 'SIGKILL'));
  assert.equal(await stop(background, env, 200), null);
});
