/** kubetape's own processes, as a user would run them, with their logs in files. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../setup/places.mjs';

const MAIN = path.join(ROOT, 'src', 'main.ts');

/** Runs a verb to its end. @throws Error with what it said */
export function runVerb(args: readonly string[], env: Record<string, string>): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`kubetape ${args[0]} failed:\n${`${stdout}${stderr}`.trimEnd()}`);
}

export class Role {
  readonly name: string;
  readonly logFile: string;
  readonly #start: () => ChildProcess;
  #child: ChildProcess;
  #url: string | null = null;

  constructor(name: string, args: readonly string[], env: Record<string, string>, logs: string) {
    this.name = name;
    mkdirSync(logs, { recursive: true });
    this.logFile = path.join(logs, `${name}.log`);
    this.#start = () => {
      const log = openSync(this.logFile, 'w');
      // A group of its own: Ctrl-C is for the demo, which then ends its parts in order.
      const child = spawn(process.execPath, [MAIN, name, ...args], {
        stdio: ['ignore', log, log],
        detached: true,
        env: { ...process.env, ...env, KUBETAPE_HTTP_PORT: '0', KUBETAPE_LOG_FORMAT: 'json' },
      });
      closeSync(log);
      return child;
    };
    this.#child = this.#start();
  }

  /** What a cluster would do with a pod that ended. */
  startAgain(): void {
    this.#url = null;
    this.#child = this.#start();
  }

  /** How it ended: `SIGKILL`, `exit code 1`. */
  get end(): string {
    return this.#child.signalCode ?? `exit code ${this.#child.exitCode ?? '?'}`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of its log, for when it failed. */
  lastWords(): string {
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-5);
    return lines.map((line) => `    ${message(line)}`).join('\n');
  }

  async ready(): Promise<boolean> {
    const { status } = await this.get('/ready');
    return status === 200;
  }

  /** Its metrics by name and labels; empty while it does not answer. */
  async metrics(): Promise<Map<string, number>> {
    const { text } = await this.get('/metrics');
    const metrics = new Map<string, number>();
    for (const line of text.split('\n')) {
      const match = /^(kubetape_[a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line);
      if (match !== null) metrics.set(match[1] ?? '', Number(match[2]));
    }
    return metrics;
  }

  async get(pathname: string): Promise<{ status: number; text: string }> {
    this.#url ??= /"url":"(http:[^"]+)"/.exec(readFileSync(this.logFile, 'utf8'))?.[1] ?? null;
    if (this.#url === null) return { status: 0, text: '' };
    try {
      const response = await fetch(`${this.#url}${pathname}`, { signal: AbortSignal.timeout(2000) });
      return { status: response.status, text: await response.text() };
    } catch {
      return { status: 0, text: '' };
    }
  }

  async stop(): Promise<void> {
    if (!this.alive) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 12_000);
    await gone;
    clearTimeout(timer);
  }
}

function message(line: string): string {
  try {
    const { msg, hint } = JSON.parse(line) as { msg?: string; hint?: string };
    return `${msg ?? line}${hint === undefined ? '' : ` ${hint}`}`;
  } catch {
    return line;
  }
}
