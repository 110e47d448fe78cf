import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockSteps } from '../../src/app/clock.ts';

test('a clock that is set is a step, once; one that runs on, or drifts, is none', () => {
  let wall = 1_000_000;
  let steady = 0;
  const look = clockSteps(
    () => wall,
    () => steady,
  );
  const pass = (ms: number, wallMs = ms): number => {
    steady += ms;
    wall += wallMs;
    return look();
  };
  assert.equal(pass(1_000), 0);
  assert.equal(pass(1_000, -3_599_000), -3_600_000);
  assert.equal(pass(1_000), 0, 'it is told once');
  assert.equal(pass(1_000, 61_000), 60_000);
  for (let hour = 0; hour < 100; hour += 1) assert.equal(pass(3_600_000, 3_600_500), 0, 'half a second in an hour');
});
