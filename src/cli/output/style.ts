/** Marks and colours: on a terminal, unless NO_COLOR is set. */
import { styleText } from 'node:util';

export type Mark = 'ok' | 'warn' | 'fail';

const MARKS = { ok: ['✔', 'green'], warn: ['⚠', 'yellow'], fail: ['✗', 'red'] } as const;

export function mark(kind: Mark, stream: NodeJS.WritableStream): string {
  const [sign, colour] = MARKS[kind];
  return styleText(colour, sign, { stream });
}

export function bold(text: string, stream: NodeJS.WritableStream): string {
  return styleText('bold', text, { stream });
}

export function dim(text: string, stream: NodeJS.WritableStream): string {
  return styleText('dim', text, { stream });
}
