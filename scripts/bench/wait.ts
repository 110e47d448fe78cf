/** Waiting for what a bench measures. */

/** Asks every `everyMs` until it is so. @returns the ms that `performance.now()` had when it was so */
export async function when(what: string, isSo: () => Promise<boolean> | boolean, timeoutMs: number, everyMs = 25): Promise<number> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    if (await isSo()) return performance.now();
    if (performance.now() > untilMs) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
