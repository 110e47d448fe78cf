/**
 * What of an error may be written down. Pure.
 *   in    anything that was thrown
 *   out   a few fields, safe to log
 * Invariant (test/telemetry/error-facts.test.ts):
 *   E1 whitelist  text of a foreign error is kept only where its kind never quotes data: parsers and databases do
 */
import { KubetapeError } from '../events/errors.ts';

export interface ErrorFacts {
  readonly name: string;
  readonly code?: string | number;
  readonly message?: string;
  readonly hint?: string;
  readonly cause?: ErrorFacts;
  /** The frames only: the first line of a stack repeats the message. */
  readonly stack?: string;
}

/** Their messages are composed by Node and V8 from names, addresses and numbers. */
const PLAIN_KINDS = new Set(['TypeError', 'ReferenceError', 'RangeError', 'AbortError', 'TimeoutError']);
const DEEPEST_CAUSE = 4;

export function errorFacts(error: unknown, options: { readonly stack?: boolean } = {}, depth = 0): ErrorFacts {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code } = error as { code?: unknown };
  const message = safeMessage(error);
  const cause = depth < DEEPEST_CAUSE && error.cause instanceof Error ? errorFacts(error.cause, options, depth + 1) : undefined;
  return {
    name: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(message === undefined ? {} : { message }),
    ...(error instanceof KubetapeError ? { hint: error.hint } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(options.stack === true ? { stack: frames(error) } : {}),
  };
}

function safeMessage(error: Error): string | undefined {
  if (error instanceof KubetapeError || PLAIN_KINDS.has(error.name)) return error.message;
  const { syscall, severity, code, origin } = error as { syscall?: unknown; severity?: unknown; code?: unknown; origin?: unknown };
  // Of the operating system: `connect ECONNREFUSED 127.0.0.1:9092`.
  if (typeof syscall === 'string') return error.message;
  // Of Postgres: classes 22 and 23 quote the value they dislike, 08, 28, 3D, 42, 53, 57 do not.
  if (typeof severity === 'string' && typeof code === 'string') return /^(08|28|3D|42|53|57|40)/.test(code) ? error.message : undefined;
  // Of librdkafka: a text from its own table of codes.
  if (typeof code === 'number' && typeof origin === 'string') return error.message;
  if (error instanceof AggregateError)
    return error.errors
      .map((one) => (one instanceof Error ? safeMessage(one) : undefined))
      .filter((one) => one !== undefined)
      .join('; ');
  return typeof code === 'string' && /^(E[A-Z]+|ERR_(?!INVALID)[A-Z_]+|UND_ERR_[A-Z_]+|CERT_[A-Z_]+|[A-Z_]*CERT[A-Z_]*)$/.test(code)
    ? error.message
    : undefined;
}

function frames(error: Error): string {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .join('\n');
}
