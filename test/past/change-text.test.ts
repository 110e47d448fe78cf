import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeText, isStatusOnly } from '../../src/past/change-text.ts';
import { gapText } from '../../src/past/gap-text.ts';
import { change, T0 } from './versions.ts';

const pod = (replicas: number, phase = 'Running') => ({
  kind: 'Deployment',
  metadata: { uid: 'a', name: 'web' },
  spec: { replicas },
  status: { phase },
});

test('C1 honest: creations, updates and deletions, told by what is known', () => {
  assert.equal(changeText(change(pod(1), pod(2))), 'replicas 1 → 2');
  assert.equal(changeText(change(null, pod(1), { op: 'c' })), 'created: replicas 1, Running');
  assert.equal(changeText(change(null, pod(1), { op: 'r' })), 'first seen: replicas 1, Running');
  assert.equal(changeText(change(pod(1), pod(1), { op: 'd' })), 'deleted (was Running)');
  assert.equal(changeText(change(pod(1), pod(1))), '');
});

test('C1 honest: what the record does not tell is not made up', () => {
  assert.equal(changeText(change(null, pod(1))), 'changed; the version before is not kept any more');
  assert.equal(changeText(change(pod(1), null, { op: 'd', synthetic: true })), 'deleted (was Running) while nobody watched');
  assert.equal(changeText(change(null, null, { op: 'd', synthetic: true })), 'deleted while nobody watched');
  // It had left the scope and is seen again: what it was before is no version of now.
  assert.equal(
    changeText({ ...change(pod(1), pod(2), { op: 'r' }), before: { op: 'd', object: pod(1) } }),
    'first seen: replicas 2, Running',
  );
});

test('status only: nobody has wanted anything else', () => {
  assert.ok(isStatusOnly(change(pod(1), pod(1, 'Failed'))));
  assert.ok(!isStatusOnly(change(pod(1), pod(2, 'Failed'))));
  assert.ok(!isStatusOnly(change(null, pod(1), { op: 'c' })));
  assert.ok(!isStatusOnly(change(pod(1), pod(1), { op: 'd' })));
});

test('a gap says how long, why, and what that means', () => {
  const gap = { resource: 'pods', namespace: '', cause: 'expired', fromMs: T0, toMs: T0 + 41_000 };
  assert.equal(gapText(gap), 'not watched for 41s (the API server had forgotten what happened): changes are known by their net effect');
  assert.equal(gapText({ ...gap, cause: 'silent' }), 'nothing is known of the last 41s: no collector has been heard since');
  assert.match(gapText({ ...gap, cause: 'of-another-version' }), /\(of-another-version\)/);
});
