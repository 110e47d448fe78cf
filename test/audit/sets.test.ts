import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driftOf, hashOf, lasting } from '../../src/audit/sets.ts';

const object = (name: string, resourceVersion: string, uid = `uid-${name}`) => ({ namespace: 'shop', name, uid, resourceVersion });
const recorded = (name: string, resourceVersion: string, uid?: string) => ({ ...object(name, resourceVersion, uid), epoch: 2 });

test('A1 equal: the order does not matter, each version does', () => {
  const set = [object('a', '5'), object('b', '7')];
  assert.equal(hashOf(set), hashOf(set.toReversed()));
  assert.deepEqual(driftOf('table', set, [recorded('b', '7'), recorded('a', '5')]), []);
  assert.notEqual(hashOf(set), hashOf([object('a', '5'), object('b', '8')]));
  assert.notEqual(hashOf(set), hashOf([object('a', '5')]));
});

test('A2 whole: every object in which they differ is named once, and how', () => {
  const cluster = [object('same', '5'), object('missing', '6'), object('older', '10'), object('newer', '9'), object('again', '12', 'new')];
  const table = [
    recorded('same', '5'),
    recorded('older', '9'),
    recorded('newer', '10'),
    recorded('gone', '3'),
    recorded('again', '4', 'old'),
  ];
  const drift = driftOf('table', cluster, table);
  assert.deepEqual(
    drift.map(({ is, uid, actual, recorded: has, epoch }) => [is, uid, actual, has, epoch]),
    [
      ['missing', 'uid-missing', '6', null, null],
      ['older', 'uid-older', '10', '9', 2],
      ['newer', 'uid-newer', '9', '10', 2],
      ['missing', 'new', '12', null, null],
      ['gone', 'uid-gone', null, '3', 2],
      ['gone', 'old', null, '4', 2],
    ],
  );
});

test('A3 lasting: what changes meanwhile, or has arrived meanwhile, is no drift', () => {
  const first = driftOf('table', [object('a', '5'), object('b', '6'), object('c', '7')], [recorded('c', '6')]);
  const last = driftOf('table', [object('a', '5'), object('b', '8'), object('c', '7')], [recorded('c', '6'), recorded('d', '1')]);
  assert.deepEqual(
    lasting(first, last).map(({ uid }) => uid),
    ['uid-a', 'uid-c'],
  );
  const inState = driftOf('state', [object('a', '5')], []);
  assert.deepEqual(lasting(inState, driftOf('table', [object('a', '5')], [])), [], 'one side is not the other');
});
