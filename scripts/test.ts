/**
 * `npm test [-- [FILE or FOLDER …] [node options]]`: the tests, by node's test runner. Many files run in two lanes side by
 * side, each with servers of its own; KUBETAPE_TEST_LANES says how many. The servers are started by the first test that
 * needs them, and end with the run.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { runInLanes } from './test/lanes.ts';
import { ROOT } from './setup/places.mjs';
import { Stack } from './stack/stack.ts';

const args = process.argv.slice(2);
// What follows an option of node and is no path is its value: `--test-name-pattern poison`.
const isValue = (at: number): boolean => (args[at - 1] ?? '').startsWith('--') && !existsSync(path.resolve(ROOT, args[at] ?? ''));
const options = args.flatMap((arg, at) =>
  !arg.startsWith('-') ? [] : isValue(at + 1) && at + 1 < args.length ? [`${arg}=${args[at + 1]}`] : [arg],
);
const picks = args.filter((arg, at) => !arg.startsWith('-') && !isValue(at));
const all = globSync('test/**/*.test.ts', { cwd: ROOT }).toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
const files = picks.length === 0 ? all : all.filter((file) => picks.some((pick) => matches(file, pick)));

/** What takes the longest comes first, so that no lane is left with it at the end. */
function rank(file: string): number {
  const folders = [path.join('test', 'guarantees'), path.join('test', 'manifests')];
  const at = folders.findIndex((folder) => file.startsWith(folder));
  return at < 0 ? folders.length : at;
}

/** No test waits for ever for what does not come: the longest takes three minutes, in full length an hour. */
const TIMEOUT_MS = process.env['KUBETAPE_GUARANTEES'] === 'full' ? 3 * 3_600_000 : 10 * 60_000;
// A test that was given up may still hold its file's process; the rest of the file has run by then.
const settings = [`--test-timeout=${TIMEOUT_MS}`, '--test-force-exit', '--test-reporter=spec', ...options];

/** Few files are shown as they run. */
const FEW = 4;

function laneCount(): number {
  const asked = Number(process.env['KUBETAPE_TEST_LANES'] ?? 0);
  if (asked > 0) return asked;
  // The full length of the guarantees is about times, too.
  return files.length <= FEW || process.env['KUBETAPE_GUARANTEES'] === 'full' ? 1 : Math.min(2, availableParallelism());
}

function matches(file: string, pick: string): boolean {
  const relative = path.relative(ROOT, path.resolve(ROOT, pick));
  return file === relative || file.startsWith(`${relative}${path.sep}`) || file.startsWith(relative);
}

/** The shared stack, and those that tests started for themselves. */
async function resetStacks(dir: string): Promise<void> {
  const parent = path.dirname(dir);
  if (!existsSync(parent)) return;
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    const candidate = path.join(parent, entry.name);
    if (!entry.name.startsWith(path.basename(dir)) || !entry.isDirectory()) continue;
    rmSync(path.join(candidate, 'lock'), { force: true });
    await new Stack(candidate).reset();
  }
}

function dirsOf(dir: string, lanes: number): string[] {
  return Array.from({ length: lanes }, (_, at) => (at === 0 ? dir : `${dir}-lane-${at + 1}`));
}

async function runAtOnce(dir: string): Promise<number> {
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', ...settings, ...files], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, KUBETAPE_TEST_STACK: dir },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise<number>((resolve) => child.on('exit', (status) => resolve(status ?? 1)));
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
  const lanes = laneCount();
  const code =
    lanes === 1 ? await runAtOnce(dir) : await runInLanes(files, { dirs: dirsOf(dir, lanes), options: settings, env: process.env });
  if (!keep) await resetStacks(dir);
  return code;
}

process.exitCode = await main();
