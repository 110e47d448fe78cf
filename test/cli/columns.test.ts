import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellText, columnsText } from '../../src/cli/output/columns.ts';

test("columns are three blanks apart, at least as wide as kubectl's, and nothing trails", () => {
  assert.equal(
    columnsText(
      ['A', 'NAME', 'LAST'],
      [
        ['1', 'checkout', 'x'],
        ['22', 'c', ''],
      ],
    ),
    'A     NAME       LAST\n1     checkout   x\n22    c          \n',
  );
  assert.equal(columnsText(null, [['a', 'b']]), 'a     b\n');
  assert.equal(columnsText(null, []), '');
});

test('P1 harmless: no cell can break a line or reach the terminal', () => {
  assert.equal(cellText('a\nb'), 'a...');
  assert.equal(cellText('\u001b[31mred\u0007'), '^[[31mred^G');
  assert.equal(cellText('a\u202eb\u009bc\t'), 'a\\u202eb\\u009bc^I');
});
