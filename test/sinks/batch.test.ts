import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBatch } from '../../src/sinks/batch.ts';
import type { SourceRecord } from '../../src/sinks/ports.ts';
import { changeValue, uidOf } from './fakes.ts';

const KINDS = ['row', 'tombstone', 'not JSON', 'not UTF-8', 'not a change', 'bad uid', 'bad version', 'other resource', 'newer'] as const;
type Kind = (typeof KINDS)[number];

const VALUES: Readonly<Record<Kind, Buffer | null>> = {
  row: changeValue({ uid: uidOf(1), resourceVersion: 5 }),
  tombstone: null,
  'not JSON': Buffer.from('{"v":1'),
  'not UTF-8': Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
  'not a change': Buffer.from('{"v":1,"op":"x"}'),
  'bad uid': changeValue({ uid: 'node-1', resourceVersion: 5 }),
  'bad version': changeValue({ uid: uidOf(1), resourceVersion: '9223372036854775808' }),
  'other resource': changeValue({ uid: uidOf(1), resourceVersion: 5, resource: 'secrets' }),
  newer: Buffer.from('{"v":2,"op":"u"}'),
};

function recordsOf(kinds: readonly Kind[], holes: readonly number[]): SourceRecord[] {
  let offset = 100;
  return kinds.map((kind, index) => {
    offset += 1 + (holes[index] ?? 0);
    return { topic: 'prod.k8s-pods', partition: 0, offset, key: null, value: VALUES[kind], timestampMs: 0, headers: {} };
  });
}

test('B1 complete, B2 stop: every record is a row, a dead letter or skipped, in order, up to the first of a newer version', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 20 }), fc.array(fc.nat(3)), (kinds, holes) => {
      const records = recordsOf(kinds, holes);
      const { batch, stop } = decodeBatch('changes', 100, records);
      const end = kinds.indexOf('newer');
      const before = end < 0 ? kinds : kinds.slice(0, end);
      const offsets = (wanted: (kind: Kind) => boolean): number[] =>
        before.flatMap((kind, index) => (wanted(kind) ? [records[index]?.offset ?? 0] : []));
      assert.deepEqual(
        batch.rows.map(({ offset }) => offset),
        offsets((kind) => kind === 'row'),
      );
      assert.deepEqual(
        batch.deadLetters.map(({ record }) => record.offset),
        offsets((kind) => kind !== 'row' && kind !== 'tombstone'),
      );
      assert.equal(stop?.code, end < 0 ? undefined : 'RECORD_NEWER');
      assert.deepEqual([batch.from, batch.to], [100, (records[before.length - 1]?.offset ?? 99) + 1]);
    }),
  );
});

test('a stray record of another resource neither names the table nor takes the good ones with it', () => {
  const { batch } = decodeBatch('changes', 0, recordsOf(['other resource', 'row', 'row'], []));
  assert.deepEqual([batch.table?.table, batch.rows.length, batch.deadLetters.length], ['pods', 2, 1]);
});

test('a deletion that nobody saw has no object and no columns', () => {
  const value = changeValue({ uid: uidOf(1), resourceVersion: 5, op: 'd', synthetic: true });
  const { batch } = decodeBatch('changes', 0, [
    { topic: 'k8s-pods', partition: 0, offset: 0, key: null, value, timestampMs: 0, headers: {} },
  ]);
  assert.deepEqual([batch.rows[0]?.object, batch.rows[0]?.columns], [null, []]);
});

test('no dead letter says what was in the record', () => {
  const value = Buffer.from('{"v":1,"op":"canary-77"}');
  const broken = Buffer.from('{"canary-77": ');
  for (const one of [value, broken]) {
    const { batch } = decodeBatch('changes', 0, [
      { topic: 'k8s-pods', partition: 0, offset: 0, key: null, value: one, timestampMs: 0, headers: {} },
    ]);
    assert.doesNotMatch(batch.deadLetters[0]?.message ?? 'canary', /canary/);
  }
});
