/** Reading what may not be there, or may be something else: an object's fields without a single assumption. Pure. */
import { isObject, type Fields } from './difference.ts';

const NONE: Fields = {};

/** @returns the value if it is an object, else an empty one */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : NONE;
}

/** The object at the end of a path of fields. The names must not be ones that every object has. */
export function fieldsAt(value: unknown, ...names: readonly string[]): Fields {
  let at: unknown = value;
  for (const name of names) at = fieldsOf(at)[name];
  return fieldsOf(at);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text with something in it. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The element of a list with this name. */
export function namedIn(list: unknown, name: string): Fields | undefined {
  const found = listOf(list).find((element) => fieldsOf(element)['name'] === name);
  return found === undefined ? undefined : fieldsOf(found);
}
