/**
 * Values as they may be shown. Pure.
 * Invariant (test/config/mask.test.ts): M1 nothing of a secret is in the text, be the value right or wrong
 */
import type { KindFacts } from './kinds.ts';

export const MASK = '***';

const SECRET_NAME = /pass|secret|token|credential|key(?!\.location)|jaas|\.pem$|oauthbearer\.config/i;
const LONGEST_SHOWN = 120;

/** One value as text for a message, cut where it is long. */
export function mask(kind: Pick<KindFacts, 'secret'>, value: unknown): string {
  const shown = masked(kind, value);
  const text = typeof shown === 'string' ? (shown === MASK ? shown : JSON.stringify(shown)) : (JSON.stringify(shown) ?? String(shown));
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** The value itself, with every secret in it replaced. */
export function masked(kind: Pick<KindFacts, 'secret'>, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  switch (kind.secret) {
    case 'all':
      return MASK;
    case 'url':
      return typeof value === 'string' ? maskedUrl(value) : MASK;
    case 'map':
      return maskedMap(value);
    case undefined:
      return value;
  }
}

/** What does not parse may hold a password anywhere. */
function maskedUrl(text: string): string {
  const match = /^(postgres(?:ql)?:\/\/)(?:([^@/?#]*)@)?([^@?#]*)(\?[^#@]*)?$/i.exec(text);
  if (match === null) return MASK;
  const [, protocol = '', user, rest = '', query = ''] = match;
  const login = user === undefined ? '' : `${user.includes(':') ? `${user.slice(0, user.indexOf(':'))}:${MASK}` : user}@`;
  return protocol + login + rest + query.replaceAll(/([?&][^=&]*(?:pass|secret|token)[^=&]*=)[^&]*/gi, `$1${MASK}`);
}

/** A map's values go by their names; one that could not be read as a map is not shown at all. */
function maskedMap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return MASK;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, SECRET_NAME.test(name) ? MASK : (one as unknown)]));
}
