/** What a test of the guarantees did: a line for whoever watches, and a row for `npm run guarantees`. */
import { appendFileSync } from 'node:fs';
import process from 'node:process';

export interface Report {
  readonly fault: string;
  readonly seed: number;
  /** Compared, one by one, with what the API server emitted. */
  readonly changes: number;
  /** Kills, stops, cuts: how often the fault was injected. */
  readonly kills: number;
  /** Longest time from the end of a fault until everything was where it belongs, as far as it was measured. */
  readonly catchUpMs: number;
}

export function report(one: Report): void {
  const { fault, seed, changes, kills, catchUpMs } = one;
  console.log(`    ${fault}: ${changes} changes, ${kills} times, caught up in ${(catchUpMs / 1000).toFixed(1)} s, seed ${seed}`);
  const file = process.env['KUBETAPE_GUARANTEES_REPORT'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(one)}\n`);
}
