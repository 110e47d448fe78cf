import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wavesOf } from '../../src/postgres/waves.ts';
import { decodeBatch } from '../../src/sinks/batch.ts';
import type { Row } from '../../src/sinks/ports.ts';
import { changeValue, uidOf } from '../sinks/fakes.ts';

const rows = fc
  .array(
    fc.record({
      object: fc.integer({ min: 1, max: 3 }),
      version: fc.integer({ min: 1, max: 9 }),
      epoch: fc.constantFrom(1, 2),
      unseen: fc.boolean(),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map(
    (given) =>
      decodeBatch(
        'changes',
        0,
        given.map(({ object, version, epoch, unseen }, offset) => ({
          topic: 'k8s-pods',
          partition: 0,
          offset,
          key: null,
          timestampMs: 0,
          headers: {},
          value: changeValue({ uid: uidOf(object), resourceVersion: version, epoch, op: unseen ? 'd' : 'u', synthetic: unseen }),
        })),
      ).batch.rows,
  );
const versionOf = ({ epoch, resourceVersion }: Row): number => epoch * 100 + Number(resourceVersion);

test('W1 rising: per object the versions rise through all waves, and nothing that is newer is dropped', () => {
  fc.assert(
    fc.property(rows, (given) => {
      const written = wavesOf(given).flatMap((wave) => [...wave.rows]);
      for (const uid of new Set(given.map((row) => row.uid))) {
        let newest = 0;
        const expected = given.filter((row) => row.uid === uid && versionOf(row) > newest && (newest = versionOf(row)) > 0);
        assert.deepEqual(
          written.filter((row) => row.uid === uid),
          expected,
        );
      }
    }),
  );
});

test('W2 one last: exactly the newest row of each object in a wave', () => {
  fc.assert(
    fc.property(rows, (given) => {
      for (const wave of wavesOf(given)) {
        const lasts = wave.rows.filter((_, at) => wave.last[at] === true);
        const newest = new Map(wave.rows.map((row) => [row.uid, row]));
        assert.deepEqual(new Set(lasts), new Set(newest.values()));
      }
    }),
  );
});

test('W3 kept: a deletion without a last state is alone with its object in its wave, or the first', () => {
  fc.assert(
    fc.property(rows, (given) => {
      for (const wave of wavesOf(given)) {
        wave.rows.forEach((row, at) => {
          if (row.object === null) assert.ok(!wave.rows.slice(0, at).some(({ uid }) => uid === row.uid));
        });
      }
    }),
  );
});
