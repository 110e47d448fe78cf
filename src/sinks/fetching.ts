/**
 * Which partitions are fetched: the pauses as the source has them. What is over its share of the memory (budget.ts), or
 * has no writer, is paused; the others flow.
 */
import { pausedOf } from './budget.ts';
import type { RecordSource, TopicPartition } from './ports.ts';

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}

export class Fetching {
  readonly #source: RecordSource;
  readonly #budgetBytes: number;
  #paused = new Set<string>();

  constructor(source: RecordSource, budgetBytes: number) {
    this.#source = source;
    this.#budgetBytes = budgetBytes;
  }

  isPaused(at: TopicPartition): boolean {
    return this.#paused.has(keyOf(at));
  }

  /** @param loads every partition of this worker, with the bytes held for it; null when it must not be fetched at all */
  balance(loads: readonly { readonly at: TopicPartition; readonly bytes: number | null }[]): void {
    const paused = pausedOf(
      loads.map(({ at, bytes }) => ({ key: keyOf(at), bytes })),
      this.#budgetBytes,
      this.#paused,
    );
    const only = (some: ReadonlySet<string>, others: ReadonlySet<string>): TopicPartition[] =>
      loads.flatMap(({ at }) => (some.has(keyOf(at)) && !others.has(keyOf(at)) ? at : []));
    this.#source.pause(only(paused, this.#paused));
    this.#source.resume(only(this.#paused, paused));
    this.#paused = paused;
  }

  /** Taken away, or given anew: no pause of before holds for it. */
  forget(at: TopicPartition): void {
    this.#paused.delete(keyOf(at));
  }

  /** Pausing remembers where to go on: it is undone before a seek, or the seek would be. */
  release(at: TopicPartition): void {
    if (this.#paused.delete(keyOf(at))) this.#source.resume([at]);
  }
}
