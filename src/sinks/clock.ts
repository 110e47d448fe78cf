/**
 * Time and chance, as arguments.
 * Invariant (test/sinks/sink.test.ts):
 *   C1 two clocks  nothing waits for a clock that people and NTP may set: an hour back would be an hour of silence
 */
export interface Clock {
  /** ms since whenever: for waiting, as it never goes back */
  readonly now: () => number;
  /** ms since 1970: for ages, as the times in records are; may jump */
  readonly date: () => number;
  /** in [0, 1) */
  readonly random: () => number;
}

export const CLOCK: Clock = { now: () => performance.now(), date: Date.now, random: Math.random };
