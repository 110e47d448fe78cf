/** The program as people start it: really run, through bin/. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../src/config/version.ts';
import { run, start } from './child.ts';

const BIN = fileURLToPath(new URL('../../bin/kubetape.js', import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), 'kubetape-bin-'));

test('help: verbs, examples, and where settings come from', async () => {
  for (const args of [[], ['--help'], ['help']]) {
    const { code, stdout, stderr } = await run(BIN, args);
    assert.deepEqual([code, stderr], [0, '']);
    for (const verb of ['run', 'collect', 'sink', 'stop', 'topics', 'migrate', 'check', 'config', 'version'])
      assert.match(stdout, new RegExp(`^  ${verb} +\\S`, 'm'));
    assert.match(stdout, /^Examples:\n  kubetape check/m);
  }
});

test('help of a role: examples first, then every setting with its flag and default', async () => {
  for (const args of [
    ['collect', '--help'],
    ['help', 'collect'],
    ['collect', '--resources', 'pods', '-h'],
  ]) {
    const { code, stdout } = await run(BIN, args);
    assert.equal(code, 0);
    assert.match(stdout, /^Examples:\n  kubetape collect /);
    assert.match(stdout, /^  --kafka-brokers <brokers> /m);
    assert.match(stdout, /^  --no-leader-election /m);
    assert.match(stdout, /^  --detach /m);
    assert.doesNotMatch(stdout, /--database-url|--hmac-key /);
  }
});

test('version, as text and as JSON', async () => {
  assert.match((await run(BIN, ['version'])).stdout, new RegExp(`^kubetape ${VERSION.replaceAll('.', '\\.')} \\(node 24\\.`));
  assert.equal((JSON.parse((await run(BIN, ['version', '-o', 'json'])).stdout) as { version: string }).version, VERSION);
});

test('wrong usage is exit 2 and says what was meant', async () => {
  const cases: [string[], RegExp][] = [
    [['colect'], /unknown command 'colect'\n\(Did you mean collect\?\)/],
    [['--hlep'], /unknown option '--hlep'/],
    [['version', '-o', 'xml'], /Allowed choices are text, json/],
    [['stop', 'everything'], /Allowed choices are collect, sink, run/],
    [['config', 'shwo'], /Did you mean show/],
    [['collect', '--resorces', 'pods'], /--resorces: there is no such flag; did you mean --resources\?/],
    [['sink'], /databaseUrl: is needed/],
    [['check', '-o', 'xml'], /Allowed choices are text, json/],
  ];
  for (const [args, pattern] of cases) {
    const { code, stdout, stderr } = await run(BIN, args);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, pattern);
  }
});

test('wrong settings are exit 2, all in one message, before anything is started or detached', async () => {
  for (const detach of [[], ['--detach']]) {
    const { code, stderr } = await run(BIN, ['run', ...detach, '--batch-max-rows', 'x', '--http-port', '70000'], {
      KUBETAPE_LOG_LEVEL: 'loud',
      XDG_STATE_HOME: directory,
    });
    assert.equal(code, 2);
    assert.match(stderr, /^error: 4 settings are wrong:\n/);
    for (const name of ['batchMaxRows', 'httpPort', 'logLevel', 'databaseUrl']) assert.match(stderr, new RegExp(`^  ${name}`, 'm'));
    assert.doesNotMatch(stderr, /\bat .*\.ts/);
  }
});

test('config show: value and source of every setting, secrets masked, exit 2 if any is wrong', async () => {
  const env = { DATABASE_URL: 'postgres://me:hush@db/x', KUBETAPE_HMAC_KEY: 'hush-hush-hush-hush' };
  const yaml = await run(BIN, ['config', 'show', 'run', '--batch-max-rows', '7'], env);
  assert.equal(yaml.code, 0);
  assert.match(yaml.stdout, /^batchMaxRows: 7  # flag --batch-max-rows$/m);
  assert.match(yaml.stdout, /^databaseUrl: "postgres:\/\/me:\*\*\*@db\/x"  # environment DATABASE_URL$/m);
  assert.match(yaml.stdout, /^hmacKey: "\*\*\*"  # environment KUBETAPE_HMAC_KEY$/m);
  assert.doesNotMatch(yaml.stdout, /hush/);
  const json = await run(BIN, ['config', 'show', 'sink', '-o', 'json'], env);
  const shown = JSON.parse(json.stdout) as Record<string, { value: unknown; source: string }>;
  assert.deepEqual(shown['batchMaxRows'], { value: 1000, source: 'default' });
  assert.equal(shown['hmacKey'], undefined);
  const wrong = await run(BIN, ['config', 'show'], { KUBETAPE_PARTITIONS: 'x' });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stdout, /^resources: /m);
  assert.match(wrong.stderr, /partitions = "x"/);
});

test('as kubectl-tape it calls itself kubectl tape', async () => {
  const link = path.join(directory, 'kubectl-tape');
  symlinkSync(BIN, link);
  assert.match((await run(link, ['--help'])).stdout, /^Usage: kubectl tape <verb>/);
  assert.match((await run(link, ['collect', '--help'])).stdout, /^Usage: kubectl tape collect/m);
});

test('a reader that has read enough is no failure', async () => {
  const child = start(BIN, ['config', 'show', 'collect']);
  child.process.stdout?.destroy();
  assert.equal((await child.ended).code, 0);
});

test('the bundled runtime is used where it differs; signals and exit codes pass through', async () => {
  const root = path.join(directory, 'bundled');
  const runtime = path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`);
  for (const folder of [path.join(root, 'bin'), path.join(root, 'src'), path.join(runtime, 'bin')]) mkdirSync(folder, { recursive: true });
  copyFileSync(BIN, path.join(root, 'bin', 'kubetape.js'));
  writeFileSync(path.join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(path.join(runtime, 'package.json'), '{"version":"24.0.0-other"}');
  writeFileSync(path.join(runtime, 'bin', 'node'), `#!/bin/sh\nexport THROUGH=yes\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 });
  writeFileSync(
    path.join(root, 'src', 'main.ts'),
    `const alive: number = 1;\nsetInterval(() => undefined, 1000);\nprocess.on('SIGTERM', () => process.exit(process.argv[2] === 'seven' ? 7 : alive));\nprocess.stderr.write('here ' + process.env['THROUGH']);\n`,
  );
  const child = start(path.join(root, 'bin', 'kubetape.js'), ['seven']);
  await child.says(/here yes/);
  child.process.kill('SIGTERM');
  assert.equal((await child.ended).code, 7);
});

test('a Node that is too old is told in one sentence, where no runtime is bundled', async () => {
  // The launcher, away from node_modules, believing that it runs on Node 20.
  const old = path.join(directory, 'old.mjs');
  writeFileSync(
    old,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });\nawait import(process.argv[2]);\n`,
  );
  const alone = path.join(directory, 'bin.mjs');
  copyFileSync(BIN, alone);
  const { code, stderr } = await run(old, [alone]);
  assert.equal(code, 1);
  assert.match(stderr, /^kubetape needs Node 24 or newer; this is 20\.1\.0\.\n/);
});

test('it starts fast: help and version load no driver', async () => {
  for (const args of [['version'], ['--help']]) {
    let best = Number.POSITIVE_INFINITY;
    // What the runtime alone takes, at the same time: the machine may be busy with something else.
    let bare = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 5 && best > 150; turn += 1) {
      bare = Math.min(bare, (await run('-e', ['0'])).ms);
      best = Math.min(best, (await run(BIN, args)).ms);
    }
    assert.ok(best < Math.max(300, 5 * bare), `${args.join(' ')} took ${Math.round(best)} ms, the bare runtime ${Math.round(bare)} ms`);
  }
});
