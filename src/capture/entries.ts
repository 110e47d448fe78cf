/**
 * Detections become the records of one transaction's share: change record, tombstone, state, fact, position. Pure.
 *   in    a detection of one scope
 *   out   an entry; its records are written together or not at all
 */
import { hash } from 'node:crypto';
import { changeHeaders, encodeChange, type ChangeSource } from '../events/change.ts';
import type { Fact, GapDetail } from '../events/fact.ts';
import { changeKey, stateKey, topicOf, type ResourceType } from '../events/resource.ts';
import { checkpointKey, type CheckpointRecord, type StateRecord } from '../events/state.ts';
import { CHECKPOINTS, EVENT_STREAM, SHARED_STATE } from '../events/topics.ts';
import type { OutgoingMessage } from './ports.ts';
import { projectionOf } from './projection.ts';
import type { Sized } from './ring.ts';
import type { DetectedChange, Detection, Position } from './tracker.ts';

/** One watch, as its records name it. */
export interface Track {
  readonly cluster: string;
  readonly type: ResourceType;
  readonly resource: string;
  /** '' for all namespaces. */
  readonly namespace: string;
  /** See CheckpointRecord.scope. */
  readonly scope: string;
  readonly topicPrefix: string;
}

export interface Entry extends Sized {
  readonly track: Track;
  readonly messages: readonly OutgoingMessage[];
  /** Reached once the messages are committed. */
  readonly position: Position | null;
  /** For counting: the change's op, when the API server made it, or what else this is. */
  readonly what: 'r' | 'c' | 'u' | 'd' | 'forgotten' | 'position' | 'gap';
  readonly changedAtMs: number | null;
}

export function entryOf(track: Track, detection: Detection, nowMs: number): Entry {
  switch (detection.type) {
    case 'change':
      return sized(
        track,
        changeMessages(track, detection.change, nowMs),
        detection.position,
        detection.change.op,
        detection.change.observed?.changedAtMs ?? null,
      );
    case 'forgotten':
      return sized(track, [stateMessage(track, detection.namespace, detection.name, null)], detection.position, 'forgotten', null);
    case 'position':
      return sized(track, [], detection.position, 'position', null);
    case 'gap': {
      const detail: GapDetail = { cause: detection.cause, from: edge(detection.from), to: edge(detection.to) };
      return sized(track, [factMessage(track, 'coverage.gap', detail, nowMs)], detection.position, 'gap', null);
    }
  }
}

/** The record that says how far a scope is committed. */
export function checkpointMessage(track: Track, position: Position, nowMs: number): OutgoingMessage {
  const record: CheckpointRecord = { v: 1, ...position, scope: track.scope, ts: iso(nowMs) };
  return {
    topic: `${track.topicPrefix}${CHECKPOINTS}`,
    key: checkpointKey(track.cluster, track.resource, track.namespace),
    value: Buffer.from(JSON.stringify(record)),
  };
}

export function factMessage(track: Track, type: string, detail: Fact['detail'], nowMs: number): OutgoingMessage {
  const fact: Fact = {
    v: 1,
    type,
    ts: iso(nowMs),
    cluster: track.cluster,
    resource: track.resource,
    namespace: track.namespace,
    name: '',
    detail,
  };
  return {
    topic: `${track.topicPrefix}${EVENT_STREAM}`,
    key: stateKey(track.cluster, track.resource, track.namespace, ''),
    value: Buffer.from(JSON.stringify(fact)),
    headers: { type },
  };
}

function changeMessages(track: Track, change: DetectedChange, nowMs: number): OutgoingMessage[] {
  const { op, namespace, name, uid, resourceVersion, epoch, snapshot, observed } = change;
  const { type, cluster } = track;
  const kind = observed?.kind ?? type.kind;
  const source: ChangeSource = {
    group: type.group,
    version: type.version,
    resource: track.resource,
    kind,
    namespace,
    name,
    uid,
    resourceVersion,
    epoch,
    snapshot,
    synthetic: observed === null,
  };
  const json = observed === null ? lastKnown(track, change) : JSON.stringify(observed.object);
  // managedFields name who wrote last, which is not who deleted.
  const by = op === 'd' ? null : (observed?.by ?? null);
  const topic = topicOf(track.resource, track.topicPrefix);
  const key = changeKey(cluster, namespace, name);
  const value = encodeChange({ op, ts: iso(nowMs), cluster, source, by }, json);
  const messages: OutgoingMessage[] = [{ topic, key, value, headers: { ...changeHeaders({ op, source }) } }];
  if (op === 'd' || observed === null) {
    messages.push({ topic, key, value: null }, stateMessage(track, namespace, name, null));
    return messages;
  }
  const state: StateRecord = {
    v: 1,
    uid,
    resourceVersion,
    epoch,
    hash: hash('sha256', json, 'hex').slice(0, 16),
    projection: projectionOf(kind, observed.object),
  };
  messages.push(stateMessage(track, namespace, name, state));
  return messages;
}

/** What is certain of an object that was found gone. */
function lastKnown({ type }: Track, { namespace, name, uid }: DetectedChange): string {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  const metadata = namespace === '' ? { name, uid } : { name, namespace, uid };
  return JSON.stringify({ kind: type.kind, apiVersion, metadata });
}

function stateMessage(track: Track, namespace: string, name: string, state: StateRecord | null): OutgoingMessage {
  return {
    topic: `${track.topicPrefix}${SHARED_STATE}`,
    key: stateKey(track.cluster, track.resource, namespace, name),
    value: state === null ? null : Buffer.from(JSON.stringify(state)),
  };
}

function edge({ resourceVersion, epoch, atMs }: Position & { readonly atMs: number }): GapDetail['from'] {
  return { resourceVersion, epoch, ts: iso(atMs) };
}

function sized(
  track: Track,
  messages: readonly OutgoingMessage[],
  position: Position | null,
  what: Entry['what'],
  changedAtMs: number | null,
): Entry {
  let bytes = 0;
  for (const { key, value } of messages) bytes += key.length + (value?.length ?? 0);
  return { track, messages, position, what, changedAtMs, records: Math.max(1, messages.length), bytes };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
