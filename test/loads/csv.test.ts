import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CsvParser, type CsvRow } from '../../src/loads/csv.ts';

function parse(...pieces: string[]): CsvRow[] {
  const parser = new CsvParser();
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
}
const fields = (text: string): (readonly string[])[] => parse(text).map((row) => row.fields);

test('V1 pieces: how the text is cut changes nothing', () => {
  const letters = fc.array(fc.constantFrom('a', 'ü', ',', '"', '\n', '\r', ' ', '"",', '"a\nb"'), { maxLength: 30 });
  fc.assert(
    fc.property(letters, fc.nat(), (parts, cut) => {
      const text = parts.join('');
      const at = text.length === 0 ? 0 : cut % text.length;
      const outcome = (...pieces: string[]): unknown => {
        try {
          return parse(...pieces);
        } catch (error) {
          return (error as Error).message;
        }
      };
      assert.deepEqual(outcome(text.slice(0, at), text.slice(at)), outcome(text));
    }),
  );
});

test('V2 exact: whatever the fields hold, what was written is what is read', () => {
  const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;
  const row = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), fc.constantFrom('\n', '\r\n'), (rows, end) => {
      const text = rows.map((one) => one.map(quoted).join(',') + end).join('');
      assert.deepEqual(fields(text), rows);
    }),
  );
  assert.deepEqual(fields('a, b ,\n,,\n"x, ""y""\nz",1\r\n\nlast'), [['a', ' b ', ''], ['', '', ''], ['x, "y"\nz', '1'], ['last']]);
});

test('V3 refuses: a quote in the wrong place is an error with its line', () => {
  assert.throws(() => parse('a,b\nc,d"e\n'), /line 2: a quote within a field/);
  assert.throws(() => parse('a\n"b"c\n'), /line 2: there is text behind a quoted field/);
  assert.throws(() => parse('a\n"b\nc'), /line 2: a quoted field is not closed/);
  assert.deepEqual(
    parse('a\n"b\nc"\nd\n').map(({ line }) => line),
    [1, 2, 4],
  );
});
