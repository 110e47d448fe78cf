/**
 * Who set each line: the version in which each part of an object came to be what it is. Pure.
 *   in    the versions of one object, the oldest first
 *   out   its newest state as YAML, each line with the version that set it
 * Invariants (test/past/blame.test.ts):
 *   B1 last     a line's version is the last in which its value became another; elements of lists are followed by their key
 *   B2 bounded  what was there when the record begins has the first version, and says so
 *   B3 masked   nothing of a Secret is in a line
 */
import { isObject, type Fields } from '../diff/difference.ts';
import { identify, keyingOf } from '../diff/merge-keys.ts';
import { sameValue } from '../diff/same-value.ts';
import type { Version } from './ports.ts';
import { recordedObject } from './manifest.ts';
import { yamlLines } from './yaml-lines.ts';

export interface BlamedLine {
  readonly text: string;
  readonly version: Version;
  /** It may be older than the version: nothing before that is recorded. */
  readonly atBoundary: boolean;
}

/** Of a value: who set it, and who set its parts. */
interface Blame {
  readonly version: Version;
  readonly parts: ReadonlyMap<string | number, Blame> | null;
}

const MAX_DEPTH = 100;

export function blameLines(versions: readonly Version[]): BlamedLine[] {
  let blame: Blame | null = null;
  let before: unknown;
  let newest: Version | undefined;
  for (const version of versions) {
    if (version.object === null) continue;
    blame = blame === null ? all(version.object, version, 0) : merged(before, blame, version.object, version, '', 0);
    before = version.object;
    newest = version;
  }
  if (blame === null || newest?.object == null) return [];
  const root = blame;
  const first = versions[0];
  return yamlLines(recordedObject(newest.object)).map(({ text, path }) => {
    const { version } = at(root, path);
    return { text, version, atBoundary: version === first && version.op !== 'c' };
  });
}

function all(value: unknown, version: Version, depth: number): Blame {
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return { version, parts: null };
  const parts = Array.isArray(value) ? value.entries() : Object.entries(value);
  return { version, parts: new Map([...parts].map(([name, inner]) => [name, all(inner, version, depth + 1)])) };
}

function merged(before: unknown, blame: Blame, after: unknown, version: Version, field: string, depth: number): Blame {
  if (sameValue(before, after)) return blame;
  if (depth === MAX_DEPTH) return { version, parts: null };
  if (Array.isArray(before) && Array.isArray(after)) return mergedList(before, blame, after, version, field, depth);
  // A redacted value is one value: its length and its HMAC say the same thing twice.
  if (isRedacted(before) || isRedacted(after)) return all(after, version, depth);
  if (isObject(before) && isObject(after)) return mergedFields(before, blame, after, version, depth);
  return all(after, version, depth);
}

function isRedacted(value: unknown): boolean {
  return isObject(value) && value['redacted'] === true;
}

/** The map itself was there already: its line stays with whoever made it. */
function mergedFields(before: Fields, blame: Blame, after: Fields, version: Version, depth: number): Blame {
  const parts = Object.entries(after).map(([name, value]): [string, Blame] => {
    const old = Object.hasOwn(before, name) ? blame.parts?.get(name) : undefined;
    return [name, old === undefined ? all(value, version, depth + 1) : merged(before[name], old, value, version, name, depth + 1)];
  });
  return { version: blame.version, parts: new Map(parts) };
}

function mergedList(
  before: readonly unknown[],
  blame: Blame,
  after: readonly unknown[],
  version: Version,
  field: string,
  depth: number,
): Blame {
  const keying = keyingOf(field, before, after);
  const places = new Map(identify(before, keying).map((id, place) => [id, place]));
  const parts = identify(after, keying).map((id, place): [number, Blame] => {
    const was = places.get(id);
    const old = was === undefined ? undefined : blame.parts?.get(was);
    const value = after[place];
    return [
      place,
      was === undefined || old === undefined ? all(value, version, depth + 1) : merged(before[was], old, value, version, '', depth + 1),
    ];
  });
  return { version: blame.version, parts: new Map(parts) };
}

function at(root: Blame, path: readonly (string | number)[]): Blame {
  let blame = root;
  for (const segment of path) {
    const next = blame.parts?.get(segment);
    if (next === undefined) break;
    blame = next;
  }
  return blame;
}
