/** The oracle of the guarantees, put to the test itself. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectedChanges } from './expected.ts';
import type { Recorded, Witness } from './recorder.ts';

const one = (type: Recorded['type'], uid: string, rv: number, name = uid): Recorded => ({
  type,
  uid,
  resourceVersion: String(rv),
  namespace: 'ns',
  name,
});

const witness = (events: Recorded[], resource = 'pods'): Witness => ({
  resource,
  from: '10',
  initial: [one('ADDED', 'A', 3), one('ADDED', 'B', 5), one('ADDED', 'C', 7)],
  events,
});

const EVENTS = [
  one('MODIFIED', 'A', 11),
  one('ADDED', 'D', 20),
  one('MODIFIED', 'A', 21),
  one('MODIFIED', 'A', 22),
  one('DELETED', 'B', 23),
  one('ADDED', 'B2', 24, 'B'),
  one('DELETED', 'C', 25),
  one('ADDED', 'E', 26),
  one('DELETED', 'E', 27),
  one('MODIFIED', 'D', 31),
];

describe('the oracle', () => {
  it('without a gap: every change, with its own resourceVersion', () => {
    assert.deepEqual(expectedChanges(witness(EVENTS), []), [
      'A 11 u',
      'D 20 c',
      'A 21 u',
      'A 22 u',
      'B 23 d',
      'B2 24 c',
      'C 25 d',
      'E 26 c',
      'E 27 d',
      'D 31 u',
    ]);
  });

  it('in a gap: the net difference; a deletion is known by its successor or by the end of the list', () => {
    assert.deepEqual(expectedChanges(witness(EVENTS), [{ from: 12n, to: 30n }]).toSorted(), [
      'A 11 u',
      'A 22 u',
      'B 24 d',
      'B2 24 c',
      'C 30 d',
      'D 20 c',
      'D 31 u',
    ]);
  });

  it('two gaps: what lies between them is expected as it was', () => {
    const expected = expectedChanges(witness(EVENTS), [
      { from: 26n, to: 40n },
      { from: 20n, to: 22n },
    ]);
    assert.deepEqual(expected.toSorted(), ['A 11 u', 'A 22 u', 'B 23 d', 'B2 24 c', 'C 25 d', 'D 20 c', 'D 31 u', 'E 26 c', 'E 40 d']);
  });

  it('of Events, neither a deletion nor its absence is a change', () => {
    assert.deepEqual(expectedChanges(witness([one('DELETED', 'A', 11), one('DELETED', 'B', 21)], 'events'), [{ from: 20n, to: 30n }]), []);
  });
});
