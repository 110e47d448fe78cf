/** Detached processes that outlive the command that started them, known by pid and start time. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface ProcessId {
  readonly pid: number;
  /** When the kernel started it: a pid that was given again has another one. */
  readonly startedAt: string;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as this user; needs root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly cwd?: string;
}

/** @param logFile gets the process's output, appended */
export function launch({ command, args, env, user, cwd }: Launch, logFile: string): ProcessId {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    // Without a listener a missing binary would end this process; it is seen by its not becoming ready.
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new Error(`cannot start ${command}`);
    return { pid: child.pid, startedAt: startTimeOf(child.pid) ?? '' };
  } finally {
    closeSync(log);
  }
}

export function isAlive({ pid, startedAt }: ProcessId): boolean {
  const now = startTimeOf(pid);
  return now !== null && now === startedAt;
}

/** Sends the signal to the process if it still is the one that was started. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** SIGTERM (or another signal), then SIGKILL once `graceMs` are over; resolves when the process is gone. */
export async function endProcess(id: ProcessId, graceMs: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  signalProcess(id, signal);
  const untilMs = Date.now() + graceMs;
  while (isAlive(id)) {
    if (Date.now() > untilMs) signalProcess(id, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Field 22 of /proc/PID/stat; where there is no /proc, that the process is there. A zombie counts as gone. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    if (process.platform === 'linux') return null;
    try {
      process.kill(pid, 0);
      return 'alive';
    } catch {
      return null;
    }
  }
}
