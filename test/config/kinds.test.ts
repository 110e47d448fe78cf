import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes, formatBytes, int, list, map, mapValue, port, toggle } from '../../src/config/kinds.ts';
import { nearest } from '../../src/config/nearest.ts';

test('sizes are read in every usual spelling', () => {
  const size = bytes(1, 2 ** 40);
  for (const [text, value] of [
    ['64MiB', 2 ** 26],
    ['64Mi', 2 ** 26],
    ['1.5 KiB', 1536],
    ['2kB', 2000],
    ['4194304', 4_194_304],
    ['1g', 1e9],
  ] as const) {
    assert.equal(size.read(text)?.value, value, text);
  }
  for (const text of ['', 'MiB', '1 TiBB', '-1', '1e3', 'x1']) assert.equal(size.read(text), null, text);
  assert.equal(size.read(4096)?.value, 4096);
});

test('a size that is printed is read as the same size', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (value) => bytes(1, 2 ** 40).read(formatBytes(value))?.value === value));
});

test('numbers are whole and nothing else', () => {
  assert.equal(int(-1, 9).read('-1')?.value, -1);
  for (const raw of ['', ' ', '1.5', '0x1', '1e1', 'NaN', true, null, [], '10'])
    assert.equal(int(-1, 9).read(raw), null, JSON.stringify(raw));
});

test('switches and ports know their words', () => {
  for (const raw of ['true', 'yes', 'ON', '1', true]) assert.equal(toggle().read(raw)?.value, true);
  for (const raw of ['false', 'no', 'Off', '0', false]) assert.equal(toggle().read(raw)?.value, false);
  assert.equal(toggle().read('maybe'), null);
  // YAML 1.1 tools write `off` as false.
  for (const raw of ['off', false, '-1', -1]) assert.equal(port().read(raw)?.value, -1);
});

test('lists divide at commas and lines, but not within brackets, and lose nothing', () => {
  const rules = list('rules', /^./, 'rules');
  assert.deepEqual(rules.read('a:x["p,q"].y, b:z\nc:[*]')?.value, ['a:x["p,q"].y', 'b:z', 'c:[*]']);
  assert.deepEqual(rules.read(['a,b', 'c'])?.value, ['a', 'b', 'c']);
  assert.deepEqual(rules.read('a[b,c')?.value, ['a[b,c']);
  assert.deepEqual(rules.read('')?.value, []);
});

test('maps come as pairs, as JSON, as YAML; repeated flags keep the commas of their values', () => {
  const numbers = map(mapValue.int(1, 99), 'k=n', /^[a-z]+$/, 'pairs');
  assert.deepEqual(numbers.read('pods=12, events=6')?.value, { pods: 12, events: 6 });
  assert.deepEqual(numbers.read('{"pods":12}')?.value, { pods: 12 });
  assert.deepEqual(numbers.read({ pods: 12 })?.value, { pods: 12 });
  assert.deepEqual(map(mapValue.text, 'k=v', /./, 'pairs').read(['a=b,c=d', 'e='])?.value, { a: 'b,c=d', e: '' });
  for (const raw of ['pods', 'pods=x', '=1', 'PODS=1', '{', ['pods']]) assert.equal(numbers.read(raw), null, JSON.stringify(raw));
});

test('a mistyped name finds the nearest, and only when it is near', () => {
  const names = ['kafkaBrokers', 'batchMaxRows', 'batchMaxBytes'];
  assert.equal(nearest('kafkaBrokes', names), 'kafkaBrokers');
  assert.equal(nearest('kafkaborkers', names), 'kafkaBrokers');
  assert.equal(nearest('batchMaxRow', names), 'batchMaxRows');
  assert.equal(nearest('zzz', names), undefined);
});
