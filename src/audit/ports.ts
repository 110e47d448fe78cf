/** What an audit compares; src/app/ joins it with the cluster, the log and the store. */

/** An object by its identity, and the version in which somebody has it. */
export interface Version {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface RecordedVersion extends Version {
  readonly epoch: number;
}

export interface AuditSources {
  /** What there is. @throws KubetapeError */
  cluster(resource: string, signal: AbortSignal): Promise<readonly Version[]>;
  /** What the collector remembers. Resource → objects. @throws KubetapeError */
  state(resources: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly RecordedVersion[]>>;
  /** What the tables say is there. @throws KubetapeError */
  table(resource: string): Promise<readonly RecordedVersion[]>;
  /** Where the resource's topic ends now. @throws KubetapeError */
  ends(resource: string): Promise<readonly number[]>;
  /** Whether the tables were given every record before these ends. @throws KubetapeError */
  reached(resource: string, ends: readonly number[], signal: AbortSignal): Promise<boolean>;
}

/** What an audit says of itself. */
export interface AuditTelemetry {
  /** Something differs that may be on its way. */
  differs(facts: { readonly resource: string; readonly differences: number; readonly againMs: number }): void;
  audited(facts: {
    readonly resource: string;
    readonly objects: number;
    readonly outcome: 'equal' | 'drift' | 'unknown';
    readonly drift: readonly { readonly side: 'state' | 'table'; readonly namespace: string; readonly name: string }[];
    readonly reason: string | null;
  }): void;
}
