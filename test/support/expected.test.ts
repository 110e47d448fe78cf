/** The oracle of the guarantees, put to the test itself. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaints, restoredComplaints, type Said } from './expected.ts';
import type { Recorded, Witness } from './witness.ts';

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

const ALL = ['A 11 u', 'D 20 c', 'A 21 u', 'A 22 u', 'B 23 d', 'B2 24 c', 'C 25 d', 'E 26 c', 'E 27 d', 'D 31 u'];
const GAP = [{ from: 12n, to: 30n }];
const NET = ['A 11 u', 'A 22 u', 'B 24 d', 'B2 24 c', 'D 20 c', 'C 30 d', 'D 31 u'];

function said(...lines: string[]): Said[] {
  return lines.map((line) => {
    const [uid = '', rv = '', op = ''] = line.split(' ');
    return { uid, rv, op };
  });
}

const without = (lines: readonly string[], ...gone: string[]): string[] => lines.filter((line) => !gone.includes(line));

describe('the oracle', () => {
  it('without a gap: every change, with its own resourceVersion, and no other', () => {
    assert.deepEqual(complaints(witness(EVENTS), [], said(...ALL)), []);
    assert.deepEqual(complaints(witness(EVENTS), [], said(...without(ALL, 'A 21 u'))), ['missing A 21 u']);
    assert.deepEqual(complaints(witness(EVENTS), [], said(...ALL, 'A 28 u')), ['too much A 28 u']);
  });

  it('what was said before the witness looked is not in question', () => {
    assert.deepEqual(complaints(witness([]), [], said('A 3 r', 'Z 9 d')), []);
  });

  it('in a gap: the net difference; a deletion is known by its successor or by the end of the list', () => {
    assert.deepEqual(complaints(witness(EVENTS), GAP, said(...NET)), []);
    assert.deepEqual(complaints(witness(EVENTS), GAP, said(...without(NET, 'B 24 d'), 'B 30 d')), []);
    for (const line of NET) assert.equal(complaints(witness(EVENTS), GAP, said(...without(NET, line))).length, 1, line);
  });

  it('in a gap: versions on the way are welcome when they are true, and what came of them is told', () => {
    assert.deepEqual(complaints(witness(EVENTS), GAP, said('A 21 u', ...NET)), []);
    assert.deepEqual(complaints(witness(EVENTS), GAP, said('E 26 c', ...NET, 'E 30 d')), []);
    assert.deepEqual(complaints(witness(EVENTS), GAP, said('E 26 c', ...NET)), ['gap: missing deletion of E']);
    assert.deepEqual(complaints(witness(EVENTS), GAP, said('A 23 u', ...NET)), ['gap: untrue A 23 u']);
    assert.deepEqual(complaints(witness(EVENTS), GAP, said(...without(NET, 'C 30 d'), 'C 28 d')), ['gap: untrue C 28 d']);
    assert.deepEqual(complaints(witness(EVENTS), GAP, said(...without(NET, 'D 20 c'), 'D 20 u')), ['gap: untrue D 20 u']);
  });

  it('of Events, neither a deletion nor its absence is a change', () => {
    const events = witness([one('DELETED', 'A', 11), one('DELETED', 'B', 21)], 'events');
    assert.deepEqual(complaints(events, [{ from: 20n, to: 30n }], []), []);
    assert.deepEqual(complaints(events, [], said('A 11 d')), ['too much A 11 d']);
  });

  it('in the epoch of a restored etcd: all that is there, the end of all that is not, and what came then', () => {
    const before = new Set(['A', 'B', 'X']);
    const all = ['A 22 r', 'B2 24 r', 'D 20 r', 'B 24 d', 'X 30 d', 'D 31 u'];
    assert.deepEqual(restoredComplaints(witness(EVENTS), 30n, before, said(...all)), []);
    assert.deepEqual(restoredComplaints(witness(EVENTS), 30n, before, said(...without(all, 'X 30 d'))), ['missing X  d']);
    assert.deepEqual(restoredComplaints(witness(EVENTS), 30n, before, said(...without(all, 'A 22 r'))), ['missing A 22 r']);
    assert.deepEqual(restoredComplaints(witness(EVENTS), 30n, before, said(...without(all, 'D 31 u'))), ['missing D 31 u']);
    assert.deepEqual(restoredComplaints(witness(EVENTS), 30n, before, said(...all, 'C 30 d')), ['too much C 30 d']);
  });
});
