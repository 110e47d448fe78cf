/**
 * What earlier runs said, read back from the log: `shared-state` and `kubetape-checkpoints` to their end.
 *   out   for each track its known objects and its checkpoint
 */
import { KubetapeError } from '../events/errors.ts';
import type { CheckpointRecord, StateRecord } from '../events/state.ts';
import { checkpointKey } from '../events/state.ts';
import { CHECKPOINTS, SHARED_STATE } from '../events/topics.ts';
import type { Track } from './entries.ts';
import type { LogMessage, LogReader } from './ports.ts';
import { projectionOf } from './projection.ts';
import type { Known, TrackerStart } from './detection.ts';
import { nameKey } from './tracker.ts';

/** An object that is recorded somewhere as being there. */
export interface Stranger {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly epoch: number;
}

export interface Memory {
  /**
   * @param strangers take the place of what is known under their names, so that a list which does not show them says
   *   that they are gone; what comes next is newer than all of them
   */
  startOf(track: Track, strangers?: readonly Stranger[]): TrackerStart;
  /** Objects known of resources or namespaces that no track covers any more. */
  readonly uncovered: number;
}

/** Events are forgotten by the API server after an hour: that is no change. */
function expires(track: Track): boolean {
  return track.resource === 'events';
}

/** @throws KubetapeError RECORD_INVALID: a record in these topics was not written by kubetape */
export async function readMemory(
  reader: LogReader,
  cluster: string,
  topicPrefix: string,
  tracks: readonly Track[],
  signal: AbortSignal,
): Promise<Memory> {
  const known = new Map<Track, Map<string, Known>>(tracks.map((track) => [track, new Map()]));
  const byResource = new Map<string, Map<string, Track>>();
  for (const track of tracks) {
    const namespaces = byResource.get(track.resource) ?? new Map<string, Track>();
    byResource.set(track.resource, namespaces.set(track.namespace, track));
  }
  const checkpoints = new Map<string, CheckpointRecord>();
  /** The highest epoch of each resource, and of each track. */
  const epochs = new Map<string | Track, number>();
  const raise = (of: string | Track, epoch: number): void => void epochs.set(of, Math.max(epoch, epochs.get(of) ?? 1));
  const uncovered = new Set<string>();
  const prefix = `${cluster}/`;

  const onState = ({ key, value }: LogMessage): void => {
    const [resource = '', namespace = '', ...rest] = key.slice(prefix.length).split('/');
    const name = rest.join('/');
    const namespaces = byResource.get(resource);
    const track = namespaces?.get('') ?? namespaces?.get(namespace);
    if (track === undefined) {
      if (value === null) uncovered.delete(key);
      else uncovered.add(key);
      return;
    }
    const objects = known.get(track);
    if (value === null) {
      objects?.delete(nameKey(namespace, name));
      return;
    }
    const { uid, resourceVersion, epoch, projection } = parse(value, key) as StateRecord;
    objects?.set(nameKey(namespace, name), { uid, resourceVersion, epoch, projection: JSON.stringify(projection), seen: 0 });
    raise(resource, epoch);
    raise(track, epoch);
  };
  const onCheckpoint = ({ key, value }: LogMessage): void => {
    if (value === null) {
      checkpoints.delete(key);
      return;
    }
    const checkpoint = parse(value, key) as CheckpointRecord;
    checkpoints.set(key, checkpoint);
    const [resource = ''] = key.slice(prefix.length).split('/');
    raise(resource, checkpoint.epoch);
  };

  const stateTopic = `${topicPrefix}${SHARED_STATE}`;
  await reader.readToEnd(
    [stateTopic, `${topicPrefix}${CHECKPOINTS}`],
    (message) => {
      if (!message.key.startsWith(prefix)) return;
      if (message.topic === stateTopic) onState(message);
      else onCheckpoint(message);
    },
    signal,
  );
  return {
    uncovered: uncovered.size,
    startOf: (track, strangers = []) => {
      const checkpoint = checkpoints.get(checkpointKey(cluster, track.resource, track.namespace)) ?? null;
      const said = epochs.get(checkpoint === null ? track.resource : track) ?? 1;
      return {
        known: withStrangers(known.get(track) ?? new Map(), strangers),
        checkpoint,
        epoch: Math.max(said, ...strangers.map(({ epoch }) => epoch + 1)),
        expires: expires(track),
        project: ({ kind, object }) => JSON.stringify(projectionOf(kind, object)),
      };
    },
  };
}

function withStrangers(known: Map<string, Known>, strangers: readonly Stranger[]): Map<string, Known> {
  for (const { namespace, name, uid, resourceVersion, epoch } of strangers)
    known.set(nameKey(namespace, name), { uid, resourceVersion, epoch, projection: '{}', seen: 0 });
  return known;
}

function parse(value: Buffer, key: string): unknown {
  try {
    return JSON.parse(value.toString('utf8')) as unknown;
  } catch {
    throw new KubetapeError('RECORD_INVALID', `the record of ${key} in shared-state or kubetape-checkpoints is not JSON`, {
      hint: 'Something other than kubetape writes to these topics.',
    });
  }
}
