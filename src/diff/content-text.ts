/**
 * A value as one text that is the same for the same content, whatever the order of its fields. Pure. What identifies the
 * elements of lists that have no key; nobody reads it but for short scalars. Since it is part of paths, nothing of a
 * Secret is in it.
 */
import { secretFields } from './secret-fields.ts';

const MAX_DEPTH = 8;
const MAX_LENGTH = 256;

/**
 * Cut at a length and a depth: two long elements that begin alike get the same text. Whoever matches by it must tell
 * them apart by their number.
 */
export function contentText(value: unknown): string {
  if (typeof value === 'string') return value.length <= MAX_LENGTH ? value : `${value.slice(0, MAX_LENGTH)}…`;
  return compose(value, 0).slice(0, MAX_LENGTH);
}

function compose(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.slice(0, MAX_LENGTH);
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth === MAX_DEPTH) return '…';
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) {
      if (text.length > MAX_LENGTH) break;
      text += `${text === '' ? '' : ','}${compose(item, depth + 1)}`;
    }
    return `[${text}]`;
  }
  const fields = value as { readonly [field: string]: unknown };
  const hidden = secretFields(fields);
  for (const field of Object.keys(fields).sort()) {
    if (text.length > MAX_LENGTH) break;
    if (hidden?.has(field) === true) continue;
    text += `${text === '' ? '' : ','}${field}:${compose(fields[field], depth + 1)}`;
  }
  return `{${text}}`;
}
