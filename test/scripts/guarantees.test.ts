import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableOfReports } from '../../scripts/guarantees/table.ts';

test('reports become a table, in their order; what was not measured is a dash', () => {
  const one = { fault: 'broker killed', changes: 12_345, kills: 20, lost: 0, twice: 1, outOfOrder: 0, catchUpMs: 6_140, seed: 7 };
  const two = { ...one, fault: 'none', changes: 5, twice: 0, catchUpMs: 0, seed: 0 };
  assert.equal(
    tableOfReports(`${JSON.stringify(one)}\n${JSON.stringify(two)}\n`),
    [
      'FAULT          CHANGES  INJECTED  LOST  TWICE  OUT OF ORDER  LONGEST CATCH-UP  SEED',
      'broker killed   12,345        20     0      1             0             6.1 s     7',
      'none                 5        20     0      0             0                 -     -',
      '',
    ].join('\n'),
  );
});
