/** The memory of another process, over time. */
import { readFileSync } from 'node:fs';

/** Resident memory in bytes, as Linux counts it. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

export class MemoryWatch {
  readonly samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number, everyMs = 500) {
    this.#timer = setInterval(() => {
      try {
        this.samples.push(residentBytes(pid));
      } catch {
        // It has ended.
      }
    }, everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** @param from and @param to parts of the time that was watched, 0 to 1 */
  mean(from: number, to: number): number {
    const part = this.samples.slice(Math.floor(from * this.samples.length), Math.ceil(to * this.samples.length));
    return part.reduce((sum, one) => sum + one, 0) / Math.max(1, part.length);
  }

  get peak(): number {
    return Math.max(0, ...this.samples);
  }
}

export function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
