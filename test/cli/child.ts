/** A child process whose output and end a test can wait for. */
import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once stderr holds a match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

export function start(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, binary = process.execPath): Child {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _test, ...inherited } = process.env;
  const own = Object.fromEntries(Object.entries(inherited).filter(([name]) => !/^(KUBETAPE_|KAFKA_BROKERS$|DATABASE_URL$|PG)/.test(name)));
  const startedMs = performance.now();
  const child = spawn(binary, [file, ...args], { env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code) => resolve({ code, stdout, stderr, ms: performance.now() - startedMs })),
  );
  return {
    process: child,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stderr);
          if (match !== null) resolve(match);
        };
        child.stderr.on('data', look);
        child.once('close', () => reject(new Error(`it ended without saying ${String(pattern)}:\n${stderr}`)));
        look();
      }),
  };
}

export function run(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return start(file, args, env).ended;
}
