/**
 * Settings given in the environment. Pure. An empty variable counts as not set.
 * Kubernetes describes every Service of the namespace to every pod in variables of its own: next to a Service called
 * `kubetape` these begin as ours do, and are left alone.
 */
import { CATALOGUE } from './catalogue.ts';
import { nearest } from './nearest.ts';
import type { Found, Layer, Problem } from './sources.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that are ours and no settings of a role. */
const OTHERS = /^KUBETAPE_(CONFIG|CACHE|TEST_.*|STACK_.*|POSTGRES_USER|KEEP_STACK)$/;
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT|SERVICE_PORT_[A-Z0-9_]+|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

export function readEnvironment(env: Environment): Layer {
  const found = new Map<string, Found>();
  const problems: Problem[] = [];
  const known = new Set<string>();
  for (const setting of CATALOGUE) {
    for (const name of setting.env) {
      known.add(name);
      const value = env[name];
      if (value === undefined || value === '' || isServiceLink(name, value) || found.has(setting.key)) continue;
      found.set(setting.key, { value, source: { from: 'env', name } });
    }
  }
  const libpq = libpqUrl(env);
  if (libpq !== undefined && !found.has('databaseUrl')) found.set('databaseUrl', { value: libpq, source: { from: 'env', name: 'PGHOST' } });

  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('KUBETAPE_') || known.has(name) || OTHERS.test(name) || isServiceLink(name, value ?? '')) continue;
    const near = nearest(name, known);
    problems.push({
      subject: `environment ${name}`,
      message: `there is no such setting${near === undefined ? '' : `; did you mean ${near}?`}`,
    });
  }
  return { found, problems };
}

function isServiceLink(name: string, value: string): boolean {
  return SERVICE_LINK.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value));
}

/** PGHOST and its companions, as psql reads them. */
function libpqUrl(env: Environment): string | undefined {
  const host = env['PGHOST'];
  if (host === undefined || host === '') return undefined;
  const login = env['PGUSER']
    ? `${encodeURIComponent(env['PGUSER'])}${env['PGPASSWORD'] ? `:${encodeURIComponent(env['PGPASSWORD'])}` : ''}@`
    : '';
  const name = encodeURIComponent(env['PGDATABASE'] ?? '');
  const tls = env['PGSSLMODE'] ? `sslmode=${encodeURIComponent(env['PGSSLMODE'])}` : '';
  const port = env['PGPORT'] ?? '5432';
  if (host.startsWith('/')) {
    return `postgres://${login}/${name}?${[`host=${encodeURIComponent(host)}`, `port=${port}`, tls].filter((part) => part !== '').join('&')}`;
  }
  return `postgres://${login}${host.includes(':') ? `[${host}]` : host}:${port}/${name}${tls === '' ? '' : `?${tls}`}`;
}
