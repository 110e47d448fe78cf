/**
 * Change detection for one scope: observations become changes by comparison with what was last said. Pure: the clock
 * is an argument, nothing is written.
 *   in    observations in order; what is known at the start (from `shared-state`)
 *   out   changes to record, deaths to remember, positions reached
 * Invariants (test/capture/tracker.test.ts):
 *   T1 once       an object's resourceVersion is said at most once per epoch
 *   T2 ordered    of one object, resourceVersions only rise
 *   T3 identity   another uid under the same name is a deletion of the old object and a creation of the new one
 *   T4 absence    a deletion is concluded only from a list that has ended
 *   T5 position   no position is given between the start and the end of a list
 *   T6 honest     a list that replaces a lost stretch of the watch yields exactly one gap
 *   T7 before     a change knows the projection that was said last of the same uid, and of no other
 */
import type { Op } from '../events/change.ts';
import type { GapCause } from '../events/fact.ts';
import type { ListCause, Observation, ObservedObject } from '../events/observation.ts';
import { compareResourceVersions } from '../events/resource-version.ts';
import type { CheckpointRecord } from '../events/state.ts';
import type { Coverage, Detection, Known, Position, TrackerStart } from './detection.ts';

export function nameKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

const GAP_CAUSES: Readonly<Record<ListCause, GapCause | null>> = {
  first: null,
  expired: 'expired',
  restored: 'restored',
  scope: 'scope-changed',
  refresh: 'expired',
  snapshot: 'snapshot',
  audit: 'audit',
};

/**
 * A restored etcd gives old resourceVersions to other changes. Other selectors show an object again at the very
 * resourceVersion at which it had left the old ones. An audit has all said again that was said before. In each case what
 * is said now must count as newer.
 */
function beginsEpoch(cause: ListCause): boolean {
  return cause === 'restored' || cause === 'scope' || cause === 'audit';
}

/** A refresh that found nothing new after a blink of an eye is no gap. */
const BLINK_MS = 1_000;

export class Tracker {
  readonly #known: Map<string, Known>;
  readonly #expires: boolean;
  readonly #project: (object: ObservedObject) => string;
  #epoch: number;
  #list = 0;
  #listing: { readonly cause: ListCause; readonly startedMs: number; readonly wholeUntilMs: number | null; changes: number } | null = null;
  /** Where everything before was seen, and when. */
  #last: (Position & { readonly atMs: number }) | null;

  constructor(start: TrackerStart) {
    this.#known = start.known;
    this.#expires = start.expires;
    this.#project = start.project;
    const { checkpoint } = start;
    // Beyond the checkpoint's lies an epoch whose first list broke off: the list that is to come begins it again.
    this.#epoch = checkpoint === null ? start.epoch : Math.max(checkpoint.epoch, start.epoch - 1);
    this.#last = checkpoint === null ? null : lastOf(checkpoint);
  }

  /** null before the first list has ended. */
  get coverage(): Coverage | null {
    return this.#last?.coverage ?? null;
  }

  get objects(): number {
    return this.#known.size;
  }

  *observe(observation: Observation, nowMs: number): Generator<Detection, void, void> {
    switch (observation.type) {
      case 'list-started':
        // Raised once, though the first list may break off and begin again.
        if (beginsEpoch(observation.cause) && this.#listing?.cause !== observation.cause) this.#epoch += 1;
        this.#list += 1;
        this.#listing = {
          cause: observation.cause,
          startedMs: nowMs,
          wholeUntilMs: observation.wholeUntilMs,
          changes: 0,
        };
        return;
      case 'listed':
        yield* this.#listed(observation.object);
        return;
      case 'list-ended':
        yield* this.#listEnded(observation.resourceVersion, nowMs);
        return;
      case 'bookmark':
        yield { type: 'position', position: this.#reached(observation.resourceVersion, nowMs) };
        return;
      case 'deleted':
        yield* this.#deleted(observation.object, nowMs);
        return;
      case 'added':
      case 'modified':
        yield* this.#watched(observation.type, observation.object, nowMs);
    }
  }

  /** @param unseenMs how much of the time before could not be seen */
  #reached(resourceVersion: string, nowMs: number, unseenMs = 0): Position {
    const before = this.#last?.coverage ?? { sinceMs: nowMs, unwatchedMs: 0 };
    // Most often nothing new, and this is said of every change.
    const coverage = unseenMs === 0 ? before : { ...before, unwatchedMs: before.unwatchedMs + unseenMs };
    this.#last = { resourceVersion, epoch: this.#epoch, coverage, atMs: nowMs };
    return this.#last;
  }

