/**
 * Batch accumulation: decides when a batch is due. No IO, no timers, no clock of its own.
 *   in    items in arrival order, each with its size in bytes and the caller's clock (ms)
 *   out   batches, oldest first
 * Invariants (each has a test of the same name in test/flow/batcher.test.ts):
 *   B1 order         items leave in the order they came
 *   B2 bounded       no batch has more than maxItems, nor more than maxBytes unless it is one item
 *   B3 due           a batch is due exactly when it is full by either bound, or its oldest item has waited maxWaitMs
 *   B4 conservation  every item is in exactly one batch, or still pending; so are its bytes
 */

export interface BatchBounds {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

interface Pending<T> {
  readonly item: T;
  readonly bytes: number;
  readonly atMs: number;
}

export class Batcher<T> {
  readonly #bounds: BatchBounds;
  /** Items before #head have left; they are cut off once they are many. */
  #pending: Pending<T>[] = [];
  #head = 0;
  #bytes = 0;

  constructor(bounds: BatchBounds) {
    this.#bounds = bounds;
  }

  get items(): number {
    return this.#pending.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): T | undefined {
    return this.#pending[this.#head]?.item;
  }

  get newest(): T | undefined {
    return this.items === 0 ? undefined : this.#pending.at(-1)?.item;
  }

  push(item: T, bytes: number, nowMs: number): void {
    this.#pending.push({ item, bytes, atMs: nowMs });
    this.#bytes += bytes;
  }

  due(nowMs: number): boolean {
    const oldest = this.#pending[this.#head];
    if (oldest === undefined) return false;
    const { maxItems, maxBytes, maxWaitMs } = this.#bounds;
    return this.items >= maxItems || this.#bytes >= maxBytes || nowMs - oldest.atMs >= maxWaitMs;
  }

  /** The oldest items, as many as one batch may have; none where nothing is pending. */
  take(): { readonly items: T[]; readonly bytes: number } {
    const items: T[] = [];
    let bytes = 0;
    while (items.length < this.#bounds.maxItems) {
      const next = this.#pending[this.#head];
      if (next === undefined || (items.length > 0 && bytes + next.bytes > this.#bounds.maxBytes)) break;
      items.push(next.item);
      bytes += next.bytes;
      this.#head += 1;
    }
    this.#bytes -= bytes;
    if (this.#head === this.#pending.length || this.#head >= 4096) {
      this.#pending = this.#pending.slice(this.#head);
      this.#head = 0;
    }
    return { items, bytes };
  }

  clear(): void {
    this.#pending = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
