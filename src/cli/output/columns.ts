/**
 * Tables as kubectl prints them: columns three blanks apart, no lines. Pure.
 * Invariant (test/cli/columns.test.ts): P1 harmless  no cell can break a line or reach the terminal's controls
 */

const PADDING = 3;
const LEAST = 6;

/** @param paint a cell as it is shown, once its width is known; the header is row -1 */
export function columnsText(
  header: readonly string[] | null,
  rows: readonly (readonly string[])[],
  paint: (cell: string, column: number, row: number) => string = (cell) => cell,
): string {
  const lines = [...(header === null ? [] : [header]), ...rows].map((cells) => cells.map(cellText));
  const widths: number[] = [];
  for (const cells of lines)
    for (let at = 0; at < cells.length; at += 1) widths[at] = Math.max(widths[at] ?? LEAST - PADDING, lengthOf(cells[at] ?? ''));
  const first = header === null ? 0 : -1;
  let text = '';
  for (const [line, cells] of lines.entries()) {
    const last = cells.length - 1;
    for (let at = 0; at < last; at += 1) {
      const cell = cells[at] ?? '';
      text += paint(cell, at, line + first) + ' '.repeat((widths[at] ?? 0) - lengthOf(cell) + PADDING);
    }
    text += `${paint(cells[last] ?? '', last, line + first)}\n`;
  }
  return text;
}

/** What nearly all cells are made of: nothing of it needs a closer look. */
const PLAIN = /^[ -~]*$/;

/** In characters: what lies beyond the first plane of Unicode is one, not two. */
function lengthOf(cell: string): number {
  if (PLAIN.test(cell)) return cell.length;
  return cell.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ' ').length;
}

/** What comes after the end of a line is left out, as kubectl does it; controls are shown, not sent. */
export function cellText(cell: string): string {
  if (PLAIN.test(cell)) return cell;
  const end = cell.search(/[\n\r\f\v\u2028\u2029]/);
  const line = end < 0 ? cell : `${cell.slice(0, end)}...`;
  return harmless(line);
}

/** For text whose ends of lines are meant. */
export function harmless(text: string): string {
  return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return code < 32 ? `^${String.fromCharCode(code + 64)}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
