/** Cutting managedFields out of a line before it is parsed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { trimLine } from '../../src/kubernetes/trim.ts';

type Json = { [field: string]: unknown };

const contents = fc.dictionary(
  fc.oneof(fc.constant('f:spec'), fc.constant('k:{"name":"a]}\\"b"}'), fc.constant('fieldsV1'), fc.string()),
  fc.oneof(fc.constant({}), fc.constant({ 'f:x': { '.': {} } }), fc.constant({ fieldsV1: { a: {} } })),
  { maxKeys: 4 },
);
const manager = fc.record(
  {
    manager: fc.string(),
    operation: fc.constant('Update'),
    time: fc.constant('2026-01-01T00:00:00Z'),
    fieldsV1: contents,
    subresource: fc.constant('status'),
  },
  { requiredKeys: ['manager'] },
);
const managers = fc.array(manager, { maxLength: 4 });
/** Anything, with the words that the search looks for in all the wrong places. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant('"managedFields":[{"fieldsV1":{}}]'),
  fc.constant('{"metadata":{"managedFields":[{"manager":"x","fieldsV1":{"a":{}}}]}}'),
  managers.map((managedFields) => ({ managedFields })),
  managers.map((managedFields) => ({ template: { metadata: { managedFields } } })),
);
const metadata = fc.record(
  { annotations: anything, name: fc.string(), managedFields: fc.oneof(managers, fc.constant(null)), ownerReferences: anything },
  { requiredKeys: ['name'] },
);
const object = fc.record({ before: anything, kind: fc.constant('Pod'), metadata, spec: anything }, { requiredKeys: ['kind', 'metadata'] });
const line = fc.record({ type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED'), object }).map((event) => JSON.stringify(event));

const parsed = (text: string): { object: Json } => JSON.parse(text) as { object: Json };
const without = (whole: Json): Json => {
  const copy = structuredClone(whole);
  delete (copy['metadata'] as Json)['managedFields'];
  return copy;
};

test('T1 equal: where it fits, the trimmed line and the bytes mean the whole line but for managedFields', () => {
  let fitted = 0;
  fc.assert(
    fc.property(line, (text) => {
      const whole = parsed(text).object;
      const trimmed = trimLine(Buffer.from(text));
      if (trimmed === null) return;
      const event = parsed(trimmed.text);
      if (!trimmed.fits(event)) return;
      const { object } = event;
      fitted += 1;
      assert.deepEqual(without(object), without(whole));
      const bytes = trimmed.objectBytes();
      if (bytes !== null) assert.equal(bytes.toString('utf8'), JSON.stringify(without(whole)));
      const managersOf = (one: Json): Json[] =>
        (one['metadata'] as { managedFields: Json[] }).managedFields.map((entry) => ({ ...entry, fieldsV1: 0 }));
      assert.deepEqual(managersOf(object), managersOf(whole), 'who and when are left');
    }),
    { numRuns: 3_000 },
  );
  assert.ok(fitted > 300, `${fitted} lines were trimmed`);
});

test('T2 honest: what was cut elsewhere does not fit', () => {
  const managedFields = [{ manager: 'a', fieldsV1: { 'f:x': {} } }];
  for (const object of [
    { template: { metadata: { managedFields } }, metadata: { name: 'x' } },
    { template: { metadata: { managedFields } }, metadata: { name: 'x', managedFields } },
    { template: { metadata: { managedFields } }, metadata: { name: 'x', managedFields: 'none' } },
    { template: { metadata: { managedFields } } },
  ]) {
    const trimmed = trimLine(Buffer.from(JSON.stringify({ type: 'ADDED', object })));
    assert.ok(trimmed !== null);
    assert.equal(trimmed.fits(parsed(trimmed.text)), false);
  }
});

test('T1 equal: no bytes where they cannot be told from the rest', () => {
  const managedFields = [{ manager: 'a', fieldsV1: { 'f:x': {} } }];
  const object = { kind: 'Pod', metadata: { name: 'x', managedFields } };
  const bytesOf = (text: string | Buffer): string | null => {
    const trimmed = trimLine(Buffer.from(text));
    return trimmed !== null && trimmed.fits(parsed(trimmed.text)) ? (trimmed.objectBytes()?.toString() ?? null) : null;
  };
  assert.equal(bytesOf(JSON.stringify({ type: 'ADDED', object })), '{"kind":"Pod","metadata":{"name":"x"}}');
  assert.equal(bytesOf(JSON.stringify({ object, type: 'ADDED' })), null, 'another order of the fields');
  assert.equal(bytesOf(JSON.stringify({ type: 'ADDED', object, more: 1 })), null, 'a field behind the object');
  assert.equal(bytesOf(JSON.stringify({ type: 'ADDED', object, more: {} })), null, 'an object behind the object');
  assert.equal(bytesOf(JSON.stringify({ type: 'ADDED', object: { ...object, again: { managedFields } } })), null, 'a second one');
  assert.equal(bytesOf(JSON.stringify({ type: 'ADDED', object: { metadata: { managedFields } } })), null, 'nothing beside it');
  const invalid = Buffer.from(JSON.stringify({ type: 'ADDED', object: { ...object, note: '~' } }));
  invalid[invalid.lastIndexOf('~')] = 0xff;
  assert.equal(bytesOf(invalid), null, 'no UTF-8');
});

test('a line without managedFields, or cut in the middle of them, is parsed as it is', () => {
  for (const text of [
    '{"type":"ADDED","object":{"kind":"Pod"}}',
    '{"type":"ADDED","object":{"metadata":{"managedFields":[]}}}',
    '{"type":"ADDED","object":{"metadata":{"managedFields":[{"fieldsV1":{"f:a":',
    '{"type":"ADDED","object":{"metadata":{"managedFields":[{"fieldsV1":{"f:a\\',
    '',
  ])
    assert.equal(trimLine(Buffer.from(text)), null, text);
});
