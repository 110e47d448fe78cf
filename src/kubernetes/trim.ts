/**
 * Takes managedFields out of an object's JSON before it is parsed: close to half of a pod's bytes and of the work to parse
 * them, of which only who wrote, and when, is of use. Pure.
 *   in    a line of a watch
 *   out   the same line in which each `fieldsV1` of managedFields is the number 0; and, as bytes, the object without
 *         managedFields, just as it was sent otherwise
 * The bytes are searched, not parsed, so both are only a proposal: whoever has parsed the trimmed line asks
 * {@link TrimmedLine.fits} whether what was cut was metadata.managedFields and nothing else, and parses the whole line if not.
 * Invariants (test/kubernetes/trim.test.ts):
 *   T1 equal   where it fits, the trimmed line means the whole one but for managedFields; so do the object's bytes
 *   T2 honest  whatever was cut elsewhere does not fit
 */
import { isUtf8 } from 'node:buffer';

export interface TrimmedLine {
  /** The line as it is to be parsed. */
  readonly text: string;
  /** @param event what the trimmed text says: {type, object} and nothing else */
  fits(event: Json): boolean;
  /** The object's own bytes without managedFields; null where they cannot be told from the rest. */
  objectBytes(): Buffer | null;
}

type Json = { readonly [field: string]: unknown };

const FIELD = Buffer.from('managedFields":[');
const CONTENTS = Buffer.from('"fieldsV1":{');
const HEADS = ['ADDED', 'MODIFIED', 'DELETED'].map((type) => Buffer.from(`{"type":"${type}","object":`));

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** @returns null where there is nothing to cut: the line is parsed as it is */
export function trimLine(line: Buffer): TrimmedLine | null {
  const name = line.indexOf(FIELD) - 1;
  if (name < 0 || line[name] !== QUOTE) return null;
  const cuts: number[] = [];
  const end = findEnd(line, name + FIELD.length, cuts);
  if (end < 0 || cuts.length === 0) return null;
  return {
    text: textOf(line, cuts),
    fits: (event) => fits(event, cuts.length / 2),
    objectBytes: () => bytesOf(line, name, end),
  };
}

/**
 * @param at the opening bracket of the array
 * @param cuts is given the beginning and the end of each entry's fieldsV1
 * @returns where the array has ended; -1 where it does not
 */
function findEnd(line: Buffer, at: number, cuts: number[]): number {
  let depth = 0;
  let from = -1;
  for (let i = at; i < line.length; i += 1) {
    switch (line[i]) {
      case QUOTE:
        // A key of an entry: entries are the objects in the array.
        if (depth === 2 && from < 0 && line[i + 1] === 0x66 && startsWith(line, CONTENTS, i)) {
          i += CONTENTS.length - 1;
          from = i;
          depth += 1;
          break;
        }
        for (i += 1; i < line.length && line[i] !== QUOTE; i += 1) if (line[i] === BACKSLASH) i += 1;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth += 1;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        if (depth === 2 && from >= 0) {
          cuts.push(from, i + 1);
          from = -1;
        }
        if (depth === 0) return i + 1;
        break;
    }
  }
  return -1;
}

function startsWith(line: Buffer, word: Buffer, at: number): boolean {
  return line.compare(word, 0, word.length, at, at + word.length) === 0;
}

function textOf(line: Buffer, cuts: readonly number[]): string {
  let text = '';
  let from = 0;
  for (let at = 0; at < cuts.length; at += 2) {
    text += `${line.toString('utf8', from, cuts[at])}0`;
    from = cuts[at + 1] ?? line.length;
  }
  return text + line.toString('utf8', from);
}

/** A zero in place of an object is what no API server sends: as many of them there as were cut are all of them. */
function fits(event: Json, cuts: number): boolean {
  const { metadata } = (event['object'] ?? {}) as { metadata?: { managedFields?: unknown } | null };
  const managedFields = metadata?.managedFields;
  if (!Array.isArray(managedFields) || Object.keys(event).length !== 2) return false;
  let zeros = 0;
  for (const entry of managedFields as (Json | null)[]) if (entry?.['fieldsV1'] === 0) zeros += 1;
  return zeros === cuts;
}

/** @param name where the field's name begins, and `end` where its array has ended */
function bytesOf(line: Buffer, name: number, end: number): Buffer | null {
  const head = HEADS.find((one) => startsWith(line, one, 0));
  // `}}` ends the object and the event, which has no third field.
  if (head === undefined || line[line.length - 1] !== CLOSE_OBJECT || line[line.length - 2] !== CLOSE_OBJECT) return null;
  // A second one could be what the parser took for the first.
  if (line.indexOf(FIELD, end) >= 0 || !isUtf8(line)) return null;
  let [from, to] = [name, end];
  if (line[from - 1] === COMMA) from -= 1;
  else if (line[to] === COMMA) to += 1;
  else return null;
  const out = Buffer.allocUnsafe(line.length - 1 - head.length - (to - from));
  line.copy(out, line.copy(out, 0, head.length, from), to, line.length - 1);
  return out;
}
