/**
 * Kinds of settings: they take text (from a flag or the environment) as well as what YAML makes of it.
 *   in    text, or a number, a switch, a list or a map of the settings file
 *   out   the typed value
 * Each kind says in words what it allows, so that every wrong setting can be answered with the same sentence.
 */
import * as v from 'valibot';

export interface KindFacts {
  /** Completes "must be …". */
  readonly allowed: string;
  /** What stands for the value in `--flag <value>`; null for a switch, which takes none. */
  readonly placeholder: string | null;
  /** Given more than once, it grows; given once more otherwise, the last one counts. */
  readonly repeatable?: boolean;
  /** `all`: never shown. `url`: the passwords in it are not. `map`: values are not where the key says so. */
  readonly secret?: 'all' | 'url' | 'map';
  /** A path that must be readable when the process starts. */
  readonly readable?: boolean;
}

/** What a setting is about, and its names where they do not follow from its key. */
export interface SettingFacts {
  readonly description: string;
  /** In place of the default itself. */
  readonly defaultText?: string;
  readonly env?: readonly string[];
  readonly flag?: string;
}

type Schema<T> = v.GenericSchema<unknown, T>;
/** What it is when nobody sets it; null where somebody has to. */
type Unset<T> = { readonly value: T } | null;

/** One setting: what it takes, what it is when nobody sets it, and what it is about. Values are never changed. */
export class Kind<T> {
  /** For the type alone. */
  declare readonly type: T;
  readonly facts: KindFacts;
  readonly about: SettingFacts;
  readonly #schema: Schema<T>;
  readonly #unset: Unset<T>;

  constructor(schema: Schema<T>, facts: KindFacts, unset: Unset<T> = null, about: SettingFacts = { description: '' }) {
    this.#schema = schema;
    this.facts = facts;
    this.#unset = unset;
    this.about = about;
  }

