/**
 * What must have been recorded, by what an independent observer saw: outside of gaps every change, inside only the net
 * difference between the states at its two ends. Pure.
 */
import type { Recorded, Witness } from './recorder.ts';

/** Changes after `from` and up to `to`, both resourceVersions, are known by their net effect. */
export interface Gap {
  readonly from: bigint;
  readonly to: bigint;
}

const OPS = { ADDED: 'c', MODIFIED: 'u', DELETED: 'd' } as const;

/** `uid resourceVersion op` of each change after the witness's beginning. Gaps must not overlap. */
export function expectedChanges({ resource, initial, events }: Witness, gaps: readonly Gap[]): string[] {
  const ordered = events.toSorted((a, b) => compare(BigInt(a.resourceVersion), BigInt(b.resourceVersion)));
  const present = new Map(initial.map((one) => [one.uid, one]));
  const expected: string[] = [];
  const pending = gaps.toSorted((a, b) => compare(a.from, b.from));
  let at = 0;
  const apply = (event: Recorded): void => {
    if (event.type === 'DELETED') present.delete(event.uid);
    else present.set(event.uid, event);
  };
  const upTo = (rv: bigint, each: (event: Recorded) => void): void => {
    for (let event = ordered[at]; event !== undefined && BigInt(event.resourceVersion) <= rv; event = ordered[at]) {
      each(event);
      apply(event);
      at += 1;
    }
  };
  // Of an Event, being deleted is no change.
  const tell = (event: Recorded): void => {
    if (resource !== 'events' || event.type !== 'DELETED') expected.push(`${event.uid} ${event.resourceVersion} ${OPS[event.type]}`);
  };
  for (const gap of pending) {
    upTo(gap.from, tell);
    const before = new Map(present);
    upTo(gap.to, () => undefined);
    expected.push(...netChanges(resource, before, present, gap));
  }
  for (const event of ordered.slice(at)) tell(event);
  return expected;
}

function netChanges(resource: string, before: ReadonlyMap<string, Recorded>, now: ReadonlyMap<string, Recorded>, gap: Gap): string[] {
  const byName = new Map([...now.values()].map((one) => [`${one.namespace}/${one.name}`, one]));
  const changes: string[] = [];
  for (const [uid, one] of now) {
    const old = before.get(uid);
    if (old?.resourceVersion !== one.resourceVersion) changes.push(`${uid} ${one.resourceVersion} ${old === undefined ? 'c' : 'u'}`);
  }
  for (const [uid, one] of before) {
    if (now.has(uid) || resource === 'events') continue;
    // Known to be gone by whoever bears its name now, or by the end of the list.
    const successor = byName.get(`${one.namespace}/${one.name}`);
    changes.push(`${uid} ${successor?.resourceVersion ?? gap.to} d`);
  }
  return changes;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
