import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessages } from '../../src/sinks/messages.ts';
import type { SourceRecord } from '../../src/sinks/ports.ts';

function record(offset: number, value: string | Buffer | null, key: string | Buffer | null = null): SourceRecord {
  const bytes = (part: string | Buffer | null): Buffer | null => (part === null ? null : Buffer.from(part));
  return { topic: 'demo', partition: 1, offset, key: bytes(key), value: bytes(value), timestampMs: 1000 + offset, headers: {} };
}

test('N1 complete: every record is a row or a dead letter, and the batch ends behind the last', () => {
  const batch = decodeMessages(3, [
    record(3, '{"a":1}', 'k'),
    record(5, null, 'gone'),
    record(6, 'hunter2'),
    record(7, Buffer.from([0xff])),
    record(8, '1', Buffer.from([0xff])),
    record(9, '"ü"'),
  ]);
  assert.deepEqual([batch.from, batch.to, batch.topic, batch.partition], [3, 10, 'demo', 1]);
  assert.deepEqual(
    batch.messages?.map(({ offset, key, value, recordedAtMs }) => [offset, key, value?.toString() ?? null, recordedAtMs]),
    [
      [3, 'k', '{"a":1}', 1003],
      [5, 'gone', null, 1005],
      [9, null, '"ü"', 1009],
    ],
  );
  assert.deepEqual(
    batch.deadLetters.map(({ record: { offset }, code, message }) => [offset, code, message]),
    [
      [6, 'RECORD_INVALID', 'the value is not JSON'],
      [7, 'RECORD_INVALID', 'the value is not UTF-8'],
      [8, 'RECORD_INVALID', 'the key is not UTF-8'],
    ],
  );
});

test("N2 verbatim: a value's bytes are the record's own", () => {
  const one = record(0, '{ "b" : 1.0, "a" : 2 }');
  assert.equal(decodeMessages(0, [one]).messages?.[0]?.value, one.value);
});
