import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ListCause, Observation, ObservedObject } from '../../src/events/observation.ts';
import type { CheckpointRecord } from '../../src/events/state.ts';
import { checkpointMessage, type Track } from '../../src/capture/entries.ts';
import type { Detection, TrackerStart } from '../../src/capture/detection.ts';
import { Tracker } from '../../src/capture/tracker.ts';

const START: TrackerStart = {
  known: new Map(),
  checkpoint: null,
  epoch: 1,
  expires: false,
  project: ({ resourceVersion }) => resourceVersion,
};

const TRACK: Track = {
  cluster: 'c',
  type: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
  resource: 'pods',
  namespace: '',
  scope: '',
  topicPrefix: '',
};

function object(name: string, uid: string, resourceVersion: number): ObservedObject {
  return { kind: 'Pod', namespace: 'ns', name, uid, resourceVersion: String(resourceVersion), by: null, changedAtMs: null, object: {} };
}

const started = (cause: ListCause, wholeUntilMs: number | null = null): Observation => ({ type: 'list-started', cause, wholeUntilMs });
const listed = (name: string, uid: string, rv: number): Observation => ({ type: 'listed', object: object(name, uid, rv) });
const ended = (rv: number): Observation => ({ type: 'list-ended', resourceVersion: String(rv) });
const seen = (type: 'added' | 'modified' | 'deleted', name: string, uid: string, rv: number): Observation => ({
  type,
  object: object(name, uid, rv),
});

function feed(tracker: Tracker, observations: readonly Observation[], nowMs = 1_000_000): Detection[] {
  return observations.flatMap((one) => [...tracker.observe(one, nowMs)]);
}

function told(detections: readonly Detection[]): string[] {
  return detections.map((one) => {
    if (one.type === 'change')
      return `${one.change.op} ${one.change.uid}@${one.change.resourceVersion}${one.change.observed === null ? ' synthetic' : ''}`;
    if (one.type === 'position') return `at ${one.position.resourceVersion}`;
    return one.type === 'gap' ? `gap ${one.cause} ${one.from.resourceVersion}-${one.to.resourceVersion}` : `forgotten ${one.name}`;
  });
}

