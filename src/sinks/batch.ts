/**
 * Records of one partition become what one transaction writes. Pure.
 * Invariants (test/sinks/batch.test.ts):
 *   B1 complete  every record is a row, a fact, a watch, a dead letter, or deliberately skipped (tombstones); offsets have no holes
 *   B2 stop      a record of a higher version ends the batch before it, and is named
 */
import { decodeChange, type DecodedChange } from '../events/change.ts';
import { isCode, KubetapeError } from '../events/errors.ts';
import type { Fact } from '../events/fact.ts';
import { topicOf } from '../events/resource.ts';
import { columnValues, tableFor } from '../columns/columns.ts';
import type { ResourceTable } from '../columns/table.ts';
import { decodeMessages } from './messages.ts';
import type { Content, DeadLetter, FactRow, Row, SourceRecord, StoreBatch, WatchRow } from './ports.ts';
import { watchOf } from './watch-row.ts';

export interface Decoded {
  readonly batch: StoreBatch;
  /** Why the batch ends before the last record; the partition must not go on. */
  readonly stop: KubetapeError | null;
  /** When the collector saw each row's change, for the age. */
  readonly newestMs: number | null;
}

/** @param from the offset that the store expects next; `records` begin there or later (offsets of a log have holes) */
export function decodeBatch(content: Content, from: number, records: readonly SourceRecord[]): Decoded {
  if (content === 'messages') return { batch: decodeMessages(from, records), stop: null, newestMs: null };
  const [first] = records;
  if (first === undefined) throw new RangeError('a batch has at least one record');
  const { topic, partition } = first;
  const rows: Row[] = [];
  const facts: FactRow[] = [];
  /** Of each watch, the last. */
  const watches = new Map<string, WatchRow>();
  const deadLetters: DeadLetter[] = [];
  let table: ResourceTable | null = null;
  let to = from;
  let stop: KubetapeError | null = null;
  let newestMs: number | null = null;
  for (const record of records) {
    try {
      if (record.value === null) {
        // A tombstone is for compaction; the deletion it follows said everything.
      } else if (content === 'facts') facts.push(factOf(record, record.value));
      else if (content === 'watches') watches.set(String(record.key), watchOf(String(record.key), record.value));
      else {
        const change = decodeChange(record.value);
        const { resource, group } = change.source;
        // What a record says of itself must not decide which tables there are.
        if (!topic.endsWith(topicOf(resource))) throw new KubetapeError('RECORD_INVALID', "a change of another resource than the topic's");
        table ??= tableFor(resource, group, change.source.kind);
        const row = rowOf(record.offset, change);
        rows.push(row);
        newestMs = Math.max(newestMs ?? 0, row.changedAtMs);
      }
    } catch (error) {
      if (isCode(error, 'RECORD_NEWER')) {
        stop = error;
        break;
      }
      if (!isCode(error, 'RECORD_INVALID')) throw error;
      deadLetters.push({ record, code: error.code, sqlstate: null, message: error.message });
    }
    to = record.offset + 1;
  }
  return { batch: { topic, partition, from, to, table, rows, facts, watches: [...watches.values()], deadLetters }, stop, newestMs };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const INT8_MAX = 9_223_372_036_854_775_807n;

function rowOf(offset: number, change: DecodedChange): Row {
  const { source, by, object } = change;
  if (!UUID.test(source.uid)) throw new KubetapeError('RECORD_INVALID', 'source.uid is not a UUID');
  if (!/^\d{1,19}$/.test(source.resourceVersion) || BigInt(source.resourceVersion) > INT8_MAX) {
    throw new KubetapeError('RECORD_INVALID', 'source.resourceVersion is not a number of 63 bits');
  }
  const unseen = change.op === 'd' && source.synthetic;
  const created = Date.parse(String((object['metadata'] as { creationTimestamp?: unknown } | undefined)?.creationTimestamp));
  const changedAtMs = Date.parse(change.ts);
  const made = by?.time === null || by?.time === undefined ? Number.NaN : Date.parse(by.time);
  return {
    offset,
    cluster: change.cluster,
    uid: source.uid,
    epoch: source.epoch,
    resourceVersion: source.resourceVersion,
    op: change.op,
    changedAtMs,
    madeAtMs: Number.isNaN(made) ? changedAtMs : made,
    createdAtMs: Number.isNaN(created) ? null : created,
    namespace: source.namespace,
    name: source.name,
    byManager: by?.manager ?? null,
    byOperation: by?.operation ?? null,
    synthetic: source.synthetic,
    snapshot: source.snapshot,
    object: unseen ? null : change.objectBytes,
    columns: unseen ? [] : columnValues(source.resource, object),
  };
}

function factOf(record: SourceRecord, value: Buffer): FactRow {
  let fact: Fact;
  try {
    fact = JSON.parse(value.toString('utf8')) as Fact;
  } catch {
    throw new KubetapeError('RECORD_INVALID', 'the fact is not valid JSON');
  }
  if (Number.isInteger(fact?.v) && fact.v > 1)
    throw new KubetapeError('RECORD_NEWER', `the fact has version ${String(fact.v)}, this binary knows 1`);
  const { cluster, resource, namespace, name, type, ts, uid, detail } = fact ?? {};
  for (const [field, text] of Object.entries({ cluster, resource, namespace, name, type, ts })) {
    if (typeof text !== 'string') throw new KubetapeError('RECORD_INVALID', `the fact has no valid field "${field}"`);
  }
  const atMs = Date.parse(ts);
  if (Number.isNaN(atMs)) throw new KubetapeError('RECORD_INVALID', 'the fact has no valid field "ts"');
  const known = typeof uid === 'string' && UUID.test(uid) ? uid : null;
  return {
    offset: record.offset,
    cluster,
    resource,
    namespace,
    name,
    type,
    atMs,
    uid: known,
    detail: Buffer.from(JSON.stringify(detail ?? {})),
  };
}
