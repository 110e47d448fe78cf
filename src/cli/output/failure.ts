/** An error, as a person is told of it: what happened, what to do. No stack. */
import { KubetapeError } from '../../events/errors.ts';
import { errorFacts } from '../../telemetry/error-facts.ts';
import { bold, dim } from './style.ts';

export function failureText(error: unknown, stream: NodeJS.WritableStream): string {
  const facts = errorFacts(error);
  const hint = error instanceof KubetapeError ? error.hint : 'This is a defect of kubetape: please report it.';
  const message =
    error instanceof KubetapeError ? error.message : `${facts.name}${facts.message === undefined ? '' : `: ${facts.message}`}`;
  return `${bold('error:', stream)} ${message}\n${dim(hint, stream)}\n`;
}
