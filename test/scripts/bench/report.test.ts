/** How measurements are shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratioLine, ratiosOf, rowsOf, tableOf, type Report } from '../../../scripts/bench/report.ts';

const REPORT: Report = {
  bench: 'example',
  about: 'an example',
  parameters: {},
  columns: [
    { key: 'rate', title: 'a second', digits: 0 },
    { key: 'cpu', title: 'CPU', digits: 2 },
  ],
  samples: [
    { subject: 'ours', values: { rate: 900, cpu: 0.5 } },
    { subject: 'limit', values: { rate: 1000 } },
    { subject: 'ours', values: { rate: 1100, cpu: null } },
    { subject: 'ours', values: { rate: 1000, cpu: 0.25 } },
    { subject: 'limit', values: { rate: 4000 } },
  ],
  ratios: [
    { title: 'ours to limit', key: 'rate', of: 'ours', to: 'limit', target: { atLeast: 0.9 } },
    { title: 'cost', key: 'cpu', of: 'ours', to: 'limit' },
    { title: 'to nobody', key: 'rate', of: 'ours', to: 'nobody', target: { atLeast: 1 } },
  ],
  notes: [],
};

test('T1 complete: every subject has a row and every column a cell, a dash where nothing was measured', () => {
  assert.deepEqual(
    rowsOf(REPORT).map(({ subject, values }) => [subject, values['rate']?.median, values['cpu']?.median]),
    [
      ['ours', 1000, 0.375],
      ['limit', 2500, undefined],
    ],
  );
  assert.equal(
    tableOf(REPORT),
    [
      '|       |            a second |              CPU |',
      '|-------|--------------------:|-----------------:|',
      '| ours  |   1,000 (900–1,100) | 0.38 (0.25–0.50) |',
      '| limit | 2,500 (1,000–4,000) |                – |',
    ].join('\n'),
  );
});

test('T2 ratio: of the medians, and met or not; null where one of the two was not measured', () => {
  const ratios = ratiosOf(REPORT);
  assert.deepEqual(
    ratios.map(({ value, met }) => [value, met]),
    [
      [0.4, false],
      [null, null],
      [null, null],
    ],
  );
  assert.deepEqual(ratios.map(ratioLine), [
    'ours to limit: 0.40 (wanted: at least 0.9) ✗',
    'cost: not measured',
    'to nobody: not measured',
  ]);
});
