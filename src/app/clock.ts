/** Notices when somebody sets the clock: what is recorded has its times. */

/** Smaller steps are what time synchronisation does every day. */
const STEP_MS = 2_000;
const LOOK_EVERY_MS = 1_000;

/**
 * How far the clock on the wall has been set since the last call; 0 when it only ran on. Compares it with one that nobody
 * sets, which stands still while a machine sleeps: that shows as a step forward.
 */
export function clockSteps(wallMs: () => number = Date.now, steadyMs: () => number = () => performance.now()): () => number {
  let offset = wallMs() - steadyMs();
  return () => {
    const now = wallMs() - steadyMs();
    const step = now - offset;
    // Slow drift adds up to no step.
    offset = now;
    return Math.abs(step) < STEP_MS ? 0 : step;
  };
}

/** @returns what ends it */
export function watchClock(onStep: (facts: { readonly seconds: number }) => void): NodeJS.Timeout {
  const look = clockSteps();
  return setInterval(() => {
    const step = look();
    if (step !== 0) onStep({ seconds: Math.round(step / 1000) });
  }, LOOK_EVERY_MS).unref();
}
