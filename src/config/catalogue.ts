/**
 * The settings as they are called outside: by flag, in the environment, in words. All of it follows from their kinds.
 */
import { formatBytes, formatSpan, type Kind, type KindFacts } from './kinds.ts';
import { CONCERNS, SHAPES, type Concern, type Role } from './roles.ts';

export interface Setting {
  readonly key: string;
  readonly concern: Concern;
  readonly kind: KindFacts;
  /** @returns null where the value is not allowed, or missing and needed */
  readonly read: (raw: unknown) => { readonly value: unknown } | null;
  readonly about: string;
  /** null for secrets: the arguments of a process are there for everybody to read. */
  readonly flag: string | null;
  /** Names in the environment; the first is our own. */
  readonly env: readonly string[];
  /** As text; '' where there is none. */
  readonly defaultText: string;
}

function settingOf(concern: Concern, key: string, kind: Kind<unknown>): Setting {
  const { facts, about } = kind;
  return {
    key,
    concern,
    kind: facts,
    read: (raw) => kind.read(raw),
    about: about.description,
    flag: facts.secret === 'all' ? null : (about.flag ?? `--${kebab(key)}`),
    env: [`KUBETAPE_${kebab(key).replaceAll('-', '_').toUpperCase()}`, ...(about.env ?? [])],
    defaultText: about.defaultText ?? defaultText(kind, key),
  };
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function defaultText(kind: Kind<unknown>, key: string): string {
  const text = valueText(key, kind.read(undefined)?.value);
  return text === '' ? '' : `\`${text}\``;
}

/** A value as a person would write it in a flag. */
export function valueText(key: string, value: unknown): string {
  if (typeof value === 'number' && key.endsWith('Bytes')) return formatBytes(value);
  if (typeof value === 'number' && TIMES.has(key)) return formatSpan(value);
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, one]) => `${name}=${String(one)}`)
      .join(',');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

const concerns = Object.entries(CONCERNS).map(
  ([concern, { shape }]) => [concern as Concern, Object.entries<Kind<unknown>>(shape)] as const,
);

/** Spans of time, which are ms inside. */
const TIMES: ReadonlySet<string> = new Set(
  concerns.flatMap(([, kinds]) => kinds.flatMap(([key, { facts }]) => (facts.placeholder === 'time' ? [key] : []))),
);

/** Every setting, by concern. */
export const CATALOGUE: readonly Setting[] = concerns.flatMap(([concern, kinds]) =>
  kinds.map(([key, kind]) => settingOf(concern, key, kind)),
);

export const BY_KEY: ReadonlyMap<string, Setting> = new Map(CATALOGUE.map((setting) => [setting.key, setting]));

export function settingsOfRole(role: Role): readonly Setting[] {
  return CATALOGUE.filter((setting) => Object.hasOwn(SHAPES[role], setting.key));
}

/** The roles that have a setting, for the message to somebody who gave it to another one. */
export function rolesWith(key: string): Role[] {
  return (Object.keys(SHAPES) as Role[]).filter((role) => Object.hasOwn(SHAPES[role], key));
}
