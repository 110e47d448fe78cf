/**
 * Facts: what `event-stream` holds. Derived from changes, in the same transaction. Pure.
 * Key: {@link stateKey}, with empty namespace and name where a fact is about a whole resource.
 */
export interface Fact {
  readonly v: 1;
  /** `coverage.gap`, `collector.started`, `deployment.scaled`, … */
  readonly type: string;
  readonly ts: string;
  readonly cluster: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly epoch?: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Why a stretch of time could not be seen. */
export type GapCause = 'expired' | 'restored' | 'scope-changed' | 'snapshot' | 'audit';

/** `detail` of a `coverage.gap` fact: changes after `from` and up to `to` are known by their net effect only. */
export interface GapDetail {
  readonly cause: GapCause;
  readonly from: { readonly resourceVersion: string; readonly epoch: number; readonly ts: string };
  readonly to: { readonly resourceVersion: string; readonly epoch: number; readonly ts: string };
  readonly [more: string]: unknown;
}
