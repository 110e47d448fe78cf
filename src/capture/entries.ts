/**
 * Detections become the records of one transaction's share: change record, tombstone, state, fact, position. Pure.
 *   in    a detection of one scope
 *   out   an entry; its records are written together or not at all
 */
import { hash } from 'node:crypto';
import { changeHeaders, encodeChange, type ChangeSource } from '../events/change.ts';
import type { Fact, GapDetail } from '../events/fact.ts';
import { changeKey, stateKey, topicOf, type ResourceType } from '../events/resource.ts';
import { checkpointKey, type CheckpointRecord, type Projection, type StateRecord } from '../events/state.ts';
import { CHECKPOINTS, EVENT_STREAM, SHARED_STATE } from '../events/topics.ts';
import { factsOf, type DerivedFact } from './facts.ts';
import type { OutgoingMessage } from './ports.ts';
import type { Sized } from './ring.ts';
import type { DetectedChange, Detection, Position } from './detection.ts';

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
export function checkpointMessage(track: Track, { resourceVersion, epoch, coverage }: Position, nowMs: number): OutgoingMessage {
  const since = iso(coverage.sinceMs);
  const record: CheckpointRecord = {
    v: 1,
    resourceVersion,
    epoch,
    scope: track.scope,
    ts: iso(nowMs),
    since,
    unwatchedMs: coverage.unwatchedMs,
  };
  return {
    topic: `${track.topicPrefix}${CHECKPOINTS}`,
    key: checkpointKey(track.cluster, track.resource, track.namespace),
    value: Buffer.from(JSON.stringify(record)),
  };
}

/** @param object what the fact is about; without one it is about the whole scope */
export function factMessage(track: Track, type: string, detail: Fact['detail'], nowMs: number, object?: DetectedChange): OutgoingMessage {
  const { cluster, resource } = track;
  const { namespace, name } = object ?? { namespace: track.namespace, name: '' };
  const version = object === undefined ? {} : { uid: object.uid, resourceVersion: object.resourceVersion, epoch: object.epoch };
  const fact: Fact = { v: 1, type, ts: iso(nowMs), cluster, resource, namespace, name, ...version, detail };
  return {
    topic: `${track.topicPrefix}${EVENT_STREAM}`,
    key: stateKey(cluster, resource, namespace, name),
    value: Buffer.from(JSON.stringify(fact)),
    headers: { type },
  };
}

function changeMessages(track: Track, change: DetectedChange, nowMs: number): OutgoingMessage[] {
  const { op, namespace, name, uid, resourceVersion, epoch, snapshot, observed } = change;
  const { cluster } = track;
  const kind = observed?.kind ?? track.type.kind;
  const source: ChangeSource = {
    group: track.type.group,
    version: track.type.version,
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
  const json = observed === null ? lastKnown(track, change) : (observed.json ?? JSON.stringify(observed.object));
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
  messages.push(stateMessage(track, namespace, name, stateOf(change, json)));
  const who = observed.by?.manager ?? null;
  for (const { type, detail } of derivedFacts(kind, change)) messages.push(factMessage(track, type, { ...detail, by: who }, nowMs, change));
  return messages;
}

function stateOf({ uid, resourceVersion, epoch, after }: DetectedChange, json: string | Buffer): Buffer {
  const head: Omit<StateRecord, 'projection'> = { v: 1, uid, resourceVersion, epoch, hash: hash('sha256', json, 'hex').slice(0, 16) };
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"projection":${after ?? '{}'}}`);
}

/** Most changes leave the projection as it was: then nothing is parsed. */
function derivedFacts(kind: string, { before, after }: DetectedChange): DerivedFact[] {
  if (before === null || after === null || before === after) return [];
  return factsOf(kind, JSON.parse(before) as Projection, JSON.parse(after) as Projection);
}

/** What is certain of an object that was found gone. */
function lastKnown({ type }: Track, { namespace, name, uid }: DetectedChange): string {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  const metadata = namespace === '' ? { name, uid } : { name, namespace, uid };
  return JSON.stringify({ kind: type.kind, apiVersion, metadata });
}

function stateMessage(track: Track, namespace: string, name: string, value: Buffer | null): OutgoingMessage {
  return { topic: `${track.topicPrefix}${SHARED_STATE}`, key: stateKey(track.cluster, track.resource, namespace, name), value };
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
