/**
 * Records of any topic whose values are JSON: each becomes a row as it is. Pure.
 * Invariants (test/sinks/messages.test.ts):
 *   N1 complete  every record is a row or a dead letter; tombstones are rows without a value
 *   N2 verbatim  a value's bytes go to Postgres as they are, which decides what JSON it takes
 */
import { KubetapeError } from '../events/errors.ts';
import type { DeadLetter, MessageRow, SourceRecord, StoreBatch } from './ports.ts';

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** @param from the offset that the store expects next */
export function decodeMessages(from: number, records: readonly SourceRecord[]): StoreBatch {
  const [first] = records;
  if (first === undefined) throw new RangeError('a batch has at least one record');
  const { topic, partition } = first;
  const messages: MessageRow[] = [];
  const deadLetters: DeadLetter[] = [];
  let to = from;
  for (const record of records) {
    try {
      messages.push(messageOf(record));
    } catch (error) {
      if (!(error instanceof KubetapeError)) throw error;
      deadLetters.push({ record, code: error.code, sqlstate: null, message: error.message });
    }
    to = record.offset + 1;
  }
  return { topic, partition, from, to, table: null, rows: [], facts: [], watches: [], messages, deadLetters };
}

function messageOf({ offset, key, value, timestampMs }: SourceRecord): MessageRow {
  if (value !== null) checkJson(value);
  return { offset, key: key === null ? null : textOf(key, 'key'), value, recordedAtMs: timestampMs };
}

function checkJson(value: Buffer): void {
  try {
    JSON.parse(textOf(value, 'value'));
  } catch (error) {
    if (error instanceof KubetapeError) throw error;
    // The parser's own words quote the value.
    throw new KubetapeError('RECORD_INVALID', 'the value is not JSON');
  }
}

function textOf(bytes: Buffer, what: string): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw new KubetapeError('RECORD_INVALID', `the ${what} is not UTF-8`);
  }
}
