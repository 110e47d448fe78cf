import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/flow/backoff.ts';

const settings = fc.record({ baseMs: fc.integer({ min: 1, max: 10_000 }), capMs: fc.integer({ min: 1, max: 600_000 }) });
const attempts = fc.integer({ min: 1, max: 5_000 });

test('W1 bounded: within half and all of what is due, and never over the cap', () => {
  fc.assert(
    fc.property(settings, attempts, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (backoff, attempt, random) => {
      const due = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 40));
      const ms = backoffMs(backoff, attempt, () => random);
      assert.ok(Number.isInteger(ms) && ms >= Math.floor(due / 2) && ms <= due, `${ms} of ${due}`);
    }),
  );
});

test('W2 grows: with the same draw it never shrinks', () => {
  fc.assert(
    fc.property(settings, attempts, (backoff, attempt) => {
      assert.ok(backoffMs(backoff, attempt + 1, () => 0.5) >= backoffMs(backoff, attempt, () => 0.5));
    }),
  );
});
