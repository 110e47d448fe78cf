/**
 * The bounded buffer between the sockets and the log. Pure but for promises.
 *   in    entries, each with its size; whoever puts into a full ring waits
 *   out   batches, oldest first
 * Invariants (test/capture/ring.test.ts):
 *   Q1 order    entries leave in the order they came
 *   Q2 bounded  it holds at most one entry more than its bounds: entries larger than all of it still pass
 *   Q3 whole    every entry that was put leaves exactly once
 */
export interface Sized {
  readonly records: number;
  readonly bytes: number;
}

export class Ring<T extends Sized> {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  #entries: T[] = [];
  #head = 0;
  #records = 0;
  #bytes = 0;
  #closed = false;
  #roomWaiters: (() => void)[] = [];
  #entryWaiters: (() => void)[] = [];

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @returns undefined when there was room; else a promise of room for the next one. The entry is in, either way. */
  put(entry: T): Promise<void> | undefined {
    this.#entries.push(entry);
    this.#records += entry.records;
    this.#bytes += entry.bytes;
    wake(this.#entryWaiters);
    return this.#full() ? this.#room() : undefined;
  }

  /** Up to the given bounds, but at least one entry if there is any. */
  take(maxRecords: number, maxBytes: number): T[] {
    const batch: T[] = [];
    let records = 0;
    let bytes = 0;
    for (let entry = this.#entries[this.#head]; entry !== undefined; entry = this.#entries[this.#head]) {
      if (batch.length > 0 && (records + entry.records > maxRecords || bytes + entry.bytes > maxBytes)) break;
      batch.push(entry);
      records += entry.records;
      bytes += entry.bytes;
      this.#head += 1;
    }
    this.#records -= records;
    this.#bytes -= bytes;
    // Cut what was taken once it is the larger part: cheap per entry, and nothing is kept alive for long.
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    } else this.#entries.fill(undefined as unknown as T, this.#head - batch.length, this.#head);
    if (!this.#full()) wake(this.#roomWaiters);
    return batch;
  }

  /** Resolves once there are `records` or `bytes` in it, it is closed, or `waitMs` are over. */
  async reached(records: number, bytes: number, waitMs: number): Promise<void> {
    const untilMs = performance.now() + waitMs;
    while (!this.#closed && this.#records < records && this.#bytes < bytes) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return;
      await this.#entry(leftMs);
    }
  }

  /** No more entries come; whoever waits is let go. */
  close(): void {
    this.#closed = true;
    wake(this.#entryWaiters);
    wake(this.#roomWaiters);
  }

  #full(): boolean {
    return !this.#closed && (this.#records >= this.#maxRecords || this.#bytes >= this.#maxBytes);
  }

  async #room(): Promise<void> {
    while (this.#full()) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
  }

  async #entry(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = Number.isFinite(waitMs) ? setTimeout(resolve, waitMs) : undefined;
      this.#entryWaiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function wake(waiters: (() => void)[]): void {
  for (const waiter of waiters.splice(0)) waiter();
}
