/** What a reflector is told, whom it tells, and how patient it is. */
import type { KubetapeError } from '../events/errors.ts';
import type { ListCause, Observation } from '../events/observation.ts';
import type { StreamTimes } from './stream.ts';

/** Whoever is slow slows the socket down. */
export type Observer = (observation: Observation) => void | Promise<void>;

/** What a reflector says of itself; all optional to hear. */
export interface ReflectorListener {
  state(state: 'probing' | 'listing' | 'watching' | 'waiting' | 'stopped'): void;
  /** The server serves the list or the watch that was asked for: whatever failed before is over. */
  answered(): void;
  listed(facts: { readonly objects: number; readonly seconds: number; readonly streamed: boolean }): void;
  relist(cause: ListCause): void;
  watchEnded(facts: { readonly how: string; readonly seconds: number }): void;
  failed(facts: { readonly error: KubetapeError; readonly failures: number; readonly waitMs: number }): void;
}

export interface ReflectorOptions extends StreamTimes {
  readonly pageSize: number;
  /** How long one watch is asked to last (s): a random time between the two spreads the reconnects of many watches. */
  readonly watchSeconds: readonly [number, number];
  readonly random: () => number;
}

export const REFLECTOR_DEFAULTS: ReflectorOptions = {
  pageSize: 500,
  watchSeconds: [300, 600],
  silenceMs: 150_000,
  endBookmarkMs: 30_000,
  random: Math.random,
};
