/**
 * The change record, version 1: what a `k8s-<resource>` topic holds. Pure.
 *   in    an object after redaction, and what the collector knows of its change
 *   out   JSON bytes for Kafka; and back, with the object's own bytes left as they are
 * Invariants (test/events/change.test.ts):
 *   R1 round trip   decode(encode(x)) gives x
 *   R2 spliceable   `object` is the last field, so its bytes can go to Postgres without being parsed and printed again
 *   R3 additive     fields that this version does not know are kept out of the way; a higher `v` is refused
 */
import { KubetapeError } from './errors.ts';

/** r first seen in a list, c created, u updated, d deleted. Debezium's letters. */
export type Op = 'r' | 'c' | 'u' | 'd';

/** Where a change comes from. `resourceVersion` is the one the change made: a deletion has its own. */
export interface ChangeSource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  /** '' for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /**
   * Grows by one each time resourceVersions begin to mean something else: the API server's went back (etcd restored from
   * a backup), or the collector was started with other selectors.
   */
  readonly epoch: number;
  /** True when the change was seen in a list rather than in a watch. */
  readonly snapshot: boolean;
  /** True when the API server never said it: a deletion found by comparing a list with what was known. */
  readonly synthetic: boolean;
}

/** Who: the newest entry of metadata.managedFields. `time` is RFC 3339 with a resolution of one second. */
export interface ChangeAuthor {
  readonly manager: string;
  readonly operation: string;
  readonly time: string | null;
  readonly subresource?: string;
}

export type KubernetesObject = { readonly [field: string]: unknown };

export interface ChangeRecord {
  readonly v: 1;
  readonly op: Op;
  /** When the collector saw it: RFC 3339, UTC, milliseconds. */
  readonly ts: string;
  readonly cluster: string;
  readonly source: ChangeSource;
  readonly by: ChangeAuthor | null;
  /**
   * The object after the change, redacted; for `d` its last state. Of a synthetic `d` nobody saw the last state:
   * the object then holds apiVersion, kind and metadata {name, namespace, uid} only.
   */
  readonly object: KubernetesObject;
}

export const CHANGE_VERSION = 1;

/** Headers repeat what a consumer routes by, so that it need not parse the value. All values are text. */
export interface ChangeHeaders {
  readonly op: Op;
  readonly uid: string;
  readonly rv: string;
  readonly epoch: string;
}

export function changeHeaders(change: Pick<ChangeRecord, 'op' | 'source'>): ChangeHeaders {
  const { uid, resourceVersion, epoch } = change.source;
  return { op: change.op, uid, rv: resourceVersion, epoch: String(epoch) };
}

/** @param objectJson the redacted object as JSON text */
export function encodeChange(change: Omit<ChangeRecord, 'v' | 'object'>, objectJson: string | Buffer): Buffer {
  const { op, ts, cluster, source, by } = change;
  const head = `${JSON.stringify({ v: CHANGE_VERSION, op, ts, cluster, source, by }).slice(0, -1)},"object":`;
  if (typeof objectJson === 'string') return Buffer.from(`${head}${objectJson}}`);
  const headBytes = Buffer.byteLength(head);
  const value = Buffer.allocUnsafe(headBytes + objectJson.length + 1);
  value.write(head);
  objectJson.copy(value, headBytes);
  value[value.length - 1] = 0x7d;
  return value;
}

export interface DecodedChange extends ChangeRecord {
  /** The object's JSON as it stands in the record: a view of the record's bytes, not a copy. */
  readonly objectBytes: Buffer;
}

const OBJECT_FIELD = Buffer.from(',"object":');

/**
 * @throws KubetapeError RECORD_INVALID (not JSON, or not a change record), RECORD_NEWER (a higher version). Neither
 *   message holds any of the record's content.
 */
export function decodeChange(value: Buffer): DecodedChange {
  let parsed: ChangeRecord;
  try {
    parsed = JSON.parse(UTF8.decode(value)) as ChangeRecord;
  } catch {
    // The parser's own message quotes the text: it must not travel into logs or dead letters.
    throw new KubetapeError('RECORD_INVALID', 'the record is not valid JSON in UTF-8');
  }
  if (typeof parsed !== 'object' || parsed === null || !Number.isInteger(parsed.v)) {
    throw new KubetapeError('RECORD_INVALID', 'the record is not a change record: it has no integer field "v"');
  }
  if (parsed.v > CHANGE_VERSION) {
    throw new KubetapeError('RECORD_NEWER', `the record has version ${parsed.v}, this binary knows ${CHANGE_VERSION}`);
  }
  const missing = missingField(parsed);
  if (missing !== undefined) throw new KubetapeError('RECORD_INVALID', `the record has no valid field "${missing}"`);
  return { ...parsed, objectBytes: objectBytesOf(value, parsed) };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function objectBytesOf(value: Buffer, parsed: ChangeRecord): Buffer {
  const at = value.indexOf(OBJECT_FIELD);
  // Somebody else's writer may order or space the fields differently.
  if (at < 0 || value[value.length - 1] !== 0x7d || Object.keys(parsed).at(-1) !== 'object') {
    return Buffer.from(JSON.stringify(parsed.object));
  }
  return value.subarray(at + OBJECT_FIELD.length, value.length - 1);
}

function missingField(record: ChangeRecord): string | undefined {
  if (!['r', 'c', 'u', 'd'].includes(record.op)) return 'op';
  if (typeof record.ts !== 'string' || Number.isNaN(Date.parse(record.ts))) return 'ts';
  if (typeof record.cluster !== 'string' || record.cluster === '') return 'cluster';
  if (typeof record.object !== 'object' || record.object === null) return 'object';
  const source: Partial<ChangeSource> | undefined = record.source;
  if (typeof source !== 'object' || source === null) return 'source';
  for (const field of ['group', 'version', 'resource', 'kind', 'namespace', 'name', 'uid', 'resourceVersion'] as const) {
    if (typeof source[field] !== 'string') return `source.${field}`;
  }
  if (!Number.isInteger(source.epoch)) return 'source.epoch';
  return undefined;
}
