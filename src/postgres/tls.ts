/** TLS as libpq has it: the modes' names and meanings, from settings, the URL or the environment, in this order. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { KubetapeError } from '../events/errors.ts';

export interface TlsSettings {
  /** disable, prefer, require, verify-ca, verify-full; no-verify is `pg`'s. */
  readonly mode?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

const FROM_URL = { mode: 'sslmode', caFile: 'sslrootcert', certFile: 'sslcert', keyFile: 'sslkey' } as const;
const FROM_ENV = { mode: 'PGSSLMODE', caFile: 'PGSSLROOTCERT', certFile: 'PGSSLCERT', keyFile: 'PGSSLKEY' } as const;

export interface Tls {
  /** The URL without what was taken from it: `pg` would let it overrule. */
  readonly url: string | undefined;
  readonly ssl: ConnectionOptions | false;
  /** Go on without TLS where the server has none. */
  readonly optional: boolean;
}

/** @throws KubetapeError CONFIG_INVALID: a file that cannot be read, or verify-ca without an authority */
export function tlsOf(
  url: string | undefined,
  settings: TlsSettings = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): Tls {
  const parsed = url === undefined ? null : new URL(url);
  const one = (key: keyof TlsSettings): string | undefined =>
    settings[key] ?? parsed?.searchParams.get(FROM_URL[key]) ?? env[FROM_ENV[key]] ?? undefined;
  const mode = one('mode') ?? 'prefer';
  const ca = read('caFile', one('caFile'));
  const identity = { cert: read('certFile', one('certFile')), key: read('keyFile', one('keyFile')) };
  const files = Object.fromEntries(Object.entries({ ca, ...identity }).filter(([, text]) => text !== undefined));
  for (const name of [...Object.values(FROM_URL), 'uselibpqcompat']) parsed?.searchParams.delete(name);
  const host = parsed?.hostname ?? env['PGHOST'] ?? 'localhost';
  // A socket file has no TLS.
  const local = host === '' || host.startsWith('/') || host.startsWith('%2F');
  return { url: parsed?.toString(), ssl: local ? false : sslOf(mode, ca !== undefined, files), optional: mode === 'prefer' };
}

function sslOf(mode: string, hasCa: boolean, files: ConnectionOptions): ConnectionOptions | false {
  switch (mode) {
    case 'disable':
      return false;
    case 'verify-full':
      return { ...files };
    case 'verify-ca':
      if (!hasCa)
        throw new KubetapeError('CONFIG_INVALID', 'the TLS mode verify-ca of the database needs the file of its certificate authority');
      return { ...files, checkServerIdentity: () => undefined };
    case 'require':
      // libpq: with an authority at hand, require means verify-ca.
      return hasCa ? { ...files, checkServerIdentity: () => undefined } : { ...files, rejectUnauthorized: false };
    default:
      return { ...files, rejectUnauthorized: false };
  }
}

function read(setting: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new KubetapeError(
      'CONFIG_INVALID',
      `the database's TLS file ${file} (${setting}) cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
}
