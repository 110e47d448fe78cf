/** How far the collector's watches have come, of the topic `kubetape-checkpoints` → k8s.watches. */
import type { WatchRow } from '../sinks/ports.ts';
import { binaryArray, type ElementType } from './binary-array.ts';
import type { Client } from './pool.ts';

const COLUMNS: readonly (readonly [name: string, type: ElementType, of: (watch: WatchRow) => unknown])[] = [
  ['cluster', 'text', ({ cluster }) => cluster],
  ['resource', 'text', ({ resource }) => resource],
  ['namespace', 'text', ({ namespace }) => namespace],
  ['resource_version', 'int8', ({ resourceVersion }) => resourceVersion],
  ['epoch', 'int4', ({ epoch }) => epoch],
  ['seen_until', 'timestamptz', ({ seenMs }) => seenMs],
  ['since', 'timestamptz', ({ sinceMs }) => sinceMs],
  ['unwatched_ms', 'int8', ({ unwatchedMs }) => Math.round(unwatchedMs)],
];
const NAMES = COLUMNS.map(([name]) => name).join(', ');

// A position that a person set back replays checkpoints that were passed long ago.
const TEXT = `INSERT INTO k8s.watches (${NAMES.replace('unwatched_ms', 'unwatched')})
SELECT ${NAMES.replace('unwatched_ms', "unwatched_ms * interval '1 ms'")}
  FROM unnest(${COLUMNS.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ')}) AS t (${NAMES})
ON CONFLICT (cluster, resource, namespace) DO UPDATE
   SET resource_version = excluded.resource_version, epoch = excluded.epoch, seen_until = excluded.seen_until,
       since = excluded.since, unwatched = excluded.unwatched
 WHERE (excluded.epoch, excluded.resource_version) >= (watches.epoch, watches.resource_version)`;

export async function writeWatches(client: Client, watches: readonly WatchRow[]): Promise<void> {
  await client.query({ name: 'write_watches', text: TEXT, values: COLUMNS.map(([, type, of]) => binaryArray(type, watches.map(of))) });
}
