import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mask, masked } from '../../src/config/mask.ts';

test('M1 nothing of a secret is in the text, be the value right or wrong', () => {
  // Letters that occur in none of the fixed parts.
  const hush = fc
    .string({ unit: fc.constantFrom('X', 'Z', '7', '@', '/', '#', '?', ':', '%', ' ', '&'), minLength: 6, maxLength: 20 })
    .filter((text) => (text.match(/[XZ7]/g) ?? []).length >= 4);
  fc.assert(
    fc.property(hush, (password) => {
      for (const url of [
        `postgres://me:${password}@host/db`,
        `postgres://host/db?password=${encodeURIComponent(password)}`,
        `me:${password}`,
      ]) {
        const shown = mask({ secret: 'url' }, url);
        assert.ok(!shown.includes(password) && !/[XZ7]{3}/.test(shown), `${url} → ${shown}`);
      }
      assert.equal(mask({ secret: 'all' }, password), '***');
      assert.equal(mask({ secret: 'map' }, password), '***');
      assert.equal(mask({ secret: 'map' }, [`sasl.password=${password}`]), '***');
    }),
  );
});

test('what is no secret stays readable', () => {
  assert.equal(
    masked({ secret: 'url' }, 'postgres://me:pw@[::1]:5432/db?sslmode=require'),
    'postgres://me:***@[::1]:5432/db?sslmode=require',
  );
  assert.equal(masked({ secret: 'url' }, 'postgres://me@host/db'), 'postgres://me@host/db');
  assert.deepEqual(
    masked(
      { secret: 'map' },
      { 'linger.ms': '5', 'sasl.password': 'x', 'ssl.key.pem': 'x', 'ssl.key.location': '/k', 'sasl.oauthbearer.client.secret': 'x' },
    ),
    {
      'linger.ms': '5',
      'sasl.password': '***',
      'ssl.key.pem': '***',
      'ssl.key.location': '/k',
      'sasl.oauthbearer.client.secret': '***',
    },
  );
});
