import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KubetapeError } from '../../src/events/errors.ts';
import { isBelow, StreamProgress } from '../../src/kubernetes/stream-progress.ts';
import type { WatchEvent } from '../../src/kubernetes/stream.ts';

const text = { line: Buffer.alloc(0), objectBytes: () => null };
const event = (type: 'added' | 'modified' | 'deleted'): WatchEvent => ({ type, object: {}, text });
const bookmark = (resourceVersion: string, initialEventsEnd = false): WatchEvent => ({
  type: 'bookmark',
  resourceVersion,
  initialEventsEnd,
});
const failure = (cause?: object): KubetapeError => new KubetapeError('KUBE_UNREACHABLE', 'gone', cause === undefined ? {} : { cause });

test('P1 unordered: a list has no position before its end, whatever its objects and bookmarks say', () => {
  const progress = StreamProgress.ofList('50');
  for (const resourceVersion of ['70', '3', '51']) assert.deepEqual(progress.take(event('added'), resourceVersion, 0), { is: 'listed' });
  assert.deepEqual(progress.take(bookmark('60'), '60', 0), { is: 'nothing' });
  assert.deepEqual([progress.position, progress.objects, progress.listing], [null, 3, true]);
  assert.deepEqual(progress.failed(failure(), 'list', 0), { how: 'lost', resourceVersion: null, seen: false, midList: false });
  assert.deepEqual(progress.take(bookmark('71', true), '71', 0), { is: 'list-ended' });
  assert.deepEqual([progress.position, progress.listing, progress.seen], ['71', false, false]);
});

test('a list that shows a change, or ends below what was reached, is left', () => {
  for (const type of ['modified', 'deleted'] as const)
    assert.deepEqual(StreamProgress.ofList(null).take(event(type), '9', 0), { is: 'leave', how: 'unsupported' });
  assert.deepEqual(StreamProgress.ofList('50').take(bookmark('49', true), '49', 0), { is: 'leave', how: 'went-back' });
  assert.deepEqual(StreamProgress.ofList('50').take(bookmark('50', true), '50', 0), { is: 'list-ended' });
  assert.deepEqual(StreamProgress.ofList(null).take(bookmark('1', true), '1', 0), { is: 'list-ended' });
});

test('P2 rising: of any sequence, what is taken rises; a bookmark may stay where it is, a change may not', () => {
  const step = fc.record({ version: fc.integer({ min: 1, max: 12 }), isBookmark: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const progress = StreamProgress.ofWatch('5');
      let position = 5;
      for (const { version, isBookmark } of steps) {
        const meaning = progress.take(isBookmark ? bookmark(String(version)) : event('modified'), String(version), 0);
        const rises = isBookmark ? version >= position : version > position;
        assert.equal(meaning.is, rises ? (isBookmark ? 'bookmark' : 'changed') : 'nonsense');
        if (rises) position = version;
        assert.equal(progress.position, String(position));
      }
    }),
  );
  for (const wrong of ['', 'x', '0x1']) assert.equal(StreamProgress.ofWatch('5').take(bookmark(wrong), wrong, 0).is, 'nonsense');
});

test('P3 whole: a stream that broke tells how far it came, and whether it lived', () => {
  const progress = StreamProgress.ofWatch('5');
  progress.opened(1_000);
  assert.deepEqual(progress.failed(failure(), 'watch', 10_999), { how: 'lost', resourceVersion: '5', seen: false, midList: false });
  // Open for ten seconds: the server is well, though nothing happened.
  assert.deepEqual(progress.failed(failure(), 'watch', 11_000), { how: 'lost', resourceVersion: '5', seen: true, midList: false });
  progress.take(event('added'), '8', 1_500);
  assert.deepEqual(progress.failed(failure(), 'watch', 1_500), { how: 'lost', resourceVersion: '8', seen: true, midList: false });
  assert.deepEqual(progress.failed(failure({ is: 'expired' }), 'watch', 1_500), { how: 'expired', resourceVersion: '8' });
  assert.deepEqual(progress.failed(failure({ is: 'expired' }), 'page', 1_500), { how: 'page-expired' });
  assert.deepEqual(progress.failed(failure({ is: 'throttled', retryAfterMs: 7 }), 'watch', 1_500), {
    how: 'throttled',
    retryAfterMs: 7,
    resourceVersion: '8',
    seen: true,
  });
  const list = StreamProgress.ofList(null);
  list.opened(0);
  assert.deepEqual(list.failed(failure(), 'list', 60_000), { how: 'lost', resourceVersion: null, seen: false, midList: true });
  assert.deepEqual(list.failed(failure({ is: 'invalid' }), 'list', 0), { how: 'unsupported', ever: true });
  assert.deepEqual(progress.failed(failure({ is: 'invalid' }), 'watch', 0), { how: 'refused', resourceVersion: '8', seen: true });
});

test('below is by number, not by text', () => {
  assert.deepEqual([isBelow('9', '10'), isBelow('10', '9'), isBelow('10', '10'), isBelow('1', null)], [true, false, false, false]);
});
