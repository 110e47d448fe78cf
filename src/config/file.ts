/**
 * Settings given in a YAML file. Pure but for the reading.
 *   kafkaBrokers: [a:9092]        the key itself
 *   kafka: { brokers: [a:9092] }  groups, joined to a key
 *   sink: { batchMaxRows: 500 }   or a group that is only a heading
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { BY_KEY } from './catalogue.ts';
import { nearest } from './nearest.ts';
import { CONCERNS } from './roles.ts';
import type { Found, Layer, Problem } from './sources.ts';

/** Loaded with the first file: most commands have none, and are to start fast. */
const require = createRequire(import.meta.url);

export function readSettingsFile(path: string): Layer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return {
      found: new Map(),
      problems: [{ subject: `settings file ${path}`, message: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` }],
    };
  }
  return parseSettings(text, path);
}

export function parseSettings(text: string, path: string): Layer {
  const { LineCounter, parseDocument } = require('yaml') as typeof Yaml;
  const lines = new LineCounter();
  // Pretty errors quote the source, and with it perhaps a secret.
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines });
  const wrong = document.errors[0];
  if (wrong !== undefined) {
    const what = wrong.code === 'DUPLICATE_KEY' ? 'a key is there twice' : `it is not valid YAML (${wrong.code})`;
    return { found: new Map(), problems: [{ subject: `${path}, line ${lines.linePos(wrong.pos[0]).line}`, message: what }] };
  }
  let root: unknown;
  try {
    root = document.toJS();
  } catch {
    return { found: new Map(), problems: [{ subject: `settings file ${path}`, message: 'has too many aliases' }] };
  }
  const found = new Map<string, Found>();
  const problems: Problem[] = [];
  if (isMap(root)) walk(root, [], path, found, problems);
  else if (root !== null && root !== undefined) problems.push({ subject: `settings file ${path}`, message: 'must be a map of settings' });
  return { found, problems };
}

function walk(
  node: Readonly<Record<string, unknown>>,
  above: readonly string[],
  path: string,
  found: Map<string, Found>,
  problems: Problem[],
): void {
  for (const [name, value] of Object.entries(node)) {
    const names = [...above, name];
    const key = keyOf(names);
    const subject = `${path}: ${names.join('.')}`;
    const isGroup = isMap(value) && leadsSomewhere(names);
    if (key !== undefined && !(isGroup && BY_KEY.get(key)?.kind.repeatable !== true)) {
      const before = found.get(key);
      if (value === null) problems.push({ subject, message: 'has no value; leave the line out to have the default' });
      else if (before?.source.from === 'file') problems.push({ subject, message: `is also said as ${before.source.name}` });
      else found.set(key, { value, source: { from: 'file', name: names.join('.'), path } });
    } else if (isGroup) {
      walk(value, names, path, found, problems);
    } else {
      const near = nearest(joined(names), BY_KEY.keys()) ?? nearest(name, BY_KEY.keys());
      problems.push({ subject, message: `there is no such setting${near === undefined ? '' : `; did you mean ${near}?`}` });
    }
  }
}

function keyOf(names: readonly string[]): string | undefined {
  const whole = joined(names);
  if (BY_KEY.has(whole)) return whole;
  const rest = names.length > 1 && Object.hasOwn(CONCERNS, names[0] ?? '') ? joined(names.slice(1)) : '';
  return BY_KEY.has(rest) ? rest : undefined;
}

/** `kafka.tls` is the beginning of `kafkaTlsCaFile`; `kakfa` is the beginning of nothing. */
function leadsSomewhere(names: readonly string[]): boolean {
  if (names.length === 1 && Object.hasOwn(CONCERNS, names[0] ?? '')) return true;
  const starts = [joined(names), joined(names.slice(1))].filter((start) => start !== '');
  return [...BY_KEY.keys()].some((key) => starts.some((start) => key.startsWith(start) && /^[A-Z]/.test(key.slice(start.length))));
}

function joined(names: readonly string[]): string {
  return names.map((name, at) => (at === 0 ? name : name.charAt(0).toUpperCase() + name.slice(1))).join('');
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
