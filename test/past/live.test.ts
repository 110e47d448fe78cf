import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeRecord, Op } from '../../src/events/change.ts';
import { changeText } from '../../src/past/change-text.ts';
import { LiveChanges } from '../../src/past/live.ts';

const record = (name: string, resourceVersion: string, replicas: number, op: Op = 'u'): ChangeRecord => ({
  v: 1,
  op,
  ts: '2026-11-20T10:00:00.000Z',
  cluster: 'c',
  source: {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    kind: 'Deployment',
    namespace: 'shop',
    name,
    uid: name,
    resourceVersion,
    epoch: 1,
    snapshot: false,
    synthetic: false,
  },
  by: { manager: 'helm', operation: 'Update', time: null },
  object: { kind: 'Deployment', metadata: { name, uid: name }, spec: { replicas } },
});

test('from the second change of an object on, what it was before is known', () => {
  const live = new LiveChanges(10);
  assert.ok(live.changeOf(record('a', '1', 1)).isFirst);
  const second = live.changeOf(record('a', '2', 2));
  assert.deepEqual([second.isFirst, changeText(second), second.by], [false, 'replicas 1 → 2', 'helm']);
  assert.equal(changeText(live.changeOf(record('a', '3', 2, 'd'))), 'deleted');
  assert.ok(live.changeOf(record('a', '4', 1, 'c')).isFirst, 'a deletion ends what is remembered');
});

test('V1 bounded: the objects that have not changed for the longest are forgotten first', () => {
  const live = new LiveChanges(2);
  for (const name of ['a', 'b', 'a', 'c']) live.changeOf(record(name, '1', 1));
  assert.deepEqual(
    ['a', 'c', 'b'].map((name) => live.changeOf(record(name, '2', 2)).isFirst),
    [false, false, true],
  );
});
