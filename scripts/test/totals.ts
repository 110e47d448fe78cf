/** The closing lines of node's test runner, of several runs added up. Pure. */

const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
export type Totals = Readonly<Record<(typeof COUNTS)[number], number>>;

export const NOTHING: Totals = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

/** @param output of a run with the spec reporter @returns null where it has no closing lines: it was cut off */
export function totalsOf(output: string): Totals | null {
  const totals = { ...NOTHING };
  for (const name of COUNTS) {
    const match = new RegExp(`^ℹ ${name} (\\d+)$`, 'm').exec(output);
    if (match === null) return null;
    totals[name] = Number(match[1]);
  }
  return totals;
}

export function sum(a: Totals, b: Totals): Totals {
  return Object.fromEntries(COUNTS.map((name) => [name, a[name] + b[name]])) as unknown as Totals;
}

/** @param failed files with a test that failed */
export function closingLines(totals: Totals, durationMs: number, failed: readonly string[]): string {
  const lines = COUNTS.map((name) => `ℹ ${name} ${totals[name]}`);
  const names = failed.map((file) => `✖ ${file}`);
  return `${[...lines, `ℹ duration_ms ${durationMs.toFixed(3)}`, ...names].join('\n')}\n`;
}
