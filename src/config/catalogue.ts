/**
 * The settings as they are called outside: by flag, in the environment, in words. All of it follows from the schemas.
 */
import type { z } from 'zod';
import { formatBytes, formatSpan, kindOf, type KindFacts } from './kinds.ts';
import { CONCERNS, SCHEMAS, type Concern, type Role } from './roles.ts';

export interface Setting {
  readonly key: string;
  readonly concern: Concern;
  readonly kind: KindFacts;
  readonly schema: z.ZodType;
  readonly about: string;
  /** null for secrets: the arguments of a process are there for everybody to read. */
  readonly flag: string | null;
  /** Names in the environment; the first is our own. */
  readonly env: readonly string[];
  /** As text; '' where there is none. */
  readonly defaultText: string;
}

interface Meta {
  readonly description?: string;
  readonly defaultText?: string;
  readonly env?: readonly string[];
  readonly flag?: string;
}

function settingOf(concern: Concern, key: string, schema: z.ZodType): Setting {
  const meta = (schema.meta() ?? {}) as Meta;
  const kind = kindOf(schema);
  return {
    key,
    concern,
    kind,
    schema,
    about: meta.description ?? '',
    flag: kind.secret === 'all' ? null : (meta.flag ?? `--${kebab(key)}`),
    env: [`KUBETAPE_${kebab(key).replaceAll('-', '_').toUpperCase()}`, ...(meta.env ?? [])],
    defaultText: meta.defaultText ?? defaultText(schema, key),
  };
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function defaultText(schema: z.ZodType, key: string): string {
  const parsed = schema.safeParse(undefined);
  if (!parsed.success || parsed.data === undefined) return '';
  const text = valueText(key, parsed.data);
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

/** Spans of time, which are ms inside. */
const TIMES: ReadonlySet<string> = new Set(
  (Object.keys(CONCERNS) as Concern[]).flatMap((concern) =>
    Object.entries(CONCERNS[concern].shape).flatMap(([key, schema]) => (kindOf(schema as z.ZodType).placeholder === 'time' ? [key] : [])),
  ),
);

/** Every setting, by concern. */
export const CATALOGUE: readonly Setting[] = (Object.keys(CONCERNS) as Concern[]).flatMap((concern) =>
  Object.entries(CONCERNS[concern].shape).map(([key, schema]) => settingOf(concern, key, schema as z.ZodType)),
);

export const BY_KEY: ReadonlyMap<string, Setting> = new Map(CATALOGUE.map((setting) => [setting.key, setting]));

export function settingsOfRole(role: Role): readonly Setting[] {
  return CATALOGUE.filter((setting) => Object.hasOwn(SCHEMAS[role].shape, setting.key));
}

/** The roles that have a setting, for the message to somebody who gave it to another one. */
export function rolesWith(key: string): Role[] {
  return (Object.keys(SCHEMAS) as Role[]).filter((role) => Object.hasOwn(SCHEMAS[role].shape, key));
}
