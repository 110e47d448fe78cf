/** Where a partition begins: what the store and the log say of it, asked until both answer. */
import { KubetapeError } from '../events/errors.ts';
import { backoffMs, type Backoff } from '../flow/backoff.ts';
import { startOf } from './decisions.ts';
import type { RecordSource, SinkTelemetry, Store, TopicPartition } from './ports.ts';
import { pause } from '../flow/pause.ts';

export type Found =
  | { readonly do: 'resume'; readonly offset: number }
  | { readonly do: 'refuse'; readonly error: KubetapeError; readonly high: number };

const BACKOFF: Backoff = { baseMs: 200, capMs: 10_000 };

export class Positions {
  readonly #source: RecordSource;
  readonly #store: Store;
  readonly #telemetry: SinkTelemetry;

  constructor(source: RecordSource, store: Store, telemetry: SinkTelemetry) {
    this.#source = source;
    this.#store = store;
    this.#telemetry = telemetry;
  }

  /** @throws KubetapeError when the store or the log does not answer */
  async find(at: TopicPartition): Promise<Found> {
    for (;;) {
      const [stored, held, topicId] = await Promise.all([
        this.#store.position(at),
        this.#source.watermarks(at),
        this.#source.topicId(at.topic),
      ]);
      const start = startOf(at, stored, held, topicId);
      if (start.do === 'resume') return start;
      if (start.do === 'refuse') return { ...start, high: held.high };
      // Another worker may be first: its word counts, so it is read again.
      await this.#store.initialise(start.position);
    }
  }

  /**
   * Asks until there is an answer.
   * @param waiting told why there is none yet
   * @returns null once `signal` fires
   */
  async await(at: TopicPartition, signal: AbortSignal, waiting: (error: KubetapeError) => void): Promise<Found | null> {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        return await this.find(at);
      } catch (error) {
        if (!(error instanceof KubetapeError)) throw error;
        const delayMs = backoffMs(BACKOFF, attempt, Math.random);
        waiting(error);
        this.#telemetry.retry({ ...at, code: error.code, attempt, delayMs, message: error.message });
        await pause(delayMs, signal);
      }
    }
    return null;
  }
}
