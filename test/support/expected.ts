/**
 * What must have been recorded, by what an independent observer saw: outside of gaps every change, inside the net
 * difference between the states at its two ends. Pure.
 */
import type { Recorded, Witness } from './witness.ts';

/** Changes after `from` and up to `to`, both resourceVersions, are known by their net effect. */
export interface Gap {
  readonly from: bigint;
  readonly to: bigint;
}

/** A change as it was recorded. */
export interface Said {
  readonly uid: string;
  readonly rv: string;
  readonly op: string;
}

const OPS = { ADDED: 'c', MODIFIED: 'u', DELETED: 'd' } as const;

/**
 * What is wrong with what was said after the witness's beginning; empty when all is well.
 *
 * Inside a gap an object must end as it ended: its last version if it changed, a deletion if it went, nothing if nobody
 * could have known of it. A list that broke off may have shown versions on the way there; they must be true ones.
 * @param gaps must not overlap
 */
export function complaints({ resource, from, initial, events }: Witness, gaps: readonly Gap[], said: readonly Said[]): string[] {
  const heard = said.filter(({ rv }) => BigInt(rv) > BigInt(from));
  const inGap = (rv: string): boolean => gaps.some((gap) => BigInt(rv) > gap.from && BigInt(rv) <= gap.to);
  // Of an Event, being deleted is no change.
  const told = events.filter(({ type }) => resource !== 'events' || type !== 'DELETED');
  const expected = told
    .filter(({ resourceVersion }) => !inGap(resourceVersion))
    .map((event) => shown({ uid: event.uid, rv: event.resourceVersion, op: OPS[event.type] }));
  const actual = heard.filter(({ rv }) => !inGap(rv)).map(shown);
  return [
    ...without(expected, actual).map((one) => `missing ${one}`),
    ...without(actual, expected).map((one) => `too much ${one}`),
    ...gaps.flatMap((gap) => gapComplaints(resource, initial, events, gap, heard)),
  ];
}

/**
 * What is wrong with what was said in an epoch that a restored etcd began; empty when all is well: everything that was
 * there at the end of its list as first seen, everything that others had heard of before as deleted, and from then on
 * every change.
 * @param witness from the restored etcd's beginning on
 * @param listed resourceVersion at the end of the list that began the epoch
 * @param before uids that were said and not deleted in the epoch before
 */
export function restoredComplaints(witness: Witness, listed: bigint, before: ReadonlySet<string>, said: readonly Said[]): string[] {
  const there = stateAt(witness.initial, witness.events, listed);
  const gone = witness.resource === 'events' ? [] : [...before].filter((uid) => !there.has(uid));
  const later = witness.events.filter(
    ({ type, resourceVersion }) => BigInt(resourceVersion) > listed && (witness.resource !== 'events' || type !== 'DELETED'),
  );
  const expected = [
    ...[...there.values()].map(({ uid, resourceVersion: rv }) => shown({ uid, rv, op: 'r' })),
    ...gone.map((uid) => shown({ uid, rv: '', op: 'd' })),
    ...later.map(({ type, uid, resourceVersion: rv }) => shown({ uid, rv, op: OPS[type] })),
  ];
  // Found by the end of the list, or by whoever bears the name: when, nobody knows.
  const found = new Set(gone);
  const actual = said.map((one) => shown(one.op === 'd' && found.has(one.uid) ? { ...one, rv: '' } : one));
  return [...without(expected, actual).map((one) => `missing ${one}`), ...without(actual, expected).map((one) => `too much ${one}`)];
}

function gapComplaints(
  resource: string,
  initial: readonly Recorded[],
  events: readonly Recorded[],
  gap: Gap,
  heard: readonly Said[],
): string[] {
  const before = stateAt(initial, events, gap.from);
  const now = stateAt(initial, events, gap.to);
  const within = (rv: string): boolean => BigInt(rv) > gap.from && BigInt(rv) <= gap.to;
  const happened = events.filter(({ resourceVersion }) => within(resourceVersion));
  const said = Map.groupBy(
    heard.filter(({ rv }) => within(rv)),
    ({ uid }) => uid,
  );
  const wrong: string[] = [];
  for (const uid of new Set([...before.keys(), ...now.keys(), ...said.keys()])) {
    const [old, end, all] = [before.get(uid), now.get(uid), said.get(uid) ?? []];
    const last = all.at(-1);
    if (end !== undefined) {
      if (end.resourceVersion !== old?.resourceVersion && last?.rv !== end.resourceVersion)
        wrong.push(`gap: missing ${uid} ${end.resourceVersion}`);
    } else if (last?.op !== 'd' && (old !== undefined || last !== undefined) && resource !== 'events')
      wrong.push(`gap: missing deletion of ${uid}`);
    // Known to be gone by the end of the list, or by whoever bears its name.
    const name = old ?? happened.find((event) => event.uid === uid);
    const heirs = happened.filter((event) => event.uid !== uid && event.name === name?.name && event.namespace === name.namespace);
    for (const [at, one] of all.entries()) {
      const isTrue =
        one.op === 'd'
          ? one === last &&
            end === undefined &&
            (BigInt(one.rv) === gap.to || heirs.some(({ resourceVersion }) => resourceVersion === one.rv))
          : one.op === (at === 0 && old === undefined ? 'c' : 'u') &&
            happened.some((event) => event.uid === uid && event.resourceVersion === one.rv && event.type !== 'DELETED');
      if (!isTrue) wrong.push(`gap: untrue ${shown(one)}`);
    }
  }
  return wrong;
}

function stateAt(initial: readonly Recorded[], events: readonly Recorded[], rv: bigint): Map<string, Recorded> {
  const state = new Map(initial.map((one) => [one.uid, one]));
  for (const event of events) {
    if (BigInt(event.resourceVersion) > rv) continue;
    if (event.type === 'DELETED') state.delete(event.uid);
    else state.set(event.uid, event);
  }
  return state;
}

function shown({ uid, rv, op }: Said): string {
  return `${uid} ${rv} ${op}`;
}

function without(some: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return some.filter((one) => !known.has(one));
}
