/**
 * Values as they are said within a line. Pure.
 * Invariants (test/diff/words.test.ts):
 *   T1 one line  no control character, no line break, nothing that turns a terminal's text around
 *   T2 short     never longer than asked for, and no half of a surrogate pair at the cut
 */
import { isObject } from '../difference.ts';

/** Longest value that is shown in full. */
export const SHORT = 48;

/** Control characters, line and paragraph separators, the marks that change the direction of text, the byte order mark. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\s]+/g;

export function oneLine(text: string): string {
  return text.replaceAll(UNPRINTABLE, ' ').trim();
}

export function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text.isWellFormed() ? text : text.toWellFormed();
  const kept = text.slice(0, Math.max(0, maxLength - 1));
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`.toWellFormed();
}

/** Long text is cut before it is looked at: only its beginning is wanted. */
export function said(text: string, maxLength: number): string {
  return cut(oneLine(text.length > 4 * maxLength ? text.slice(0, 4 * maxLength) : text), maxLength);
}

/** @returns undefined where the value is too long to be said in full, or a composite */
export function short(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value === '') return '""';
    if (value.length > SHORT) return undefined;
    if (oneLine(value) === value && value.isWellFormed()) return value;
    // What differs only in what is not printed must not look the same.
    const quoted = JSON.stringify(value);
    return quoted.length <= SHORT ? oneLine(quoted) : undefined;
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) {
    if (value.length > 8) return undefined;
    const items = value.map((item) => (typeof item === 'object' ? undefined : short(item)));
    const text = `[${items.join(', ')}]`;
    return items.includes(undefined) || text.length > SHORT ? undefined : text;
  }
  return undefined;
}

/** `a → b`, or `changed` where either is too long. */
export function arrow(before: unknown, after: unknown): string {
  const sizes = [bytesOf(before), bytesOf(after)];
  if (isRedacted(before) || isRedacted(after)) return sizes.includes(undefined) ? 'changed' : `(${sizes[0]} → ${sizes[1]} bytes)`;
  const [from, to] = [short(before), short(after)];
  return from === undefined || to === undefined || from === to ? 'changed' : `${from} → ${to}`;
}

/** What stands in the place of a value that was redacted. */
export function isRedacted(value: unknown): boolean {
  return isObject(value) && value['redacted'] === true;
}

/** Of a redacted value or of a text. */
export function bytesOf(value: unknown): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isObject(value) && value['redacted'] === true && typeof value['bytes'] === 'number') return value['bytes'];
  return undefined;
}

/** `a, b, c and 4 more` */
export function listed(items: readonly string[], max = 4): string {
  const shown = items.length <= max + 1 ? items : items.slice(0, max);
  const rest = items.length - shown.length;
  return `${shown.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
}

/** A name from the outside: of a key, a label, a container. */
export function nameText(name: string): string {
  return said(name, 64);
}
