import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { arrayLiteral, binaryArray, type ElementType } from '../../src/postgres/binary-array.ts';
import { freshDatabase } from './database.ts';

const { database } = await freshDatabase({ schema: false });

const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0') && value.isWellFormed());
const VALUES: Readonly<Record<Exclude<ElementType, 'jsonb'>, fc.Arbitrary<unknown>>> = {
  uuid: fc.uuid(),
  int8: fc.oneof(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.maxSafeInteger().map(String),
    fc.bigInt(0n, 2n ** 63n - 1n).map(String),
  ),
  int4: fc.integer(),
  text,
  bool: fc.boolean(),
  timestamptz: fc.integer({ min: Date.parse('0001-01-01'), max: Date.parse('9999-12-31') }),
};

for (const [type, values] of Object.entries(VALUES) as [Exclude<ElementType, 'jsonb'>, fc.Arbitrary<unknown>][]) {
  test(`A1 exact: ${type}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(values), { maxLength: 20 }), async (given) => {
        const shown = type === 'timestamptz' ? '(extract(epoch FROM v) * 1000)::bigint::text' : 'v::text';
        const rows = await database.query<{ v: string | null }>(
          `SELECT ${shown} AS v FROM unnest($1::${type}[]) WITH ORDINALITY AS t(v, n) ORDER BY n`,
          [binaryArray(type, given)],
        );
        assert.deepEqual(
          rows.map(({ v }) => v),
          given.map((value) => (value === null ? null : `${value as string | number | bigint | boolean}`)),
        );
      }),
      { numRuns: 50 },
    );
  });
}

test('A1 exact: jsonb is what the bytes say, and their order of fields does not matter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(fc.jsonValue({ noUnicodeString: false })), { maxLength: 10 }), async (given) => {
      const usable = given.filter(
        (value) => !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(value)) && !/e\+?\d{3}/.test(JSON.stringify(value)),
      );
      const rows = await database.query<{ v: unknown }>('SELECT v FROM unnest($1::jsonb[]) WITH ORDINALITY AS t(v, n) ORDER BY n', [
        binaryArray(
          'jsonb',
          usable.map((value) => (value === null ? null : Buffer.from(JSON.stringify(value)))),
        ),
      ]);
      assert.deepEqual(
        rows.map(({ v }) => v),
        JSON.parse(JSON.stringify(usable)),
      );
    }),
    { numRuns: 50 },
  );
});

test('A1 exact: lists of text become text[]', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 8 }), async (items) => {
      const [row] = await database.query<{ v: string[] }>('SELECT v::text[] AS v FROM unnest($1::text[]) AS t(v)', [
        binaryArray('text', [arrayLiteral(items)]),
      ]);
      assert.deepEqual(row?.v, items);
    }),
    { numRuns: 100 },
  );
});

const WRONG: readonly (readonly [ElementType, unknown])[] = [
  ['uuid', 'calico-node'],
  ['uuid', '00000000-0000-4000-8000-00000000000g'],
  ['int8', '9223372036854775808'],
  ['int8', 'abc'],
  ['int8', 1.5],
  ['int4', 2 ** 31],
  ['int4', 0.5],
  ['timestamptz', Number.NaN],
];
test('A2 refuses: what does not fit its type throws', () => {
  for (const [type, value] of WRONG) assert.throws(() => binaryArray(type, [value]), `${type} ${String(value)}`);
});
