/**
 * What a source says while it lists and watches one scope (a resource, cluster-wide or in one namespace). Pure.
 *
 *   list-started (listed* list-ended | list-started …)   then   (added | modified | deleted | bookmark)*   and again
 *
 * Between list-started and list-ended objects come in no order and the list is not complete: nothing may be concluded
 * from an absence. A list-started without its list-ended voids the list before it.
 */
import type { ChangeAuthor, KubernetesObject } from './change.ts';

/**
 * Why a full list was needed.
 *   first     nothing is known of this scope yet
 *   expired   the API server no longer serves the changes since the last one seen
 *   restored  the API server's resourceVersions went back: another history has begun
 *   scope     the selectors are not those of the checkpoint
 *   refresh   the watch was whole until now, but the server keeps no position to go on from (quiet Events)
 *   snapshot  nobody watches: from time to time there is a list
 *   audit     what was recorded turned out to differ from the cluster: all is said again
 */
export type ListCause = 'first' | 'expired' | 'restored' | 'scope' | 'refresh' | 'snapshot' | 'audit';

/** One object as it was served, after redaction. */
export interface ObservedObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly by: ChangeAuthor | null;
  /** When the API server made the change, ms since 1970, as far as the object tells; its resolution is one second. */
  readonly changedAtMs: number | null;
  /** Redacted, without managedFields. */
  readonly object: KubernetesObject;
  /** The same as JSON, byte for byte as it was served; null or absent where redaction or the server's form leave no such bytes. */
  readonly json?: Buffer | null;
}

export type Observation =
  | {
      readonly type: 'list-started';
      readonly cause: ListCause;
      /** The last moment (ms since 1970) at which the source was known to see everything, if it was in this process. */
      readonly wholeUntilMs: number | null;
    }
  | { readonly type: 'listed'; readonly object: ObservedObject }
  | { readonly type: 'list-ended'; readonly resourceVersion: string }
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: ObservedObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };
