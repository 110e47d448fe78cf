/**
 * `shared-state` and `kubetape-checkpoints`: what the collector remembers, in Kafka, so that the memory is exactly as
 * new as the log itself. Pure.
 */

/** Value of a `shared-state` record; a tombstone says that the object is gone. The key is {@link stateKey}. */
export interface StateRecord {
  readonly v: 1;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly epoch: number;
  /** First 16 hex digits of the SHA-256 of the redacted object's JSON. */
  readonly hash: string;
  readonly projection: Projection;
}

/** The few fields of an object that facts are derived from; absent fields do not apply to the kind. */
export interface Projection {
  readonly phase?: string;
  readonly ready?: string;
  readonly restarts?: number;
  readonly reason?: string;
  /** Why the container that was restarted last had ended: OOMKilled, Error. */
  readonly terminated?: string;
  readonly images?: readonly string[];
  readonly replicas?: number;
  readonly node?: string;
  /** Key of the data → HMAC of its value (or its length where no HMAC key is set). */
  readonly values?: Readonly<Record<string, string>>;
}

/**
 * Value of a `kubetape-checkpoints` record: everything of this watch up to `resourceVersion` is committed.
 * The key is `<cluster>/<resource>`, and `<cluster>/<resource>/<namespace>` where a watch covers one namespace only.
 */
export interface CheckpointRecord {
  readonly v: 1;
  readonly resourceVersion: string;
  readonly epoch: number;
  /** Selectors the watch was opened with: other selectors cannot resume from here. */
  readonly scope: string;
  /** When it was written: RFC 3339. The start of the gap, should the watch window pass. */
  readonly ts: string;
  /** Since when this is recorded: RFC 3339. Older records have none. */
  readonly since?: string;
  /** How much of that time lies in gaps. */
  readonly unwatchedMs?: number;
}

export function checkpointKey(cluster: string, resource: string, namespace: string): string {
  return namespace === '' ? `${cluster}/${resource}` : `${cluster}/${resource}/${namespace}`;
}
