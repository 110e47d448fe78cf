import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foundWhere } from '../../src/past/found-where.ts';
import { nearestNames } from '../../src/past/nearest-names.ts';

const named = (name: string, deletedAtMs: number | null = null) => ({ namespace: 'shop', name, deletedAtMs });

test('names that begin alike come first, those that are there before those that were', () => {
  const names = [named('cart-1'), named('checkout-7d9f-a', 1), named('checkout-7d9f-b'), named('my-checkout'), named('chekout')];
  assert.deepEqual(
    nearestNames('checkout', names).map(({ name }) => name),
    ['checkout-7d9f-b', 'checkout-7d9f-a', 'my-checkout'],
  );
  assert.deepEqual(
    nearestNames('crat-1', names).map(({ name }) => name),
    ['cart-1'],
  );
  assert.deepEqual(nearestNames('zzzzzz', names), []);
});

test('where a text was found: name, labels as people write them, images; in any case', () => {
  const object = { name: 'Checkout', labels: { app: 'checkout', tier: 'web' }, images: ['r/checkout:v42', 'r/proxy:v1', 'r/checkout:v42'] };
  assert.deepEqual(foundWhere(object, 'CHECK'), ['name', 'label app=checkout', 'image r/checkout:v42']);
  assert.deepEqual(foundWhere(object, 'tier=w'), ['label tier=web']);
});
