/** The reports of the tests of the guarantees as a table. Pure. */

/** What a test reports of its comparison, whether it passes or not. */
export interface Report {
  readonly fault: string;
  /** Compared, one by one, with what the API server emitted. */
  readonly changes: number;
  readonly lost: number;
  readonly twice: number;
  readonly outOfOrder: number;
  /** Kills, stops, cuts: how often the fault was injected. */
  readonly kills: number;
  /** Longest time from the end of a fault until everything was where it belongs; 0 where it was not measured. */
  readonly catchUpMs: number;
  /** Of the workload; 0 where there is none. */
  readonly seed: number;
}

const HEAD = ['FAULT', 'CHANGES', 'INJECTED', 'LOST', 'TWICE', 'OUT OF ORDER', 'LONGEST CATCH-UP', 'SEED'];

/** @param lines JSON Lines of {@link Report} */
export function tableOfReports(lines: string): string {
  const reports = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Report);
  const rows = reports.map(({ fault, changes, kills, lost, twice, outOfOrder, catchUpMs, seed }) => [
    fault,
    changes.toLocaleString('en'),
    String(kills),
    String(lost),
    String(twice),
    String(outOfOrder),
    catchUpMs === 0 ? '-' : `${(catchUpMs / 1000).toFixed(1)} s`,
    seed === 0 ? '-' : String(seed),
  ]);
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_head, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const text = all.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n`;
}
