import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingLines, NOTHING, sum, totalsOf } from '../../scripts/test/totals.ts';

const OUTPUT = `✔ a test (0.5ms)
ℹ tests 5
ℹ suites 1
ℹ pass 4
ℹ fail 1
ℹ cancelled 0
ℹ skipped 0
ℹ todo 0
ℹ duration_ms 12.5
`;

test('the closing lines of several runs are added up, in the form that the runner has', () => {
  const one = totalsOf(OUTPUT);
  assert.ok(one);
  const lines = closingLines(sum(sum(NOTHING, one), one), 25, ['test/a.test.ts']);
  assert.equal(
    lines,
    'ℹ tests 10\nℹ suites 2\nℹ pass 8\nℹ fail 2\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 25.000\n✖ test/a.test.ts\n',
  );
  assert.deepEqual(totalsOf(lines), sum(one, one));
});

test('a run that was cut off has no totals', () => {
  assert.equal(totalsOf('✔ a test (0.5ms)\nℹ tests 5\n'), null);
});
