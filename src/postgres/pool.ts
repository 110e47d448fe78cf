/**
 * Connections to one database. Owns `pg`; its types do not leave this folder.
 * Invariants (test/postgres/connection-loss.test.ts):
 *   C1 bounded   no statement waits for ever: the server ends it, and where the server is gone, the client does
 *   C2 discards  a connection that failed is never lent again
 *   C3 survives  whenever a connection breaks, it costs a query, never the process
 */
import pg from 'pg';
import { storeError } from './errors.ts';
import { tlsOf, type TlsSettings } from './tls.ts';

export interface DatabaseSettings {
  /** postgres://user:password@host:port/database?… with all that pg knows; undefined takes PGHOST and its companions. */
  readonly url?: string | undefined;
  readonly tls?: TlsSettings;
  readonly applicationName: string;
  readonly poolMax: number;
  /** After so long without an answer a connection is given up (ms). */
  readonly answerWithinMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Longer than the server's own limits (see BEGIN), so that it speaks first if it can. */
const ANSWER_WITHIN_MS = 90_000;
/** Migrations build indexes; 24 days are the longest that a timer can wait. */
export const NO_LIMIT_MS = 2 ** 31 - 1;

/**
 * Opens a transaction with limits: a lock of somebody who was forgotten, or a worker that was suspended in the middle,
 * must hold nobody up for ever. By SET LOCAL, which poolers between here and the server let through.
 */
export const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = '60s';
SET LOCAL lock_timeout = '10s';
SET LOCAL idle_in_transaction_session_timeout = '60s';
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off`;

export type Client = pg.PoolClient;

export class Database {
  #pool: pg.Pool;
  readonly #config: pg.PoolConfig;
  #tlsOptional: boolean;
  #trial: Promise<void> | null = null;
  /** Host, port and database, for messages; never the password. */
  readonly where: string;

  /** @throws KubetapeError CONFIG_INVALID: TLS files that cannot be read */
  constructor({ url, tls, applicationName, poolMax, answerWithinMs = ANSWER_WITHIN_MS }: DatabaseSettings) {
    const secured = tlsOf(url, tls);
    this.#config = {
      ...(secured.url === undefined ? {} : { connectionString: secured.url }),
      ssl: secured.ssl,
      application_name: applicationName,
      max: poolMax,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: answerWithinMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      idleTimeoutMillis: 60_000,
    };
    this.#tlsOptional = secured.optional && secured.ssl !== false;
    this.#pool = newPool(this.#config);
    this.where = whereOf(url);
  }

  /** Runs one statement. @throws KubetapeError POSTGRES_*, SCHEMA_MISSING, ROW_REJECTED */
  async query<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.with(async (client) => (await client.query<R>(text, [...values])).rows);
  }

  /** Lends a connection; one that failed is thrown away, not lent again. */
  async with<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken: boolean = true;
    try {
      const result = await work(client);
      broken = false;
      return result;
    } catch (error) {
      const failure = storeError(error, this.where);
      broken = failure.code !== 'ROW_REJECTED' && failure.code !== 'OFFSET_FENCED';
      throw failure;
    } finally {
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<Client> {
    try {
      if (this.#tlsOptional) {
        this.#trial ??= this.#tryTls().finally(() => (this.#trial = null));
        await this.#trial;
      }
      return await this.#pool.connect();
    } catch (error) {
      throw storeError(error, this.where);
    }
  }

  /** The first connection tells whether the server has TLS; everybody else waits for its answer. */
  async #tryTls(): Promise<void> {
    try {
      (await this.#pool.connect()).release();
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('does not support SSL')) throw error;
      await this.#pool.end();
      this.#pool = newPool({ ...this.#config, ssl: false });
    }
    this.#tlsOptional = false;
  }
}

function newPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  // A connection that breaks says so by an event, which would end the process if nobody listened. One that is lent rejects
  // its next query, an idle one is replaced. The pool itself stops listening before whoever asked for the connection has it.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

function whereOf(url: string | undefined): string {
  if (url === undefined) return `${process.env['PGHOST'] ?? 'localhost'}:${process.env['PGPORT'] ?? '5432'}`;
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || '5432'}${pathname}`;
  } catch {
    return 'the database';
  }
}
