/**
 * `npm test [-- [FILE or FOLDER …] [node options]]`: all tests in one run of node's test runner, the pure ones first.
 * The servers are started by the first test that needs them, and end with the run.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './setup/places.mjs';
import { Stack } from './stack/stack.ts';

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const picks = args.filter((arg) => !arg.startsWith('-'));
const all = globSync('test/**/*.test.ts', { cwd: ROOT }).toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
const files = picks.length === 0 ? all : all.filter((file) => picks.some((pick) => matches(file, pick)));

/** The tests of the guarantees come last: they take the longest and lean on everything else. */
function rank(file: string): number {
  return file.startsWith(path.join('test', 'guarantees')) ? 1 : 0;
}

function matches(file: string, pick: string): boolean {
  const relative = path.relative(ROOT, path.resolve(ROOT, pick));
  return file === relative || file.startsWith(`${relative}${path.sep}`) || file.startsWith(relative);
}

/** The shared stack, and those that tests started for themselves. */
async function resetStacks(dir: string): Promise<void> {
  const parent = path.dirname(dir);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const candidate = path.join(parent, name);
    if (!name.startsWith(path.basename(dir)) || !statSync(candidate).isDirectory()) continue;
    rmSync(path.join(candidate, 'lock'), { force: true });
    await new Stack(candidate).reset();
  }
}

async function main(): Promise<number> {
  if (files.length === 0) {
    process.stderr.write(`no test file matches ${picks.join(' ')}\n`);
    return 2;
  }
  const dir = process.env['KUBETAPE_TEST_STACK'] ?? path.join(ROOT, '.kubetape', 'test-stack');
  const keep = process.env['KUBETAPE_KEEP_STACK'] === '1';
  // What a run left behind that was killed would make this one differ from a first one.
  if (!keep) await resetStacks(dir);
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...options, ...files], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, KUBETAPE_TEST_STACK: dir },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number>((resolve) => child.on('exit', (status) => resolve(status ?? 1)));
  if (!keep) await resetStacks(dir);
  return code;
}

process.exitCode = await main();
