/** Connections to one database. Owns `pg`; its types do not leave this folder. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { storeError } from './errors.ts';

export interface DatabaseSettings {
  /** postgres://user:password@host:port/database?… with all that pg knows; undefined takes PGHOST and its companions. */
  readonly url?: string | undefined;
  readonly tls?: {
    readonly mode?: string | undefined;
    readonly caFile?: string | undefined;
    readonly certFile?: string | undefined;
    readonly keyFile?: string | undefined;
  };
  readonly applicationName: string;
  readonly poolMax: number;
}

const CONNECT_TIMEOUT_MS = 10_000;

export type Client = pg.PoolClient;

export class Database {
  readonly #pool: pg.Pool;
  /** Host, port and database, for messages; never the password. */
  readonly where: string;

  constructor(settings: DatabaseSettings) {
    const config: pg.PoolConfig = {
      ...(settings.url === undefined ? {} : { connectionString: withTlsMode(settings.url, settings.tls?.mode) }),
      ...tlsFiles(settings.tls),
      application_name: settings.applicationName,
      max: settings.poolMax,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      idleTimeoutMillis: 60_000,
    };
    this.#pool = new pg.Pool(config);
    // An idle connection that breaks is replaced by the next one; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
    this.where = whereOf(settings.url);
  }

  /** Runs one statement. @throws KubetapeError POSTGRES_*, SCHEMA_MISSING, ROW_REJECTED */
  async query<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    try {
      const { rows } = await this.#pool.query<R>(text, [...values]);
      return rows;
    } catch (error) {
      throw storeError(error, this.where);
    }
  }

  /** Lends a connection; one that failed is thrown away, not lent again. */
  async with<T>(work: (client: Client) => Promise<T>): Promise<T> {
    let client: Client;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw storeError(error, this.where);
    }
    // A connection that breaks while it is lent also emits; the query in flight rejects by itself.
    const ignore = (): void => undefined;
    client.on('error', ignore);
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
      client.removeListener('error', ignore);
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function withTlsMode(url: string, mode: string | undefined): string {
  if (mode === undefined) return url;
  const parsed = new URL(url);
  parsed.searchParams.set('sslmode', mode);
  return parsed.toString();
}

function tlsFiles(tls: DatabaseSettings['tls']): pg.PoolConfig {
  if (tls?.caFile === undefined && tls?.certFile === undefined && tls?.keyFile === undefined) return {};
  const read = (file: string | undefined): string | undefined => (file === undefined ? undefined : readFileSync(file, 'utf8'));
  const files = { ca: read(tls.caFile), cert: read(tls.certFile), key: read(tls.keyFile) };
  const given = Object.fromEntries(Object.entries(files).filter(([, text]) => text !== undefined));
  return { ssl: { ...given, rejectUnauthorized: tls.mode !== 'no-verify' } };
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
