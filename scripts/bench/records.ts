/** A topic full of change records, as the collector writes them, without a collector. */
import { changeHeaders, encodeChange, type ChangeSource } from '../../src/events/change.ts';
import { changeKey } from '../../src/events/resource.ts';
import type { OutgoingMessage } from '../../src/capture/ports.ts';
import { TransactionalProducer } from '../../src/kafka/transactional-producer.ts';
import type { Stack } from '../stack/stack.ts';
import { PodGenerator } from './pods.ts';
import { createTopic } from './topic.ts';

const PER_TRANSACTION = 1_000;

export interface Filled {
  readonly records: number;
  readonly bytes: number;
}

/** The same rows for those who want them flat. */
export interface FlatTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly objects: number;
  readonly records: number;
  /** The sum of the last resourceVersion of each object. */
  readonly versions: bigint;
}

type RecordOf = (pods: PodGenerator, topic: string, at: number, objects: number) => OutgoingMessage;

/** First every object as it was listed, then changes of them. */
export async function fillTopic(
  stack: Stack,
  topic: string,
  seed: number,
  objects: number,
  records: number,
  recordOf: RecordOf = changeRecord,
): Promise<Filled> {
  const pods = new PodGenerator(seed, { managedFields: false });
  const producer = new TransactionalProducer({
    connection: { brokers: stack.brokers.split(','), clientId: 'kubetape-bench' },
    transactionalId: `bench-${topic}`,
    topics: [topic],
  });
  await producer.open(new AbortController().signal);
  let bytes = 0;
  try {
    for (let at = 0; at < records; at += PER_TRANSACTION) {
      const messages = Array.from({ length: Math.min(PER_TRANSACTION, records - at) }, (_, i) => recordOf(pods, topic, at + i, objects));
      for (const { value } of messages) bytes += value?.length ?? 0;
      await producer.commit(messages);
    }
  } finally {
    await producer.close();
  }
  return { records, bytes };
}

/** Fills a topic with flat records, one field a column, the object as text. */
export async function fillFlat(
  stack: Stack,
  topic: string,
  partitions: number,
  seed: number,
  objects: number,
  records: number,
): Promise<FlatTopic> {
  await createTopic(stack, topic, partitions);
  const last = new Map<string, number>();
  await fillTopic(stack, topic, seed, objects, records, (pods, to, at) => {
    const { pod, json, namespace, name } = podAt(pods, at, objects);
    const uid = pods.uidOf(pod.index);
    last.set(uid, pod.version);
    const columns = { cluster: 'bench', uid, namespace, name, operation: at < objects ? 'r' : 'u', changed_at: new Date().toISOString() };
    const filters = { by_manager: 'kubelet', phase: 'Running', node: 'node-1', ready: '1/1', resource_version: pod.version, object: json };
    return {
      topic: to,
      key: changeKey('bench', namespace, name),
      value: Buffer.from(JSON.stringify({ ...columns, ...filters })),
      headers: {},
    };
  });
  const versions = [...last.values()].reduce((sum, version) => sum + BigInt(version), 0n);
  return { topic, partitions, objects, records, versions };
}

function podAt(pods: PodGenerator, at: number, objects: number) {
  const pod = at < objects ? pods.listed(at) : pods.changed(at - objects, objects);
  const json = pods.pod(pod).toString('latin1');
  const namespace = /"namespace":"([^"]+)"/.exec(json)?.[1] ?? '';
  const name = /"name":"([^"]+)"/.exec(json)?.[1] ?? '';
  return { pod, json, namespace, name };
}

function changeRecord(pods: PodGenerator, topic: string, at: number, objects: number): OutgoingMessage {
  const { pod, json, namespace, name } = podAt(pods, at, objects);
  const source: ChangeSource = {
    group: '',
    version: 'v1',
    resource: 'pods',
    kind: 'Pod',
    namespace,
    name,
    uid: pods.uidOf(pod.index),
    resourceVersion: String(pod.version),
    epoch: 1,
    snapshot: at < objects,
    synthetic: false,
  };
  const op = at < objects ? 'r' : 'u';
  const time = new Date(pod.atMs).toISOString();
  const by = { manager: 'kubelet', operation: 'Update', time: `${time.slice(0, 19)}Z`, subresource: 'status' };
  // Today: the history has partitions for the days around it, as it has when it runs.
  const value = encodeChange({ op, ts: new Date().toISOString(), cluster: 'bench', source, by }, json);
  return { topic, key: changeKey('bench', namespace, name), value, headers: { ...changeHeaders({ op, source }) } };
}
