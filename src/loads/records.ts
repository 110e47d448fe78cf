/**
 * A file's records, in order: each line of NDJSON as it is, each row of CSV as an object of its header's names.
 *   in    the file's bytes, in pieces
 *   out   records with their line, as JSON text; then the digest of all bytes
 * Invariants (test/loads/records.test.ts):
 *   R1 whole    what is not a record is an error with its line; nothing is skipped but empty lines
 *   R2 bounded  one piece and one record are held at a time
 */
import { createHash } from 'node:crypto';
import { KubetapeError } from '../events/errors.ts';
import { CsvParser, type CsvRow } from './csv.ts';

export type Format = 'csv' | 'ndjson';

export interface LoadRecord {
  readonly line: number;
  readonly value: Buffer;
}

/** What a topic takes, less what a record adds. */
const MAX_RECORD_BYTES = 8 * 1024 * 1024 - 64 * 1024;
const NEWLINE = 0x0a;

export function formatOf(file: string): Format {
  if (/\.csv$/i.test(file)) return 'csv';
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson';
  throw new KubetapeError('CONFIG_INVALID', `${file}: the name of a file to load ends in .csv, .ndjson or .jsonl`);
}

/** @param digested called at the end, with the SHA-256 of all bytes (hex) */
export async function* recordsOf(
  pieces: AsyncIterable<Buffer>,
  format: Format,
  digested: (sha256: string) => void,
): AsyncGenerator<LoadRecord> {
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      hash.update(piece);
      yield piece;
    }
  }
  yield* format === 'csv' ? rowsOf(hashed()) : linesOf(hashed());
  digested(hash.digest('hex'));
}

async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<LoadRecord> {
  let line = 1;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const whole = (tail: Buffer): LoadRecord | null => {
    const bytes = rest.length === 0 ? tail : Buffer.concat([...rest, tail]);
    [rest, restBytes] = [[], 0];
    return lineOf(line === 1 ? withoutMark(bytes) : bytes, line);
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, from)) {
      const record = whole(piece.subarray(from, at));
      if (record !== null) yield record;
      line += 1;
      from = at + 1;
    }
    if (from < piece.length) rest.push(piece.subarray(from));
    restBytes += piece.length - from;
    if (restBytes > MAX_RECORD_BYTES) throw tooLarge(line);
  }
  const last = whole(Buffer.alloc(0));
  if (last !== null) yield last;
}

function lineOf(bytes: Buffer, line: number): LoadRecord | null {
  if (bytes.length > MAX_RECORD_BYTES) throw tooLarge(line);
  const text = decoded(bytes, line);
  if (text.trim() === '') return null;
  try {
    JSON.parse(text);
  } catch {
    // The parser's own words quote the line.
    throw invalid(`line ${line} is not JSON`);
  }
  return { line, value: bytes };
}

async function* rowsOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<LoadRecord> {
  const parser = new CsvParser();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let names: readonly string[] | null = null;
  const recordOf = (row: CsvRow): LoadRecord | null => {
    if (names === null) {
      names = headerOf(row);
      return null;
    }
    if (row.fields.length !== names.length)
      throw invalid(`line ${row.line} has ${row.fields.length} fields, the header has ${names.length}`);
    const value = Buffer.from(JSON.stringify(Object.fromEntries(names.map((name, at) => [name, row.fields[at]]))));
    if (value.length > MAX_RECORD_BYTES) throw tooLarge(row.line);
    return { line: row.line, value };
  };
  const parsed = (parse: () => CsvRow[]): CsvRow[] => {
    try {
      return parse();
    } catch (error) {
      throw invalid(error instanceof SyntaxError ? error.message : 'the file is not UTF-8');
    }
  };
  for await (const piece of pieces) {
    for (const row of parsed(() => parser.push(decoder.decode(piece, { stream: true })))) {
      const record = recordOf(row);
      if (record !== null) yield record;
    }
    if (parser.pending > MAX_RECORD_BYTES) throw invalid('a row is larger than a topic takes; is a quote not closed?');
  }
  for (const row of parsed(() => [...parser.push(decoder.decode()), ...parser.end()])) {
    const record = recordOf(row);
    if (record !== null) yield record;
  }
}

function headerOf({ fields }: CsvRow): readonly string[] {
  if (fields.some((name) => name === '')) throw invalid('the first line names the columns, and one of them has no name');
  const twice = fields.find((name, at) => fields.indexOf(name) !== at);
  if (twice !== undefined) throw invalid('the first line names a column twice');
  return fields;
}

function decoded(bytes: Buffer, line: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(`line ${line} is not UTF-8`);
  }
}

/** Some editors begin a file with a byte order mark. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function tooLarge(line: number): KubetapeError {
  return invalid(`line ${line} is larger than a topic takes (8 MiB)`);
}

function invalid(message: string): KubetapeError {
  return new KubetapeError('RECORD_INVALID', message, { hint: 'Nothing of the file was loaded. Mend the line and load it again.' });
}