  *#listed(object: ObservedObject): Generator<Detection, void, void> {
    const known = this.#known.get(nameKey(object.namespace, object.name));
    if (known !== undefined && known.uid === object.uid && known.epoch === this.#epoch) {
      known.seen = this.#list;
      if (compareResourceVersions(object.resourceVersion, known.resourceVersion) <= 0) return;
      yield this.#change('u', object, known, true, null);
      return;
    }
    if (known !== undefined && known.uid !== object.uid) yield* this.#replaced(known, object, true);
    // In a new epoch everything is said again: its resourceVersions mean something else now.
    const cause = this.#listing?.cause;
    const op = cause === 'first' || (cause !== undefined && beginsEpoch(cause)) ? 'r' : 'c';
    yield this.#change(op, object, known, true, null);
  }

  *#listEnded(resourceVersion: string, nowMs: number): Generator<Detection, void, void> {
    for (const [key, known] of this.#known) {
      if (known.seen === this.#list) continue;
      const slash = key.indexOf('/');
      const namespace = key.slice(0, slash);
      const name = key.slice(slash + 1);
      this.#known.delete(key);
      if (this.#expires) {
        yield { type: 'forgotten', namespace, name, position: null };
        continue;
      }
      if (this.#listing !== null) this.#listing.changes += 1;
      yield this.#death({ namespace, name, uid: known.uid, resourceVersion }, known, true, null, null);
    }
    const listing = this.#listing;
    const before = this.#last;
    this.#listing = null;
    // What a list shows may be as old as its beginning.
    const seenMs = listing?.startedMs ?? nowMs;
    const cause = listing === null ? null : GAP_CAUSES[listing.cause];
    if (listing !== null && cause !== null && before !== null) {
      const from = { ...before, atMs: Math.max(before.atMs, listing.wholeUntilMs ?? before.atMs) };
      const blink = listing.cause === 'refresh' && listing.changes === 0 && nowMs - from.atMs < BLINK_MS;
      if (!blink) {
        // With its position in one: after a crash the list, and so the gap, is either done or done again as a whole.
        const position = this.#reached(resourceVersion, seenMs, Math.max(0, nowMs - from.atMs));
        yield { type: 'gap', cause, from, to: { ...position, atMs: nowMs }, position };
        return;
      }
    }
    yield { type: 'position', position: this.#reached(resourceVersion, seenMs) };
  }

  *#watched(type: 'added' | 'modified', object: ObservedObject, nowMs: number): Generator<Detection, void, void> {
    const known = this.#known.get(nameKey(object.namespace, object.name));
    const position = this.#reached(object.resourceVersion, nowMs);
    if (known !== undefined && known.uid === object.uid && known.epoch === this.#epoch) {
      if (compareResourceVersions(object.resourceVersion, known.resourceVersion) <= 0) {
        yield { type: 'position', position };
        return;
      }
      yield this.#change('u', object, known, false, position);
      return;
    }
    if (known !== undefined && known.uid !== object.uid) yield* this.#replaced(known, object, false);
    yield this.#change(type === 'added' ? 'c' : 'u', object, known, false, position);
  }

  *#deleted(object: ObservedObject, nowMs: number): Generator<Detection, void, void> {
    const { namespace, name, uid, resourceVersion } = object;
    const key = nameKey(namespace, name);
    const known = this.#known.get(key);
    const position = this.#reached(resourceVersion, nowMs);
    const same = known === undefined || known.uid === uid;
    if (same) this.#known.delete(key);
    if (this.#expires) {
      yield same ? { type: 'forgotten', namespace, name, position } : { type: 'position', position };
      return;
    }
    yield this.#death(object, same ? known : undefined, false, object, position);
  }

  /** The deletion of `known` was not seen; its successor bears its name. */
  *#replaced(known: Known, by: ObservedObject, snapshot: boolean): Generator<Detection, void, void> {
    const { namespace, name, resourceVersion } = by;
    this.#known.delete(nameKey(namespace, name));
    if (this.#expires) return;
    if (this.#listing !== null) this.#listing.changes += 1;
    yield this.#death({ namespace, name, uid: known.uid, resourceVersion }, known, snapshot, null, null);
  }

  #change(op: Op, object: ObservedObject, known: Known | undefined, snapshot: boolean, position: Position | null): Detection {
    const { namespace, name, uid, resourceVersion } = object;
    const epoch = this.#epoch;
    const after = this.#project(object);
    const before = known?.uid === uid ? known.projection : null;
    this.#known.set(nameKey(namespace, name), { uid, resourceVersion, epoch, projection: after, seen: this.#list });
    if (this.#listing !== null) this.#listing.changes += 1;
    return {
      type: 'change',
      change: { op, namespace, name, uid, resourceVersion, epoch, snapshot, observed: object, before, after },
      position,
    };
  }

  #death(
    { namespace, name, uid, resourceVersion }: Pick<ObservedObject, 'namespace' | 'name' | 'uid' | 'resourceVersion'>,
    known: Known | undefined,
    snapshot: boolean,
    observed: ObservedObject | null,
    position: Position | null,
  ): Detection {
    const before = known?.projection ?? null;
    return {
      type: 'change',
      change: { op: 'd', namespace, name, uid, resourceVersion, epoch: this.#epoch, snapshot, observed, before, after: null },
      position,
    };
  }
}

function lastOf({ resourceVersion, epoch, ts, since, unwatchedMs }: CheckpointRecord): Position & { readonly atMs: number } {
  const coverage = { sinceMs: Date.parse(since ?? ts), unwatchedMs: unwatchedMs ?? 0 };
  return { resourceVersion, epoch, coverage, atMs: Date.parse(ts) };
}
