import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCode } from '../../src/events/errors.ts';
import { watchOf } from '../../src/sinks/watch-row.ts';

const CHECKPOINT = { v: 1, resourceVersion: '90', epoch: 2, scope: '', ts: '2026-11-20T14:00:00.000Z' };
const of = (checkpoint: unknown, key = 'prod/pods') => watchOf(key, Buffer.from(JSON.stringify(checkpoint)));

test('a checkpoint is the row of its watch; older ones do not say since when', () => {
  const atMs = Date.parse(CHECKPOINT.ts);
  const common = { cluster: 'prod', resource: 'pods', resourceVersion: '90', epoch: 2, seenMs: atMs };
  assert.deepEqual(of(CHECKPOINT), { ...common, namespace: '', sinceMs: atMs, unwatchedMs: 0 });
  assert.deepEqual(of({ ...CHECKPOINT, since: '2026-11-20T13:00:00.000Z', unwatchedMs: 70 }, 'prod/pods/shop'), {
    ...common,
    namespace: 'shop',
    sinceMs: atMs - 3_600_000,
    unwatchedMs: 70,
  });
});

test('what is no checkpoint is said to be none, and why', () => {
  const wrong: readonly [unknown, string?][] = [
    [null],
    [[]],
    [{ ...CHECKPOINT, resourceVersion: 'x' }],
    [{ ...CHECKPOINT, epoch: '2' }],
    [{ ...CHECKPOINT, ts: 'yesterday' }],
    [{ ...CHECKPOINT, since: 'long ago' }],
    [{ ...CHECKPOINT, unwatchedMs: '5' }],
    [CHECKPOINT, 'prod'],
  ];
  for (const [checkpoint, key] of wrong) {
    assert.throws(
      () => of(checkpoint, key),
      (error: unknown) => isCode(error, 'RECORD_INVALID'),
      JSON.stringify(checkpoint),
    );
  }
  assert.throws(() => watchOf('prod/pods', Buffer.from('{"v":1')), /not valid JSON/);
  assert.throws(
    () => of({ v: 2 }),
    (error: unknown) => isCode(error, 'RECORD_NEWER'),
  );
});
