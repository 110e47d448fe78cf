import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, start } from './child.ts';

const LIFE = fileURLToPath(new URL('fixtures/life.ts', import.meta.url));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`L1 drains: ${signal} lets the work finish, exit 0, and nothing is ready meanwhile`, async () => {
    const child = start(LIFE, ['drain']);
    await child.says(/working/);
    child.process.kill(signal);
    const { code, stderr } = await child.ended;
    assert.equal(code, 0, stderr);
    const said = stderr
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    assert.deepEqual(said.slice(-3), [`${signal}: finishing what is under way`, 'committed', 'stopped']);
  });
}

test('L1 drains: work that does not end in time is left, exit 1, with a word about it', async () => {
  const child = start(LIFE, ['stuck']);
  await child.says(/working/);
  child.process.kill('SIGTERM');
  const { code, stderr } = await child.ended;
  assert.equal(code, 1);
  assert.match(stderr, /not finished after 0\.3 s/);
});

test('L1 drains: to be interrupted is no failure', async () => {
  const child = start(LIFE, ['aborts']);
  await child.says(/working/);
  child.process.kill('SIGTERM');
  assert.equal((await child.ended).code, 0);
});

test('L2 obeys: a second signal ends the process at once with 130; two that come together are one', async () => {
  const child = start(LIFE, ['twice']);
  await child.says(/working/);
  child.process.kill('SIGINT');
  child.process.kill('SIGINT');
  await child.says(/finishing/);
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(child.process.exitCode, null);
  child.process.kill('SIGINT');
  assert.equal((await child.ended).code, 130);
});

test('L3 crashes well: a failure is one message with a hint, without a stack or the content of its cause', async () => {
  const { code, stderr } = await run(LIFE, ['fail']);
  assert.equal(code, 1);
  const fatal = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['level'] === 'fatal');
  assert.equal(fatal.length, 1);
  assert.deepEqual([fatal[0]?.['msg'], fatal[0]?.['code']], ['wrong password', 'KAFKA_UNAUTHORIZED']);
  assert.match(String(fatal[0]?.['hint']), /SASL/);
  assert.doesNotMatch(stderr, /hush|life\.ts/);
  assert.match((await run(LIFE, ['fail', 'debug'])).stderr, /life\.ts/);
});

test('L3 crashes well: a wrong setting found late is exit 2', async () => {
  assert.equal((await run(LIFE, ['config'])).code, 2);
});

for (const how of ['crash', 'reject']) {
  test(`L3 crashes well: a defect (${how}) ends the process, exit 1`, async () => {
    const { code, stderr } = await run(LIFE, [how]);
    assert.equal(code, 1);
    assert.match(stderr, /"level":"fatal".*kubetape failed: TypeError/);
  });
}

test('the port serves readiness while the work runs, and says where it is', async () => {
  const child = start(LIFE, ['drain']);
  const [, url = ''] = await child.says(/"url":"(http:[^"]+)"/);
  await child.says(/working/);
  assert.equal((await fetch(`${url}/ready`)).status, 200);
  child.process.kill('SIGTERM');
  await child.ended;
});

test('without a port the work runs all the same', async () => {
  const child = start(LIFE, ['no-port']);
  await child.says(/working/);
  child.process.kill('SIGTERM');
  const { code, stderr } = await child.ended;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /http:/);
});