  default(value: T): Kind<T> {
    return new Kind(this.#schema, this.facts, { value }, this.about);
  }

  optional(): Kind<T | undefined> {
    return new Kind<T | undefined>(this.#schema, this.facts, { value: undefined }, this.about);
  }

  describe(description: string): Kind<T> {
    return this.meta({ ...this.about, description });
  }

  meta(about: SettingFacts): Kind<T> {
    return new Kind(this.#schema, this.facts, this.#unset, about);
  }

  /** @returns null where the value is not allowed, or missing and needed */
  read(raw: unknown): { readonly value: T } | null {
    if (raw === undefined) return this.#unset;
    const { success, output } = v.safeParse(this.#schema, raw);
    return success ? { value: output } : null;
  }
}

/** Settings by their keys. */
export type Shape = Readonly<Record<string, Kind<unknown>>>;
/** What a role works with. What may be unset is undefined then. */
export type ValuesOf<S extends Shape> = { readonly [K in keyof S]: S[K]['type'] };

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** What other spellings mean, and then what is allowed. */
function after<T>(spelled: (raw: unknown) => unknown, schema: Schema<T>): Schema<T> {
  return v.pipe(v.unknown(), v.transform(spelled), schema);
}

/** 1,000,000. Loading Intl would take longer than reading all settings. */
const grouped = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');

export function int(min: number, max: number, placeholder = 'n') {
  return new Kind(after(toNumber, whole(min, max)), {
    allowed: `a whole number from ${grouped(min)} to ${grouped(max)}`,
    placeholder,
  });
}

/** A TCP port; `off` is -1. */
export function port() {
  const schema = after((raw) => (raw === 'off' || raw === false ? -1 : toNumber(raw)), whole(-1, 65_535));
  return new Kind(schema, { allowed: 'a port from 1 to 65535, 0 for any free one, or off', placeholder: 'port' });
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
};

/** A size in bytes: `4194304`, `4MiB`, `4Mi`, `4 MB`. */
export function bytes(min: number, max: number) {
  const schema = after(
    (raw) => {
      const match = typeof raw === 'string' ? /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(raw.trim()) : null;
      const unit = UNITS[(match?.[2] ?? '?').toLowerCase()];
      return match === null || unit === undefined ? raw : Math.round(Number(match[1]) * unit);
    },
    whole(min, max),
  );
  return new Kind(schema, { allowed: `a size from ${formatBytes(min)} to ${formatBytes(max)}`, placeholder: 'size' });
}

const SPANS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A span of time in ms: `30s`, `10m`, `6h`, `7d`. */
export function span(minMs: number, maxMs: number) {
  const schema = after(
    (raw) => {
      const match = typeof raw === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(raw.trim()) : null;
      return match === null ? raw : Math.round(Number(match[1]) * (SPANS[match[2] ?? ''] ?? 1));
    },
    whole(minMs, maxMs),
  );
  return new Kind(schema, {
    allowed: `a time from ${formatSpan(minMs)} to ${formatSpan(maxMs)}, like 30s, 10m or 6h`,
    placeholder: 'time',
  });
}

const SWITCH: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

export function toggle() {
  const schema = after((raw) => (typeof raw === 'string' ? (SWITCH[raw.toLowerCase()] ?? raw) : raw), v.boolean());
  return new Kind(schema, { allowed: 'true or false', placeholder: null });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return new Kind<T[number]>(v.picklist(values), {
    allowed: `one of ${values.join(', ')}`,
    placeholder: values.length > 4 ? 'choice' : values.join('|'),
  });
}

export function text(placeholder: string, pattern = /^/, allowed = 'text') {
  return new Kind(after(toText, v.pipe(v.string(), v.regex(pattern))), { allowed, placeholder });
}

/** A path of a file that must be readable. */
export function file() {
  return new Kind<string>(v.pipe(v.string(), v.minLength(1)), {
    allowed: 'the path of a readable file',
    placeholder: 'file',
    readable: true,
  });
}

/** Never shown, and no flag: the arguments of a process are there for everybody to read. */
export function secret(minLength = 1) {
  const allowed = minLength > 1 ? `text of at least ${minLength} characters` : 'text';
  return new Kind(after(toText, v.pipe(v.string(), v.minLength(minLength))), { allowed, placeholder: 'secret', secret: 'all' });
}

export function url(protocols: readonly string[], example: string) {
  const isUrl = (value: string): boolean => protocols.some((protocol) => value.startsWith(`${protocol}://`)) && !/\s/.test(value);
  const schema = v.pipe(v.string(), v.check(isUrl));
  return new Kind<string>(schema, { allowed: `a URL like ${example}`, placeholder: 'url', secret: 'url' });
}

/** `a,b` or a YAML list; a comma within brackets divides nothing. */
export function list(placeholder: string, pattern: RegExp, allowed: string) {
  const items: Schema<readonly string[]> = v.array(v.pipe(v.string(), v.regex(pattern)));
  const schema = after((raw) => (Array.isArray(raw) ? raw.flatMap(toItems) : toItems(raw)), items);
  return new Kind(schema, { allowed, placeholder, repeatable: true });
}

/** `key=value,key=value`, a YAML map, or JSON. */
export function map<T>(value: Schema<T>, placeholder: string, keys: RegExp, allowed: string, facts: Pick<KindFacts, 'secret'> = {}) {
  const pairs: Schema<Readonly<Record<string, T>>> = v.record(v.pipe(v.string(), v.regex(keys)), value);
  const schema = after(toMap, pairs);
  return new Kind(schema, { allowed, placeholder, repeatable: true, ...facts });
}

export const mapValue = {
  text: after(toText, v.string()),
  int: (min: number, max: number) => after(toNumber, whole(min, max)),
};

function toNumber(raw: unknown): unknown {
  return typeof raw === 'string' && /^-?\d+$/.test(raw.trim()) ? Number(raw) : raw;
}

/** In YAML, a password of digits is a number. */
function toText(raw: unknown): unknown {
  return typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : raw;
}

function toItems(raw: unknown): unknown[] {
  if (typeof raw !== 'string') return [toText(raw)];
  const parts = [''];
  let depth = 0;
  for (const letter of raw) {
    if (letter === '[') depth += 1;
    if (letter === ']') depth -= 1;
    if (depth <= 0 && (letter === ',' || letter === '\n')) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function toMap(raw: unknown): unknown {
  if (typeof raw === 'string' && raw.trim().startsWith('{')) {
    try {
      return JSON.parse(raw) as unknown;
    } catch {
      return raw;
    }
  }
  if (typeof raw !== 'string' && !Array.isArray(raw)) return raw;
  // Values may hold commas themselves when each pair comes in a flag of its own.
  const pairs = Array.isArray(raw) ? (raw as unknown[]) : raw.split(/[,\n]/).filter((pair) => pair.trim() !== '');
  const entries: [string, string][] = [];
  for (const pair of pairs) {
    const at = typeof pair === 'string' ? pair.indexOf('=') : -1;
    if (typeof pair !== 'string' || at < 1) return raw;
    entries.push([pair.slice(0, at).trim(), pair.slice(at + 1).trim()]);
  }
  return Object.fromEntries(entries);
}

/** `4194304` → `4MiB`; sizes that are no round number of units stay bytes. */
export function formatBytes(size: number): string {
  for (const [unit, factor] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (size >= factor && size % factor === 0) return `${size / factor}${unit}`;
  }
  return String(size);
}

/** `600000` → `10m`. */
export function formatSpan(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const factor = SPANS[unit] ?? 1;
    if (ms >= factor && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return `${ms}ms`;
}