describe('tracker', () => {
  it('a first list says r, and a position only at its end', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    assert.deepEqual(told(feed(tracker, [started('first'), listed('a', 'A', 5), listed('b', 'B', 3), ended(9)])), [
      'r A@5',
      'r B@3',
      'at 9',
    ]);
  });

  it('T1 once: what was said before is not said again by a list', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    feed(tracker, [started('first'), listed('a', 'A', 5), ended(9)]);
    assert.deepEqual(told(feed(tracker, [started('expired'), listed('a', 'A', 5), ended(12)])), ['gap expired 9-12']);
  });

  it('T3 identity: another uid under the same name is a deletion and a creation, in a list as in a watch', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    feed(tracker, [started('first'), listed('a', 'A', 5), ended(9)]);
    assert.deepEqual(told(feed(tracker, [seen('added', 'a', 'A2', 11)])), ['d A@11 synthetic', 'c A2@11']);
    assert.deepEqual(told(feed(tracker, [started('expired'), listed('a', 'A3', 15), ended(20)])), [
      'd A2@15 synthetic',
      'c A3@15',
      'gap expired 11-20',
    ]);
  });

  it('T7 before: a change knows what was said last of the same uid, and of no other', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    const around = (observations: readonly Observation[]) =>
      feed(tracker, observations).flatMap((one) =>
        one.type === 'change' ? [`${one.change.op} ${one.change.before} → ${one.change.after}`] : [],
      );
    assert.deepEqual(around([started('first'), listed('a', 'A', 5), ended(9)]), ['r null → 5']);
    assert.deepEqual(around([seen('modified', 'a', 'A', 10)]), ['u 5 → 10']);
    assert.deepEqual(around([started('expired'), listed('a', 'A', 14), ended(15)]), ['u 10 → 14']);
    assert.deepEqual(around([seen('added', 'a', 'A2', 16)]), ['d 14 → null', 'c null → 16']);
    assert.deepEqual(around([seen('deleted', 'a', 'A2', 17)]), ['d 16 → null']);
  });

  it('T4 absence: deletions are concluded from a complete list only', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    feed(tracker, [started('first'), listed('a', 'A', 5), listed('b', 'B', 6), ended(9)]);
    assert.deepEqual(told(feed(tracker, [started('expired'), listed('b', 'B', 6)])), []);
    assert.deepEqual(told(feed(tracker, [started('expired'), listed('b', 'B', 6), ended(20)])), ['d A@20 synthetic', 'gap expired 9-20']);
  });

  it('T6 honest: a restored etcd begins an epoch in which everything is said again', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    feed(tracker, [started('first'), listed('a', 'A', 50), listed('b', 'B', 60), ended(90)]);
    const detections = feed(tracker, [started('restored'), listed('a', 'A', 40), ended(45)]);
    assert.deepEqual(told(detections), ['r A@40', 'd B@45 synthetic', 'gap restored 90-45']);
    assert.ok(detections.every((one) => one.type !== 'change' || one.change.epoch === 2));
  });

  it('T6 honest: other selectors begin an epoch, so that an object counts as newer at the resourceVersion at which it had left', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    feed(tracker, [started('first'), listed('a', 'A', 5), ended(9), seen('deleted', 'a', 'A', 10)]);
    const detections = feed(tracker, [started('scope'), listed('a', 'A', 10), ended(12)]);
    assert.deepEqual(told(detections), ['r A@10', 'gap scope-changed 10-12']);
    assert.ok(detections.every((one) => one.type !== 'change' || one.change.epoch === 2));
  });

  it('T6 honest: a restored list that breaks off raises the epoch once', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    feed(tracker, [started('first'), listed('a', 'A', 50), ended(90)]);
    const detections = feed(tracker, [started('restored'), started('restored'), listed('a', 'A', 40), ended(45)]);
    assert.deepEqual(
      detections.filter((one) => one.type === 'change').map(({ change }) => change.epoch),
      [2],
    );
  });

  it('T6 honest: a refresh after a blink that finds nothing is no gap, a long one is', () => {
    const tracker = new Tracker({ ...START, known: new Map(), expires: true });
    feed(tracker, [started('first'), ended(9)], 1_000);
    assert.deepEqual(told(feed(tracker, [started('refresh', 300_000), ended(12)], 300_200)), ['at 12']);
    assert.deepEqual(told(feed(tracker, [started('refresh', 600_000), ended(15)], 660_000)), ['gap expired 12-15']);
  });

  it('T6 honest: a gap begins when the last list began, not when it was through: what it shows is as old as its beginning', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    feed(tracker, [started('first'), listed('a', 'A', 5)], 10_000);
    feed(tracker, [ended(9)], 70_000);
    feed(tracker, [started('expired', 10_000), listed('a', 'A', 5)], 71_000);
    const [gap] = feed(tracker, [ended(20)], 72_000);
    assert.deepEqual(gap?.type === 'gap' ? [gap.from.atMs, gap.to.atMs] : [], [10_000, 72_000]);
  });

  it('coverage: counts since the first list began, loses what lies in gaps, and outlives a restart', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    assert.equal(tracker.coverage, null);
    feed(tracker, [started('first'), listed('a', 'A', 5)], 10_000);
    feed(tracker, [ended(9)], 12_000);
    assert.deepEqual(tracker.coverage, { sinceMs: 10_000, unwatchedMs: 0 });
    feed(tracker, [seen('modified', 'a', 'A', 10)], 20_000);
    feed(tracker, [started('expired'), listed('a', 'A', 10)], 50_000);
    const [gap] = feed(tracker, [ended(30)], 51_000);
    assert.deepEqual(tracker.coverage, { sinceMs: 10_000, unwatchedMs: 31_000 });
    assert.ok(gap?.type === 'gap');
    const { value } = checkpointMessage(TRACK, gap.position, 52_000);
    const checkpoint = JSON.parse(String(value)) as CheckpointRecord;
    assert.deepEqual([checkpoint.since, checkpoint.unwatchedMs], [new Date(10_000).toISOString(), 31_000]);
    const next = new Tracker({ ...START, known: new Map(), checkpoint });
    assert.deepEqual(next.coverage, { sinceMs: 10_000, unwatchedMs: 31_000 });
    const { since: _since, unwatchedMs: _unwatched, ...older } = checkpoint;
    assert.deepEqual(new Tracker({ ...START, known: new Map(), checkpoint: older }).coverage, { sinceMs: 52_000, unwatchedMs: 0 });
  });

  it('Events that expire are forgotten, not deleted', () => {
    const tracker = new Tracker({ ...START, known: new Map(), expires: true });
    const detections = feed(tracker, [
      started('first'),
      listed('a', 'A', 5),
      listed('b', 'B', 6),
      ended(9),
      seen('deleted', 'a', 'A', 10),
      started('expired'),
      ended(20),
    ]);
    assert.deepEqual(told(detections), ['r A@5', 'r B@6', 'at 9', 'forgotten a', 'forgotten b', 'gap expired 10-20']);
  });

  it('a selector that lets an object go and come back says d and c of the same uid', () => {
    const tracker = new Tracker({ ...START, known: new Map() });
    const detections = feed(tracker, [
      started('first'),
      listed('a', 'A', 5),
      ended(9),
      seen('deleted', 'a', 'A', 10),
      seen('added', 'a', 'A', 12),
    ]);
    assert.deepEqual(told(detections), ['r A@5', 'at 9', 'd A@10', 'c A@12']);
  });

  it('T1 T2 T5: of any course of watches and lists over a true history, each resourceVersion is said once and they rise', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      act: fc.constantFrom('write', 'delete'),
      relist: fc.boolean(),
      lost: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tracker = new Tracker({ ...START, known: new Map() });
        const cluster = new Map<string, { uid: string; rv: number }>();
        let rv = 1;
        let uid = 0;
        let unseen = 0;
        const detections = feed(tracker, [started('first'), ended(rv)]);
        for (const { name, act, relist, lost } of steps) {
          rv += 1;
          const now = cluster.get(name);
          let observation: Observation | null = null;
          if (act === 'write') {
            const next = { uid: now?.uid ?? `U${(uid += 1)}`, rv };
            cluster.set(name, next);
            observation = seen(now === undefined ? 'added' : 'modified', name, next.uid, rv);
          } else if (now !== undefined) {
            cluster.delete(name);
            observation = seen('deleted', name, now.uid, rv);
          }
          if (relist) unseen = Math.max(unseen, lost);
          if (unseen > 0) {
            // Nobody looks; then there is a list.
            unseen -= 1;
            if (unseen > 0) continue;
            detections.push(
              ...feed(tracker, [started('expired'), ...[...cluster].map(([key, { uid: id, rv: at }]) => listed(key, id, at)), ended(rv)]),
            );
          } else if (observation !== null) detections.push(...feed(tracker, [observation]));
        }
        if (unseen > 0)
          detections.push(
            ...feed(tracker, [started('expired'), ...[...cluster].map(([key, { uid: id, rv: at }]) => listed(key, id, at)), ended(rv)]),
          );
        const said = new Map<string, number>();
        const present = new Map<string, string>();
        let position = 0;
        for (const one of detections) {
          if (one.type === 'change') {
            const { uid: id, resourceVersion, op } = one.change;
            assert.ok(Number(resourceVersion) > (said.get(id) ?? 0), `${id} ${resourceVersion} after ${said.get(id)}`);
            said.set(id, Number(resourceVersion));
            if (op === 'd') present.delete(id);
            else present.set(id, resourceVersion);
          }
          const at =
            one.type === 'forgotten' || one.type === 'change' || one.type === 'position' || one.type === 'gap' ? one.position : null;
          if (at !== null) {
            assert.ok(Number(at.resourceVersion) >= position);
            position = Number(at.resourceVersion);
          }
        }
        assert.deepEqual([...present].toSorted(), [...cluster.values()].map(({ uid: id, rv: at }) => [id, String(at)]).toSorted());
      }),
    );
  });
});
