/**
 * The outcome of a bench: samples of several subjects, each measured in several runs, and how they are shown. Pure.
 *   in    one sample per subject and run
 *   out   a table of medians with their range; the same as JSON
 * Invariants (test/scripts/bench/report.test.ts):
 *   T1 complete  every subject has a row, every column a cell; what was not measured is a dash
 *   T2 ratio     a ratio is that of the medians, and says of what to what
 */
import { spreadOf, type Spread } from './statistics.ts';

export interface Column {
  readonly key: string;
  readonly title: string;
  /** Digits after the point. */
  readonly digits: number;
}

export interface Sample {
  readonly subject: string;
  readonly values: Readonly<Record<string, number | null>>;
}

/** `of` divided by `to`, in the medians of `key`. */
export interface RatioWanted {
  readonly title: string;
  readonly key: string;
  readonly of: string;
  readonly to: string;
  /** What it should be, and on which side of that. */
  readonly target?: { readonly atLeast?: number; readonly atMost?: number };
}

export interface Report {
  readonly bench: string;
  /** What was done, in a sentence. */
  readonly about: string;
  readonly parameters: Readonly<Record<string, number | string>>;
  readonly columns: readonly Column[];
  readonly samples: readonly Sample[];
  readonly ratios: readonly RatioWanted[];
  readonly notes: readonly string[];
}

export interface Row {
  readonly subject: string;
  readonly values: Readonly<Record<string, Spread | null>>;
}

export function rowsOf({ columns, samples }: Pick<Report, 'columns' | 'samples'>): Row[] {
  const subjects = [...new Set(samples.map(({ subject }) => subject))];
  return subjects.map((subject) => {
    const own = samples.filter((sample) => sample.subject === subject);
    return { subject, values: Object.fromEntries(columns.map(({ key }) => [key, spreadOf(own.map(({ values }) => values[key] ?? null))])) };
  });
}

/** As Markdown, padded, so that it reads well in a terminal too. */
export function tableOf(report: Pick<Report, 'columns' | 'samples'>): string {
  const header = ['', ...report.columns.map(({ title }) => title)];
  const body = rowsOf(report).map(({ subject, values }) => [
    subject,
    ...report.columns.map(({ key, digits }) => shown(values[key] ?? null, digits)),
  ]);
  const widths = header.map((_, at) => Math.max(3, ...[header, ...body].map((cells) => (cells[at] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, at) => (at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(header), rule, ...body.map(line)].join('\n');
}

/** The median, and the range where there were several runs. */
function shown(spread: Spread | null, digits: number): string {
  if (spread === null) return '–';
  const text = (value: number): string => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return spread.runs.length === 1 ? text(spread.median) : `${text(spread.median)} (${text(spread.min)}–${text(spread.max)})`;
}

export interface Ratio extends RatioWanted {
  /** null where one of the two was not measured. */
  readonly value: number | null;
  /** null where there is no target, or no value. */
  readonly met: boolean | null;
}

export function ratiosOf(report: Report): Ratio[] {
  const rows = new Map(rowsOf(report).map((row) => [row.subject, row]));
  return report.ratios.map((wanted) => {
    const [of, to] = [wanted.of, wanted.to].map((subject) => rows.get(subject)?.values[wanted.key]?.median ?? null);
    const value = of === null || of === undefined || to === null || to === undefined || to === 0 ? null : of / to;
    const { atLeast = -Infinity, atMost = Infinity } = wanted.target ?? {};
    return { ...wanted, value, met: value === null || wanted.target === undefined ? null : value >= atLeast && value <= atMost };
  });
}

export function ratioLine({ title, value, target, met }: Ratio): string {
  if (value === null) return `${title}: not measured`;
  const wanted =
    target?.atLeast === undefined
      ? target?.atMost === undefined
        ? ''
        : ` (wanted: at most ${target.atMost})`
      : ` (wanted: at least ${target.atLeast})`;
  return `${title}: ${value.toFixed(2)}${wanted}${met === null ? '' : met ? ' ✔' : ' ✗'}`;
}
