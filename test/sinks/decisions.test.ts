import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ERROR_CODES, KubetapeError, type ErrorCode } from '../../src/events/errors.ts';
import { pausedOf } from '../../src/sinks/budget.ts';
import { remedyOf, startOf } from '../../src/sinks/decisions.ts';
import { lagOf } from '../../src/sinks/lag.ts';

const AT = { topic: 'k8s-pods', partition: 3 };
const stored = (nextOffset: number, topicId: string | null = null) => ({ ...AT, nextOffset, topicId });

test('D1 no silent jump: a position that the log does not hold is refused, any other is resumed as it is', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.nat(250), (low, length, nextOffset) => {
      const start = startOf(AT, stored(nextOffset), { low, high: low + length }, null);
      const held = nextOffset >= low && nextOffset <= low + length;
      assert.deepEqual(start.do === 'resume' ? start.offset : start.do, held ? nextOffset : 'refuse');
      if (start.do === 'refuse')
        assert.match(start.error.hint, new RegExp(`SET next_offset = ${low}, topic_id = NULL WHERE topic = 'k8s-pods' AND partition = 3`));
    }),
  );
});

test('D1 no silent jump: nothing stored begins with the oldest; another topic of the same name is refused; its id is learnt', () => {
  const held = { low: 5, high: 9 };
  assert.deepEqual(startOf(AT, null, held, 'a'), { do: 'initialise', position: stored(5, 'a') });
  assert.equal(startOf(AT, stored(6, 'a'), held, 'b').do, 'refuse');
  assert.deepEqual(startOf(AT, stored(6, 'a'), held, 'a'), { do: 'resume', offset: 6 });
  assert.deepEqual(startOf(AT, stored(6, 'a'), held, null), { do: 'resume', offset: 6 });
  assert.deepEqual(startOf(AT, stored(6), held, 'a'), { do: 'initialise', position: stored(6, 'a') });
});

const REMEDIES: Readonly<Record<ErrorCode, string>> = {
  ...(Object.fromEntries(Object.entries(ERROR_CODES).map(([code, { retryable }]) => [code, retryable ? 'wait' : 'stop'])) as Record<
    ErrorCode,
    string
  >),
  OFFSET_FENCED: 'reposition',
  ROW_REJECTED: 'halve',
};

test('D2 total: every error has one remedy', () => {
  for (const [code, remedy] of Object.entries(REMEDIES) as [ErrorCode, string][]) {
    assert.equal(remedyOf(new KubetapeError(code, 'x'), 8, 1, () => 0.5).do, remedy, code);
  }
  const rejected = new KubetapeError('ROW_REJECTED', 'x');
  assert.equal(remedyOf(rejected, 1, 1, () => 0.5).do, 'bury');
  assert.equal(remedyOf(rejected, 0, 1, () => 0.5).do, 'stop', 'a dead letter is not a record that could be halved');
});

const loads = fc.array(fc.option(fc.nat(1_000)), { maxLength: 12 }).map((all) => all.map((bytes, index) => ({ key: `p${index}`, bytes })));

test('M1 bounded, M2 fair, M3 steady', () => {
  fc.assert(
    fc.property(loads, fc.integer({ min: 1, max: 5_000 }), fc.array(fc.nat(11)), (all, budget, before) => {
      const paused = pausedOf(all, budget, new Set(before.map((index) => `p${index}`)));
      const share = budget / Math.max(1, all.length);
      let fetched = 0;
      for (const { key, bytes } of all) {
        if (bytes === null || bytes >= share) assert.ok(paused.has(key));
        else if (bytes < share / 2) assert.ok(!paused.has(key));
        else assert.equal(paused.has(key), before.includes(Number(key.slice(1))));
        if (!paused.has(key)) fetched += bytes ?? 0;
      }
      assert.ok(fetched <= budget);
    }),
  );
});

test('lag: markers behind the last record are none; what was not read to its end is', () => {
  const look = { high: 10, position: 9, end: 0, idle: true };
  assert.equal(lagOf(look), 1);
  assert.equal(lagOf({ ...look, end: 10 }), 0);
  assert.equal(lagOf({ ...look, end: 10, idle: false }), 1);
  assert.equal(lagOf({ ...look, high: 12, end: 10 }), 2);
  assert.equal(lagOf({ ...look, high: 12 }), 3);
});
