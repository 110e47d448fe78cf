/** Says what is being done, how long it usually takes and how long it has taken. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CACHE } from './places.mjs';

const PLAIN_EVERY_MS = 30_000;

export class Progress {
  #out;
  #tty;

  constructor(out) {
    this.#out = out;
    this.#tty = out.isTTY === true;
  }

  /** @throws with the end of the tool's output, and where all of it lies */
  async run(step) {
    const startedMs = Date.now();
    const usual = `usually ${duration(step.usualSeconds)}`;
    const seconds = () => (Date.now() - startedMs) / 1000;
    if (!this.#tty) this.#out.write(`  … ${step.title} (${usual})\n`);
    const line = () => {
      if (this.#tty) this.#out.write(`\r\u001b[K  … ${step.title} (${usual}) ${duration(seconds())}`);
      else this.#out.write(`  … ${step.title}: ${duration(seconds())} so far\n`);
    };
    if (this.#tty) line();
    const timer = setInterval(line, this.#tty ? 1000 : PLAIN_EVERY_MS);
    try {
      await step.run();
    } catch (error) {
      this.#end('✗', step, seconds());
      throw error;
    } finally {
      clearInterval(timer);
    }
    this.#end('✔', step, seconds());
  }

  #end(mark, step, seconds) {
    this.#out.write(`${this.#tty ? '\r\u001b[K' : ''}  ${mark} ${step.title} ${duration(seconds)}\n`);
  }
}

function duration(seconds) {
  if (seconds < 9.95) return `${Math.round(seconds * 10) / 10} s`;
  return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Runs a tool with its output in a log file.
 * @throws with the last lines of that file
 */
export async function runTool(name, command, args, options = {}) {
  const logs = path.join(CACHE, 'logs');
  mkdirSync(logs, { recursive: true });
  const file = path.join(logs, `${name}-${process.pid}.log`);
  const log = openSync(file, 'w');
  let failure;
  try {
    failure = await new Promise((resolve) => {
      const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', log, log] });
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => resolve(code === 0 ? null : `exit ${code ?? signal}`));
    });
  } finally {
    closeSync(log);
  }
  if (failure === null) return;
  const tail = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-30)
    .map((one) => `    ${one}`)
    .join('\n');
  throw new Error(`${[path.basename(command), ...args].join(' ').slice(0, 200)}: ${failure}\n${tail}\n\n  The whole output: ${file}`);
}
