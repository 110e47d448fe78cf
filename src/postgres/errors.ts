/**
 * What an error of Postgres means: by SQLSTATE, or by the socket's code where the connection failed.
 *   08 53 57P 40001 40P01 55P03, sockets   POSTGRES_UNREACHABLE: wait and try again, for ever
 *   25006                                  POSTGRES_READ_ONLY: the same
 *   22 23 54                               ROW_REJECTED: this record, not the database
 *   42P01 3F000                            SCHEMA_MISSING
 *   28 3D 42501                            POSTGRES_UNAUTHORIZED
 *   the rest                               POSTGRES_FAILED
 * Only the primary message is kept: DETAIL, WHERE and CONTEXT quote rows.
 */
import { KubetapeError, type ErrorCode } from '../events/errors.ts';

interface PgError {
  readonly code?: string;
  readonly message?: string;
  readonly severity?: string;
}

const BY_STATE: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['25006', 'POSTGRES_READ_ONLY'],
  ['40001', 'POSTGRES_UNREACHABLE'],
  ['40P01', 'POSTGRES_UNREACHABLE'],
  ['55P03', 'POSTGRES_UNREACHABLE'],
  ['42P01', 'SCHEMA_MISSING'],
  ['42883', 'SCHEMA_MISSING'],
  ['3F000', 'SCHEMA_MISSING'],
  ['42501', 'POSTGRES_UNAUTHORIZED'],
  ['08', 'POSTGRES_UNREACHABLE'],
  ['53', 'POSTGRES_UNREACHABLE'],
  ['57P', 'POSTGRES_UNREACHABLE'],
  ['57014', 'POSTGRES_UNREACHABLE'],
  ['22', 'ROW_REJECTED'],
  ['23', 'ROW_REJECTED'],
  ['54', 'ROW_REJECTED'],
  ['28', 'POSTGRES_UNAUTHORIZED'],
  ['3D', 'POSTGRES_UNAUTHORIZED'],
];

/** The SQLSTATE of a failure made by {@link storeError}, if the server sent one. */
export function sqlstateOf(error: KubetapeError): string | null {
  return (error.cause as { sqlstate?: string } | undefined)?.sqlstate ?? null;
}

export function storeError(error: unknown, where: string): KubetapeError {
  if (error instanceof KubetapeError) return error;
  const { code, message = 'unknown error', severity } = error as PgError;
  const fromServer = severity !== undefined && code !== undefined;
  const primary = message.split('\n')[0]?.slice(0, 300) ?? '';
  if (!fromServer) {
    // The socket, the time-out of the pool, or TLS.
    return new KubetapeError('POSTGRES_UNREACHABLE', `no answer from Postgres at ${where}: ${primary === '' ? (code ?? 'connection failed') : primary}`);
  }
  const is = BY_STATE.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'POSTGRES_FAILED';
  // A message of class 22 may quote the value it stumbled over.
  const safe = is === 'ROW_REJECTED' ? rejection(code, primary) : primary;
  return new KubetapeError(is, `Postgres at ${where}: ${safe} (SQLSTATE ${code})`, { cause: { sqlstate: code } });
}

/** The server's words without what it quotes. */
function rejection(code: string, message: string): string {
  return message.replaceAll(/"[^"]*"/g, '"…"').replace(/:.*$/, '') || `rejected with ${code}`;
}
