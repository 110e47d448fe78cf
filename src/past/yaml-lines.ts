/**
 * An object as YAML, line by line, each with the place in the object that it shows. Pure. The form is kubectl's: fields in
 * alphabetical order, lists not indented.
 *   in    any JSON value
 *   out   lines that every YAML parser, of 1.1 and of 1.2, reads as the same value
 * Invariants (test/past/yaml-lines.test.ts):
 *   Y1 same     parsed, it is the value, whatever its strings hold
 *   Y2 printed  no control character is in a line
 */

export interface YamlLine {
  readonly text: string;
  /** Field names and positions in lists, from the root. */
  readonly path: readonly (string | number)[];
}

type Fields = { readonly [field: string]: unknown };
type Place = readonly (string | number)[];

export function yamlLines(value: unknown): YamlLine[] {
  const lines: YamlLine[] = [];
  if (isFilled(value)) block(value, '', [], lines);
  else lines.push({ text: scalar(value), path: [] });
  return lines;
}

export function yamlText(value: unknown): string {
  return `${yamlLines(value)
    .map(({ text }) => text)
    .join('\n')}\n`;
}

function block(value: object, indent: string, path: Place, lines: YamlLine[]): void {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) element(item, indent, [...path, at], lines);
    return;
  }
  for (const name of Object.keys(value).toSorted(byCode)) field(name, (value as Fields)[name], indent, indent, [...path, name], lines);
}

/** @param head what stands before the name on its line: the indent, or `- ` of the list it is in */
function field(name: string, value: unknown, head: string, indent: string, path: Place, lines: YamlLine[]): void {
  const key = scalar(name);
  if (isFilled(value)) {
    lines.push({ text: `${head}${key}:`, path });
    block(value, Array.isArray(value) ? indent : `${indent}  `, path, lines);
    return;
  }
  const literal = typeof value === 'string' ? literalOf(value, `${indent}  `) : null;
  if (literal === null) lines.push({ text: `${head}${key}: ${scalar(value)}`, path });
  else lines.push({ text: `${head}${key}: ${literal.head}`, path }, ...literal.lines.map((text) => ({ text, path })));
}

function element(item: unknown, indent: string, path: Place, lines: YamlLine[]): void {
  if (isFilled(item) && !Array.isArray(item)) {
    const names = Object.keys(item).toSorted(byCode);
    for (const [at, name] of names.entries())
      field(name, (item as Fields)[name], at === 0 ? `${indent}- ` : `${indent}  `, `${indent}  `, [...path, name], lines);
    return;
  }
  if (isFilled(item)) {
    lines.push({ text: `${indent}-`, path });
    block(item, `${indent}  `, path, lines);
    return;
  }
  const literal = typeof item === 'string' ? literalOf(item, `${indent}  `) : null;
  if (literal === null) lines.push({ text: `${indent}- ${scalar(item)}`, path });
  else lines.push({ text: `${indent}- ${literal.head}`, path }, ...literal.lines.map((text) => ({ text, path })));
}

function isFilled(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text of several lines is shown as such, where nothing in it could be read as something else. */
function literalOf(text: string, indent: string): { readonly head: string; readonly lines: readonly string[] } | null {
  if (!text.includes('\n') || UNPRINTABLE.test(text.replaceAll('\n', '')) || !text.isWellFormed()) return null;
  const body = text.replace(/\n+$/, '');
  const ends = text.length - body.length;
  const parts = body.split('\n');
  if (body === '' || /^\s/.test(parts[0] ?? '') || parts.some((line) => /[ \t]$/.test(line) || line.startsWith('	'))) return null;
  const head = ends === 0 ? '|-' : ends === 1 ? '|' : '|+';
  return {
    head,
    lines: [...parts, ...Array.from({ length: Math.max(0, ends - 1) }, () => '')].map((line) => (line === '' ? '' : `${indent}${line}`)),
  };
}

/** Controls, the two line ends of Unicode, the byte order mark, what is no character, and what turns text around. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/;
/** Nothing that YAML gives a meaning to, and no number, time or switch of YAML 1.1. */
const PLAIN = /^[A-Za-z_/][\w./@+*$()~^;|<>=-]*(?:[ :][\w./@+*$()~^;|<>=-]+)*$/;
/** Addresses, uids, quantities and shares begin with a digit and are no numbers. */
const NO_NUMBER = /^\d{1,3}(\.\d{1,3}){3}$|^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$|^\d+(m|Ki|Mi|Gi|Ti|Pi|%)$/;
const WORDS = /^(y|n|yes|no|on|off|true|false|null|nan|inf|infinity)$/i;

/** A scalar, or an empty list or map. */
function scalar(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '0' : String(value).replace(/^(-?\d+)e/, '$1.0e');
  if (typeof value !== 'string') return Array.isArray(value) ? '[]' : typeof value === 'object' && value !== null ? '{}' : String(value);
  if ((PLAIN.test(value) && !WORDS.test(value)) || NO_NUMBER.test(value)) return value;
  // JSON's strings are YAML's, but for characters that may not stand there as they are.
  return JSON.stringify(value).replaceAll(/[^ -~\u00a1-\u1fff\u2010-\u2027\u2030-\u2065\u3000-\ud7ff\ud800-\udfff]/g, escaped);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
