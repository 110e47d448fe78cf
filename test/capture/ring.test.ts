import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Ring } from '../../src/capture/ring.ts';

const entry = (id: number, bytes = 10) => ({ id, records: 1, bytes });

describe('ring', () => {
  it('Q1 order, Q3 whole: whatever the bounds of the batches, entries leave once and in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 100 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 300 }),
        (sizes, maxRecords, maxBytes) => {
          const ring = new Ring<ReturnType<typeof entry>>(1e6, 1e9);
          const left: number[] = [];
          sizes.forEach((bytes, id) => {
            void ring.put(entry(id, bytes));
            if (id % 3 === 0) left.push(...ring.take(maxRecords, maxBytes).map((one) => one.id));
          });
          for (let batch = ring.take(maxRecords, maxBytes); batch.length > 0; batch = ring.take(maxRecords, maxBytes)) {
            assert.ok(batch.length <= maxRecords);
            assert.ok(batch.length === 1 || batch.reduce((sum, { bytes }) => sum + bytes, 0) <= maxBytes);
            left.push(...batch.map((one) => one.id));
          }
          assert.deepEqual(
            left,
            sizes.map((_, id) => id),
          );
          assert.deepEqual([ring.records, ring.bytes], [0, 0]);
        },
      ),
    );
  });

  it('Q2 bounded: a full ring makes whoever puts wait, until there is room', async () => {
    const ring = new Ring<ReturnType<typeof entry>>(2, 1e9);
    assert.equal(ring.put(entry(1)), undefined);
    const room = ring.put(entry(2));
    assert.ok(room instanceof Promise);
    let passed = false;
    void room.then(() => (passed = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(passed, false);
    ring.take(1, 1e9);
    await room;
  });

  it('Q2 bounded: bytes count as well, and one entry larger than all of it passes', () => {
    const ring = new Ring<ReturnType<typeof entry>>(100, 50);
    assert.ok(ring.put(entry(1, 500)) instanceof Promise);
    assert.equal(ring.take(10, 50).length, 1);
    assert.equal(ring.put(entry(2, 10)), undefined);
  });

  it('closing lets everybody go', async () => {
    const ring = new Ring<ReturnType<typeof entry>>(1, 10);
    const room = ring.put(entry(1));
    const reached = ring.reached(5, 100, Number.POSITIVE_INFINITY);
    ring.close();
    await Promise.all([room, reached]);
  });
});
