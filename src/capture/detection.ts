/** What change detection knows, and what it finds. */
import type { Op } from '../events/change.ts';
import type { GapCause } from '../events/fact.ts';
import type { ObservedObject } from '../events/observation.ts';
import type { CheckpointRecord } from '../events/state.ts';

/** What was last said of an object; thousands are held, so it is small. */
export interface Known {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly epoch: number;
  /** What facts are derived from, as JSON: text takes a third of the memory of objects. */
  readonly projection: string;
  /** The number of the list that last served it. */
  seen: number;
}

export interface Position {
  readonly resourceVersion: string;
  readonly epoch: number;
  readonly coverage: Coverage;
}

/** How much of the time could be seen. */
export interface Coverage {
  /** Since when this scope is recorded. */
  readonly sinceMs: number;
  /** How much of that time lies in gaps. */
  readonly unwatchedMs: number;
}

export interface DetectedChange {
  readonly op: Op;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly epoch: number;
  readonly snapshot: boolean;
  /** null for a synthetic deletion: nobody saw the last state. */
  readonly observed: ObservedObject | null;
  /** The projection that was said last of this uid, as JSON; null when nothing was. */
  readonly before: string | null;
  /** The projection now; null for a deletion. */
  readonly after: string | null;
}

export type Detection =
  | { readonly type: 'change'; readonly change: DetectedChange; readonly position: Position | null }
  /** An expired Event: forgotten, not a change. */
  | { readonly type: 'forgotten'; readonly namespace: string; readonly name: string; readonly position: Position | null }
  | { readonly type: 'position'; readonly position: Position }
  | {
      readonly type: 'gap';
      readonly cause: GapCause;
      readonly from: Position & { readonly atMs: number };
      readonly to: Position & { readonly atMs: number };
      readonly position: Position;
    };

export interface TrackerStart {
  /** Keys are {@link nameKey}. The tracker takes the map over. */
  readonly known: Map<string, Known>;
  /** Where the last run had committed everything; null when this scope was never listed to its end. */
  readonly checkpoint: CheckpointRecord | null;
  /** Highest epoch in which anything of this scope was said; without a checkpoint, of the resource. */
  readonly epoch: number;
  /** True for Events: their deletion is expiry. */
  readonly expires: boolean;
  /** An object's projection, as JSON. */
  readonly project: (object: ObservedObject) => string;
}
