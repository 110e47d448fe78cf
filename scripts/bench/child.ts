/** Processes that a bench starts and that say what they did in lines of JSON. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const HERE = import.meta.dirname;

export class Child {
  readonly process: ChildProcess;
  readonly #lines: unknown[] = [];
  readonly #waiting: (() => void)[] = [];
  #ended = false;
  #errors = '';

  /** @param input reaches the script as its one argument; `options` are Node's */
  constructor(script: string, input: object, env: Readonly<Record<string, string>> = {}, options: readonly string[] = []) {
    this.process = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', ...options, path.join(HERE, script), JSON.stringify(input)],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...process.env, ...env },
      },
    );
    const { stdout, stderr } = this.process;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#heard(line));
    stderr?.on('data', (chunk: Buffer) => (this.#errors = `${this.#errors}${chunk.toString()}`.slice(-2000)));
    this.process.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The next line that it prints. */
  async next<T>(): Promise<T> {
    while (this.#lines.length === 0) {
      if (this.#ended) throw new Error(`a process of the bench ended early: ${this.#errors}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#lines.shift() as T;
  }

  /** Until it has ended by itself. */
  async exited(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.process.kill(signal);
    await this.exited();
  }

  #heard(line: string): void {
    if (!line.startsWith('{')) return;
    this.#lines.push(JSON.parse(line));
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
