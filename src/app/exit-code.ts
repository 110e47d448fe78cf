/** What the shell is told. */
import { isCode } from '../events/errors.ts';

/** 2 for wrong settings and wrong usage, 1 for every other failure. */
export function exitCodeOf(error: unknown): number {
  return isCode(error, 'CONFIG_INVALID', 'QUESTION_INVALID') ? 2 : 1;
}
