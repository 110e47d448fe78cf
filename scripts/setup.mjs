/**
 * Makes a clone ready, then runs a script of the project with its own Node runtime.
 *
 *   node scripts/setup.mjs [--only=runtime] [-- SCRIPT [ARGUMENT ...]]
 *
 * Plain JavaScript without dependencies, for any host Node from 20 on. What is done already costs milliseconds; what
 * was interrupted is done again. Everything big lies in a cache of the user's, shared by all clones.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { ROOT, runtimeBinary } from './setup/places.mjs';
import { Progress } from './setup/progress.mjs';
import { steps } from './setup/steps.mjs';
import { missingTools } from './setup/tools.mjs';

async function main() {
  const { only, command } = parse(process.argv.slice(2));
  const progress = new Progress(process.stderr);
  const wanted = steps.filter((step) => only !== 'runtime' || step.runtime);
  const todo = wanted.filter((step) => !step.done());
  const missing = missingTools(new Set(todo.flatMap((step) => step.needs())));
  if (missing.length > 0) {
    process.stderr.write(`kubetape needs ${missing.length === 1 ? 'a tool' : 'some tools'} that this machine does not have:\n\n`);
    for (const { name, remedy } of missing) process.stderr.write(`  ${name}\n      ${remedy}\n`);
    process.stderr.write('\nThen run the same command again.\n');
    return 1;
  }
  if (todo.length > 0) {
    const usual = todo.reduce((sum, step) => sum + step.usualSeconds, 0);
    process.stderr.write(
      `Setting up: ${todo.length} step${todo.length === 1 ? '' : 's'}, usually ${usual < 90 ? `${usual} s` : `${Math.ceil(usual / 60)} min`} in all. Only the first time.\n`,
    );
  }
  // All of them again: npm throws the compiled node-rdkafka away when it installs, and another clone may have done some.
  for (const step of wanted) if (!step.done()) await progress.run(step);
  if (command.length === 0) {
    process.stderr.write('kubetape is set up.\n');
    return 0;
  }
  return run(command);
}

function parse(args) {
  const split = args.indexOf('--');
  const own = split < 0 ? args : args.slice(0, split);
  const command = split < 0 ? [] : args.slice(split + 1);
  for (const option of own) {
    if (option !== '--only=runtime') {
      process.stderr.write(`setup: unknown option ${option}\nusage: node scripts/setup.mjs [--only=runtime] [-- SCRIPT [ARGUMENT ...]]\n`);
      process.exit(2);
    }
  }
  return { only: own.length > 0 ? 'runtime' : 'all', command };
}

/** @returns {Promise<number>} the exit code of the script */
function run([script, ...args]) {
  const bin = [path.dirname(runtimeBinary()), path.join(ROOT, 'node_modules', '.bin')].join(path.delimiter);
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` };
  const child = spawn(runtimeBinary(), ['--disable-warning=ExperimentalWarning', path.resolve(ROOT, script), ...args], {
    stdio: 'inherit',
    env,
  });
  // A terminal sends Ctrl-C to the whole group: the child ends as it sees fit, and this process after it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`setup: cannot run ${script}: ${error.message}\n`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`\nsetup: ${error.message}\n`);
  process.exitCode = 1;
}
