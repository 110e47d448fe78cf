import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Batcher, type BatchBounds } from '../../src/flow/batcher.ts';

const bounds = fc.record({
  maxItems: fc.integer({ min: 1, max: 20 }),
  maxBytes: fc.integer({ min: 1, max: 500 }),
  maxWaitMs: fc.integer({ min: 0, max: 100 }),
});
const step = fc.oneof(
  fc.record({ push: fc.integer({ min: 0, max: 200 }) }),
  fc.record({ wait: fc.integer({ min: 0, max: 60 }) }),
  fc.constant({ take: true as const }),
);

/** The obvious batcher: a list. */
function run(
  given: BatchBounds,
  steps: readonly ({ push: number } | { wait: number } | { take: true })[],
  check: (state: State) => void,
): void {
  const batcher = new Batcher<number>(given);
  const state: State = { batcher, pending: [], left: [], taken: [], nowMs: 0, pushed: 0 };
  for (const one of steps) {
    if ('wait' in one) state.nowMs += one.wait;
    else if ('push' in one) {
      batcher.push(state.pushed, one.push, state.nowMs);
      state.pending.push({ item: state.pushed, bytes: one.push, atMs: state.nowMs });
      state.pushed += 1;
    } else {
      const batch = batcher.take();
      state.taken.push(batch);
      state.left.push(...batch.items);
      state.pending.splice(0, batch.items.length);
    }
    check(state);
  }
}

interface State {
  readonly batcher: Batcher<number>;
  readonly pending: { item: number; bytes: number; atMs: number }[];
  readonly left: number[];
  readonly taken: { readonly items: number[]; readonly bytes: number }[];
  nowMs: number;
  pushed: number;
}

const always = (check: (state: State, given: BatchBounds) => void): void =>
  fc.assert(fc.property(bounds, fc.array(step, { maxLength: 80 }), (given, steps) => run(given, steps, (state) => check(state, given))));

test('B1 order: items leave in the order they came', () => {
  always(({ left }) =>
    assert.deepEqual(
      left,
      left.map((_, index) => index),
    ),
  );
});

test('B2 bounded: no batch exceeds its bounds, unless it is one item', () => {
  always(({ taken }, { maxItems, maxBytes }) => {
    for (const { items, bytes } of taken) assert.ok(items.length <= maxItems && (bytes <= maxBytes || items.length === 1));
  });
});

test('B3 due: exactly when it is full, or its oldest item has waited', () => {
  always(({ batcher, pending, nowMs }, { maxItems, maxBytes, maxWaitMs }) => {
    const bytes = pending.reduce((sum, one) => sum + one.bytes, 0);
    const [oldest] = pending;
    const due = oldest !== undefined && (pending.length >= maxItems || bytes >= maxBytes || nowMs - oldest.atMs >= maxWaitMs);
    assert.equal(batcher.due(nowMs), due);
  });
});

test('B4 conservation: every item, and its bytes, is in one batch or pending', () => {
  always(({ batcher, pending, left, pushed }) => {
    assert.equal(left.length + batcher.items, pushed);
    assert.equal(
      batcher.bytes,
      pending.reduce((sum, one) => sum + one.bytes, 0),
    );
    assert.equal(batcher.oldest, pending[0]?.item);
    assert.equal(batcher.newest, pending.at(-1)?.item);
  });
});

test('B4 conservation: also where very many pass through', () => {
  const batcher = new Batcher<number>({ maxItems: 7, maxBytes: 1e9, maxWaitMs: 0 });
  let next = 0;
  for (let item = 0; item < 20_000; item += 1) {
    batcher.push(item, 1, 0);
    if (item % 5 === 0) for (const one of batcher.take().items) assert.equal(one, next++);
  }
  while (batcher.items > 0) for (const one of batcher.take().items) assert.equal(one, next++);
  assert.equal(next, 20_000);
});
