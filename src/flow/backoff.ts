/**
 * How long to wait before the next attempt. Pure.
 * Invariants (test/flow/backoff.test.ts):
 *   W1 bounded  never more than the cap, never less than half of what the attempt is due
 *   W2 grows    without the jitter it never shrinks from one attempt to the next
 */

export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Equal jitter: half of the delay is certain, so that a server that just came back is not met by everybody at once, and
 * nobody hammers it by luck of the draw.
 * @param attempt 1-based count of failures in a row
 * @param random in [0, 1)
 * @returns whole ms in [due / 2, due], due = min(capMs, baseMs * 2 ** (attempt - 1))
 */
export function backoffMs({ baseMs, capMs }: Backoff, attempt: number, random: () => number): number {
  const dueMs = Math.min(capMs, baseMs * 2 ** Math.min(Math.max(0, attempt - 1), 40));
  return Math.round(dueMs / 2 + (dueMs / 2) * random());
}
