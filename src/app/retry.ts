/** Waiting for what will come back. */
import { KubetapeError } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';

/**
 * Runs `work` until it succeeds, waiting longer after each failure that waiting can mend.
 * @throws what waiting cannot mend; the last failure once `signal` fires
 */
export async function untilItWorks<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  onRetry: (error: KubetapeError, attempt: number, delayMs: number) => void,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KubetapeError) || !error.retryable || signal.aborted) throw error;
      const delayMs = Math.min(15_000, 500 * 2 ** Math.min(attempt - 1, 10));
      onRetry(error, attempt, delayMs);
      await pause(delayMs, signal);
      if (signal.aborted) throw error;
    }
  }
}
