/**
 * A role in the background of a workstation: a process of its own, its log in a file, and a note of who it is.
 * Invariants (test/cli/detach.test.ts):
 *   D1 one each    a role that runs already is not started again
 *   D2 told apart  a process that only has the same pid is not taken for ours, and never stopped
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { StartedMessage } from './lifecycle.ts';

export interface Background {
  readonly role: string;
  readonly pid: number;
  /** As the operating system tells it: with the pid it names one process. */
  readonly startTime: string;
  readonly log: string;
  /** Of /metrics and /ready; null where it serves none. */
  readonly url: string | null;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const START_MS = 15_000;
const LONGEST_LOG_BYTES = 64 * 2 ** 20;
const SHOWN_LOG_LINES = 5;

/** Where pid and log files lie. */
export function stateDirectory(env: Environment): string {
  return path.join(env['XDG_STATE_HOME'] || path.join(homedir(), '.local', 'state'), 'kubetape');
}

export type Detached =
  | { readonly kind: 'started' | 'running'; readonly background: Background }
  | { readonly kind: 'ended'; readonly exitCode: number; readonly log: string; readonly lastLines: readonly string[] };

/** Starts `role` with `argv` and returns once it serves its port, or has ended, or if it runs already. */
export async function detach(role: string, argv: readonly string[], env: Environment): Promise<Detached> {
  const directory = stateDirectory(env);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const running = readNote(noteOf(directory, role));
  if (running !== undefined) return { kind: 'running', background: running };

  const log = path.join(directory, `${role}.log`);
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_LOG_BYTES) renameSync(log, `${log}.1`);
  const descriptor = openSync(log, 'a', 0o600);
  const from = statSync(log).size;
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', role, ...argv], {
    detached: true,
    stdio: ['ignore', descriptor, descriptor, 'ipc'],
    env: { ...env },
  });
  closeSync(descriptor);
  const word = await firstWord(child);
  if (word.type === 'ended') {
    const lastLines = readFileSync(log).subarray(from).toString('utf8').trimEnd().split('\n').slice(-SHOWN_LOG_LINES);
    return { kind: 'ended', exitCode: word.exitCode, log, lastLines };
  }
  const pid = child.pid ?? 0;
  child.disconnect();
  child.unref();
  const background: Background = { role, pid, startTime: startTimeOf(pid) ?? '', log, url: word.url };
  writeFileSync(noteOf(directory, role), `${JSON.stringify(background)}\n`, { mode: 0o600 });
  return { kind: 'started', background };
}

/** What runs in the background now; notes of what has ended are removed. */
export function backgrounds(env: Environment): Background[] {
  const directory = stateDirectory(env);
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  const notes = names.filter((name) => name.endsWith('.pid')).map((name) => readNote(path.join(directory, name)));
  return notes.filter((note) => note !== undefined);
}

/** Sends SIGTERM and waits. @returns how long it took (ms), or null when it still runs after `timeoutMs` */
export async function stop(background: Background, env: Environment, timeoutMs = 12_000): Promise<number | null> {
  const startedMs = performance.now();
  if (isSame(background)) process.kill(background.pid, 'SIGTERM');
  while (isSame(background)) {
    if (performance.now() - startedMs > timeoutMs) return null;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  rmSync(noteOf(stateDirectory(env), background.role), { force: true });
  return performance.now() - startedMs;
}

function noteOf(directory: string, role: string): string {
  return path.join(directory, `${role}.pid`);
}

function readNote(file: string): Background | undefined {
  try {
    const note = JSON.parse(readFileSync(file, 'utf8')) as Background;
    if (isSame(note)) return note;
    rmSync(file, { force: true });
  } catch {
    // No note, or half of one: nothing that could be told from somebody else's process.
  }
  return undefined;
}

function isSame(background: Background): boolean {
  return background.startTime !== '' && startTimeOf(background.pid) === background.startTime;
}

/** When a process began, in the words of the operating system; undefined when there is no such process (any more). */
function startTimeOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // A zombie has ended; only its parent has not noticed.
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

type FirstWord = { readonly type: 'started'; readonly url: string | null } | { readonly type: 'ended'; readonly exitCode: number };

function firstWord(child: ChildProcess): Promise<FirstWord> {
  return new Promise((resolve) => {
    // Slow, but alive: its log tells the rest.
    const timer = setTimeout(() => resolve({ type: 'started', url: null }), START_MS);
    const done = (word: FirstWord): void => {
      clearTimeout(timer);
      resolve(word);
    };
    child.on('message', (message) => {
      const word = message as Partial<StartedMessage>;
      if (word.kubetape === 'started') done({ type: 'started', url: word.url ?? null });
    });
    child.once('exit', (code) => done({ type: 'ended', exitCode: code ?? 1 }));
    child.once('error', () => done({ type: 'ended', exitCode: 1 }));
  });
}
