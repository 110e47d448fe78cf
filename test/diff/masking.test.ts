import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesOf } from '../../src/diff/difference.ts';
import { shownSides, withoutSecrets } from '../../src/diff/masking.ts';

const CANARY = 'correct-horse-battery-staple';
const secret = (value: unknown): object => ({ kind: 'Secret', metadata: { name: 's' }, data: { password: value, same: '1' } });

test('M1 nothing shown: that a value changed is visible, the value is not', () => {
  const [difference] = differencesOf(secret(CANARY), secret('other'));
  assert.ok(difference);
  assert.deepEqual(shownSides(difference), { before: '*** (before)', after: '*** (after)' });
  const [gone] = differencesOf(secret(CANARY), { ...secret(CANARY), data: { same: '1' } });
  assert.ok(gone);
  assert.deepEqual(shownSides(gone), { before: '*** (before)', after: undefined });
});

test('M1 nothing shown: Secrets within what came or went have their keys only', () => {
  const embedded = {
    spec: { manifests: [secret(CANARY), { kind: 'SecretList', items: [secret(CANARY)] }, { kind: 'Secret', stringData: CANARY }] },
  };
  const [difference] = differencesOf({}, embedded);
  assert.ok(difference);
  assert.deepEqual(shownSides(difference), {
    before: undefined,
    after: {
      manifests: [
        { kind: 'Secret', metadata: { name: 's' }, data: { password: '***', same: '***' } },
        { kind: 'SecretList', items: '***' },
        { kind: 'Secret', stringData: '***' },
      ],
    },
  });
});

test('M1 nothing shown: an applied configuration may embed a Secret', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret(CANARY)), 'example.org/note': 'shown' };
  assert.deepEqual(withoutSecrets({ metadata: { annotations } }), {
    metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '***', 'example.org/note': 'shown' } },
  });
});

test('M2 fail closed: what lies too deep to be looked through is masked as a whole', () => {
  let deep: unknown = secret(CANARY);
  for (let at = 0; at < 100_000; at += 1) deep = { deep };
  assert.ok(!JSON.stringify(withoutSecrets(deep)).includes(CANARY));
});
