/**
 * What an error of Postgres means: by SQLSTATE, or by what the driver says where there was no answer.
 *   08 53 57P 57014 40001 40P01 55P03, sockets   POSTGRES_UNREACHABLE: wait and try again, for ever
 *   25006                                        POSTGRES_READ_ONLY: the same
 *   22 23 54                                     ROW_REJECTED: this record, not the database
 *   42P01 42883 3F000                            SCHEMA_MISSING
 *   28 3D 42501                                  POSTGRES_UNAUTHORIZED
 *   the rest                                     POSTGRES_FAILED; defects of this program: INTERNAL
 * Invariants (test/postgres/errors.test.ts):
 *   E1 total   every SQLSTATE has a code
 *   E2 silent  no message holds content of a row: of a rejection only the SQLSTATE is kept, and DETAIL, WHERE and
 *              CONTEXT of nothing
 */
import { KubetapeError, type ErrorCode } from '../events/errors.ts';

interface PgError {
  readonly code?: string;
  readonly message?: string;
  readonly severity?: string;
}

/** The longest prefix that fits counts. */
const BY_STATE: Readonly<Record<string, ErrorCode>> = {
  '08': 'POSTGRES_UNREACHABLE',
  '53': 'POSTGRES_UNREACHABLE',
  '57P': 'POSTGRES_UNREACHABLE',
  '57014': 'POSTGRES_UNREACHABLE',
  '40001': 'POSTGRES_UNREACHABLE',
  '40P01': 'POSTGRES_UNREACHABLE',
  '55P03': 'POSTGRES_UNREACHABLE',
  '25P03': 'POSTGRES_UNREACHABLE',
  '25006': 'POSTGRES_READ_ONLY',
  '22': 'ROW_REJECTED',
  '23': 'ROW_REJECTED',
  '54': 'ROW_REJECTED',
  // Binary that the server cannot read was encoded wrongly here: no record is to blame.
  '22P03': 'INTERNAL',
  '21': 'INTERNAL',
  '42P01': 'SCHEMA_MISSING',
  '42883': 'SCHEMA_MISSING',
  '3F000': 'SCHEMA_MISSING',
  '28': 'POSTGRES_UNAUTHORIZED',
  '3D': 'POSTGRES_UNAUTHORIZED',
  '42501': 'POSTGRES_UNAUTHORIZED',
};

/** Words of our own: the server's quote what they stumbled over. */
const REJECTIONS: Readonly<Record<string, string>> = {
  '22P05': 'a string holds U+0000, which jsonb cannot store',
  '22P02': 'its JSON is not what jsonb takes',
  '22021': 'a string holds NUL or bytes that are not UTF-8',
  '22003': 'a number is out of range',
  '22008': 'a time is out of range',
  '23514': 'no partition of the history takes it',
  '54000': 'it is larger than Postgres allows',
  '54001': 'it is nested too deep',
};

export function codeOfSqlstate(sqlstate: string): ErrorCode {
  for (const length of [5, 3, 2]) {
    const code = BY_STATE[sqlstate.slice(0, length)];
    if (code !== undefined) return code;
  }
  return 'POSTGRES_FAILED';
}

/** The SQLSTATE of a failure made by {@link storeError}, if the server sent one. */
export function sqlstateOf(error: KubetapeError): string | null {
  return (error.cause as { sqlstate?: string } | undefined)?.sqlstate ?? null;
}

/** @param where host, port and database, for the message */
export function storeError(error: unknown, where: string): KubetapeError {
  if (error instanceof KubetapeError) return error;
  const { code, message = 'unknown error', severity } = error as PgError;
  const primary = message.split('\n')[0]?.slice(0, 300) ?? '';
  if (severity !== undefined && code !== undefined) return serverError(code, primary, where);
  const driver = code === undefined || code.startsWith('ERR_INVALID');
  // Not the network: a wrong argument or a typing slip.
  if (driver && ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'].includes((error as Error).name)) {
    return new KubetapeError('INTERNAL', `using Postgres at ${where} failed`, { cause: error });
  }
  if (primary.startsWith('SASL')) return new KubetapeError('POSTGRES_UNAUTHORIZED', `Postgres at ${where}: ${primary}`);
  const why = primary === '' ? (code ?? 'connection failed') : primary;
  return new KubetapeError('POSTGRES_UNREACHABLE', `no answer from Postgres at ${where}: ${why}`);
}

function serverError(sqlstate: string, primary: string, where: string): KubetapeError {
  const code = codeOfSqlstate(sqlstate);
  const options = { cause: { sqlstate } };
  if (code === 'ROW_REJECTED') {
    const why = REJECTIONS[sqlstate] ?? 'the server would not take it';
    return new KubetapeError(code, `the record was rejected: ${why} (SQLSTATE ${sqlstate})`, options);
  }
  return new KubetapeError(code, `Postgres at ${where}: ${primary} (SQLSTATE ${sqlstate})`, options);
}
