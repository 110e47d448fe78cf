/**
 * Change records as they come, made into changes with the version before them. Pure: what it remembers is bounded.
 *   in    change records of a topic, each object's in its order
 *   out   changes; the version before is known from the second change of an object on
 * Invariant (test/past/live.test.ts): V1 bounded  no more objects are remembered than asked for, the longest unchanged go first
 */
import type { ChangeRecord } from '../events/change.ts';
import type { RecordedChange, Version } from './ports.ts';

export class LiveChanges {
  readonly #last = new Map<string, Version>();
  readonly #objectsMax: number;

  constructor(objectsMax: number) {
    this.#objectsMax = objectsMax;
  }

  /** @returns the change; `isFirst` where nothing was known of the object before */
  changeOf({ op, ts, cluster, source, by, object }: ChangeRecord): RecordedChange & { readonly isFirst: boolean } {
    const version: Version = {
      resource: source.resource,
      uid: source.uid,
      namespace: source.namespace,
      name: source.name,
      op,
      epoch: source.epoch,
      resourceVersion: source.resourceVersion,
      changedAtMs: Date.parse(ts),
      by: by?.manager ?? null,
      synthetic: source.synthetic,
      snapshot: source.snapshot,
      object: source.synthetic ? null : object,
    };
    const key = `${cluster}/${source.resource}/${source.uid}`;
    const before = this.#last.get(key) ?? null;
    // Deleted and set again, it is the newest of the map.
    this.#last.delete(key);
    if (op !== 'd') this.#last.set(key, version);
    if (this.#last.size > this.#objectsMax)
      for (const [oldest] of this.#last) {
        this.#last.delete(oldest);
        break;
      }
    return { ...version, before, isFirst: before === null };
  }
}
