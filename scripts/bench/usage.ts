/** CPU and memory of processes, from /proc; on other systems nothing is known, and the figures are null. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Of the kernel's accounting, on every Linux there is. */
const TICKS_PER_SECOND = 100;

export const HAS_PROC = existsSync('/proc/self/stat');

/** CPU seconds, user and system, that the processes have used so far. */
export function cpuSeconds(pids: readonly number[]): number | null {
  if (!HAS_PROC) return null;
  let ticks = 0;
  for (const pid of pids) {
    const fields = statOf(pid);
    // utime, stime, and those of children that have ended (backends of Postgres).
    for (const field of [11, 12, 13, 14]) ticks += Number(fields?.[field] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

/** The process and all that descend from it. */
export function familyOf(pid: number): number[] {
  if (!HAS_PROC) return [pid];
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const family: number[] = [];
  const add = (one: number): void => {
    family.push(one);
    for (const child of children.get(one) ?? []) add(child);
  };
  add(pid);
  return family;
}

/** Highest resident memory of the process so far, and that of now (MB). */
export function memoryMb(pid: number): { readonly peak: number | null; readonly now: number | null } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kb = (name: string): number | null => {
      const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status);
      return match === null ? null : (Number(match[1]) * 1024) / 1e6;
    };
    return { peak: kb('VmHWM'), now: kb('VmRSS') };
  } catch {
    return { peak: null, now: null };
  }
}

/** The fields after the command's name; undefined when there is no such process. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
