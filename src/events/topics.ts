/** The topics kubetape keeps, and their policies. Pure: the broker's side is in src/kafka/. */
import { topicOf } from './resource.ts';

const HOUR_MS = 3_600_000;

/** A topic as it should be. `config` uses Kafka's own names; all values are text, as Kafka has them. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

export const SHARED_STATE = 'shared-state';
export const EVENT_STREAM = 'event-stream';
export const CHECKPOINTS = 'kubetape-checkpoints';
/** How far each file is that `kubetape load` brings into a topic. */
export const LOADS = 'kubetape-loads';

/** An object may have 1.5 MiB in etcd; a record adds its envelope, and redaction can lengthen short values. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

const COMPACTED_HISTORY = {
  'cleanup.policy': 'compact',
  // 72 h of full history to tap, then the last state of each object.
  'min.compaction.lag.ms': String(72 * HOUR_MS),
  // A consumer that was away for a week still learns of deletions.
  'delete.retention.ms': String(168 * HOUR_MS),
};
const COMPACTED = { 'cleanup.policy': 'compact', 'segment.ms': String(24 * HOUR_MS) };

export interface TopicPlan {
  readonly prefix: string;
  readonly partitions: number;
  /** Partitions by resource name, where they differ from `partitions`. */
  readonly partitionsOf?: Readonly<Record<string, number>>;
}

/** Every topic that `resources` (see resourceName) need, the resources' own first. */
export function topicSpecs(resources: readonly string[], plan: TopicPlan): TopicSpec[] {
  const spec = (name: string, partitions: number, config: Record<string, string>): TopicSpec => ({
    name,
    partitions,
    config: { ...config, 'max.message.bytes': String(MAX_MESSAGE_BYTES) },
  });
  const own = resources.map((resource) => {
    const partitions = plan.partitionsOf?.[resource] ?? plan.partitions;
    const policy = resource === 'events' ? { 'cleanup.policy': 'delete', 'retention.ms': String(72 * HOUR_MS) } : COMPACTED_HISTORY;
    return spec(topicOf(resource, plan.prefix), partitions, policy);
  });
  return [
    ...own,
    spec(`${plan.prefix}${SHARED_STATE}`, plan.partitions, COMPACTED),
    spec(`${plan.prefix}${EVENT_STREAM}`, plan.partitions, {
      'cleanup.policy': 'delete',
      'retention.ms': String(168 * HOUR_MS),
    }),
    spec(`${plan.prefix}${CHECKPOINTS}`, 1, COMPACTED),
  ];
}

/** Topics of any JSON, of which kubetape has no opinion how long they are kept; and what loading files into them needs. */
export function messageSpecs(names: readonly string[], { prefix, partitions }: TopicPlan): TopicSpec[] {
  const size = { 'max.message.bytes': String(MAX_MESSAGE_BYTES) };
  return [
    ...names.map((name) => ({ name: `${prefix}${name}`, partitions, config: size })),
    { name: `${prefix}${LOADS}`, partitions: 1, config: { ...COMPACTED, ...size } },
  ];
}

/** Whether kubetape itself writes to it: two readings of one topic in one database would take each other's place. */
export function isOwnTopic(name: string): boolean {
  return name.startsWith(topicOf('')) || [SHARED_STATE, EVENT_STREAM, CHECKPOINTS, LOADS].includes(name);
}
