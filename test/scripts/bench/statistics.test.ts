import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, spreadOf } from '../../../scripts/bench/statistics.ts';

test('a percentile is a value that occurred', () => {
  const values = [5, 1, 4, 2, 3];
  assert.equal(percentile(values, 0.5), 3);
  assert.equal(percentile(values, 0.99), 5);
  assert.equal(percentile(values, 1), 5);
  assert.equal(percentile(values, 0), 1);
  assert.equal(percentile([7], 0.5), 7);
  assert.deepEqual(values, [5, 1, 4, 2, 3], 'the values are left as they are');
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 0.5), 50);
});

test('a spread leaves out what was not to be had', () => {
  assert.deepEqual(spreadOf([3, null, 1, 2]), { min: 1, median: 2, max: 3, runs: [3, 1, 2] });
  assert.deepEqual(spreadOf([1, 2]), { min: 1, median: 1.5, max: 2, runs: [1, 2] });
  assert.equal(spreadOf([null]), null);
  assert.equal(spreadOf([]), null);
});
