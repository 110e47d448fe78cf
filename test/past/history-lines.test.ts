import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyLines, linesOf } from '../../src/past/history-lines.ts';
import { change, T0 } from './versions.ts';

const web = (replicas: number, generation = 1) => ({
  kind: 'Deployment',
  metadata: { uid: 'a', name: 'web', generation },
  spec: { replicas },
});
const created = change(null, web(1), { op: 'c', changedAtMs: T0 + 10_000 });
const scaled = change(web(1), web(2), { changedAtMs: T0 + 30_000 });
const silent = change(web(2), web(2, 2), { changedAtMs: T0 + 40_000 });
const gap = (fromS: number, toS: number) => ({
  resource: 'deployments',
  namespace: '',
  cause: 'expired',
  fromMs: T0 + fromS * 1000,
  toMs: T0 + toS * 1000,
});

test('H1 complete: every version of interest is a line, the others are counted', () => {
  const { lines, hidden } = historyLines([silent, scaled, created], [], 'interest');
  assert.deepEqual(
    lines.map(({ text }) => text),
    ['replicas 1 → 2', 'created: replicas 1'],
  );
  assert.equal(hidden, 1);
  assert.equal(historyLines([silent, scaled, created], [], 'all').lines.length, 3);
});

test('H1 complete: asked for what somebody wanted, the status is left out', () => {
  const ready = change({ ...web(2), status: { readyReplicas: 1 } }, { ...web(2), status: { readyReplicas: 2 } });
  assert.deepEqual(historyLines([ready, scaled, created], [], 'spec'), { ...historyLines([scaled, created], [], 'spec'), hidden: 1 });
});

test('H2 gaps: one is drawn where it lies, and none before the first thing that is known', () => {
  const { lines } = historyLines([scaled, created], [gap(20, 30), gap(0, 5)], 'interest');
  assert.deepEqual(
    lines.map(({ kind, text }) => `${kind}: ${text.slice(0, 22)}`),
    ['change: replicas 1 → 2', 'gap: not watched for 10s (t', 'change: created: replicas 1'],
  );
  assert.deepEqual(historyLines([], [gap(20, 30)], 'interest').lines, []);
  // Of all objects together, each gap is a line.
  assert.equal(linesOf([], [gap(0, 5)], 'interest').lines.length, 1);
});
