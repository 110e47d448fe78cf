/** What questions about the past need of the store; src/postgres/ fits it. */
import type { ColumnValue, TableColumn } from '../columns/table.ts';
import type { KubernetesObject, Op } from '../events/change.ts';

/** A resource that has tables. */
export interface RecordedType {
  /** As settings and topics call it: `pods`, `certificates.cert-manager.io`. */
  readonly resource: string;
  readonly table: string;
  readonly group: string;
  readonly kind: string;
  /** What its tables have beside the common columns. */
  readonly columns: readonly string[];
}

/** What an object's labels must meet. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent';
  readonly values: readonly string[];
}

/** An object as one change left it. */
export interface Version {
  readonly resource: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly op: Op;
  readonly epoch: number;
  readonly resourceVersion: string;
  readonly changedAtMs: number;
  /** The field manager that wrote last; null where that is not known. */
  readonly by: string | null;
  /** A deletion that was found by comparison. */
  readonly synthetic: boolean;
  /** Seen in a list: changes before it may be missing. */
  readonly snapshot: boolean;
  /** null for a synthetic deletion. */
  readonly object: KubernetesObject | null;
}

/** A version and the one before it. */
export interface RecordedChange extends Version {
  /** null where there is none, or none is kept any more. */
  readonly before: Pick<Version, 'op' | 'object'> | null;
}

/** A stretch of time whose changes are known by their net effect only. */
export interface Gap {
  readonly resource: string;
  /** '' for all namespaces. */
  readonly namespace: string;
  readonly cause: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** An object as its columns tell of it. */
export interface Listed {
  readonly namespace: string;
  readonly name: string;
  readonly createdMs: number | null;
  readonly values: Readonly<Record<string, ColumnValue>>;
  /** Where it was stored before the first of these columns existed; else null. */
  readonly object: KubernetesObject | null;
}

/** Which objects, and when. */
export interface Which {
  readonly names: readonly string[] | null;
  readonly labels: readonly Requirement[];
  /** null for now. */
  readonly atMs: number | null;
}

export interface Survey {
  readonly clusters: readonly string[];
  readonly types: readonly RecordedType[];
}

/** Whose objects. */
export interface Place {
  readonly cluster: string;
  /** null for all; of one, what belongs to no namespace is in it too. */
  readonly namespace: string | null;
}

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
  readonly deletedAtMs: number | null;
}

/** An object of a name, past or present: a name that was deleted and created again is several. */
export interface Incarnation {
  readonly uid: string;
  readonly namespace: string;
  readonly changedAtMs: number;
  readonly deletedAtMs: number | null;
}

export interface Found extends ObjectName {
  readonly resource: string;
  readonly createdAtMs: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly images: readonly string[];
  readonly changedAtMs: number;
}

/** Where a follower of the history stands: `<table> <partition>` → the last offset that it has seen. */
export type Cursor = ReadonlyMap<string, number>;

export interface Past {
  /** @throws KubetapeError SCHEMA_MISSING, SCHEMA_NEWER, POSTGRES_* */
  survey(): Promise<Survey>;
  /** Objects as they are (`atMs` null), or as they were. By namespace and name. */
  objects(type: RecordedType, place: Place, which: Which): Promise<Version[]>;
  /** The same by some of their columns alone, which the type must have: no object is read. */
  listed(type: RecordedType, place: Place, which: Which, columns: readonly TableColumn[]): Promise<Listed[]>;
  incarnations(type: RecordedType, place: Place, name: string): Promise<Incarnation[]>;
  /** Versions of objects, the newest first. */
  versions(
    type: RecordedType,
    cluster: string,
    uids: readonly string[],
    which: { readonly untilMs: number | null; readonly limit: number },
  ): Promise<Version[]>;
  /** The versions with one of these resourceVersions. */
  revisions(type: RecordedType, cluster: string, uids: readonly string[], resourceVersions: readonly string[]): Promise<Version[]>;
  /** The version before this one; null where none is kept. */
  before(
    type: RecordedType,
    cluster: string,
    version: Pick<Version, 'uid' | 'epoch' | 'resourceVersion'>,
  ): Promise<RecordedChange['before']>;
  /** Changes, the newest first; of these objects, or of all (null). */
  changes(
    types: readonly RecordedType[],
    place: Place,
    which: { readonly sinceMs: number; readonly untilMs: number; readonly limit: number; readonly uids: readonly string[] | null },
  ): Promise<RecordedChange[]>;
  gaps(types: readonly RecordedType[], place: Place, fromMs: number, toMs: number): Promise<Gap[]>;
  /** When recording of each of them began, as far as is still kept; null where nothing is. */
  beginning(types: readonly RecordedType[], cluster: string): Promise<ReadonlyMap<string, number>>;
  names(type: RecordedType, place: Place): Promise<ObjectName[]>;
  search(types: readonly RecordedType[], place: Place, text: string, limit: number): Promise<Found[]>;
  /** Where the history ends now. */
  end(types: readonly RecordedType[]): Promise<Cursor>;
  /** What has been written since, the oldest first. */
  since(
    types: readonly RecordedType[],
    place: Place,
    cursor: Cursor,
  ): Promise<{ readonly changes: readonly RecordedChange[]; readonly cursor: Cursor }>;
  close(): Promise<void>;
}
