/**
 * The naive informer as a subject of `capture`: at most once, no redaction, no state, no transaction. Its forty lines are
 * in informer-process.ts.
 */
import { Child } from '../child.ts';
import type { Sample } from '../report.ts';
import { Replayed } from '../replayed.ts';
import type { Bench } from '../scenario.ts';
import type { Load } from '../scenarios/capture.ts';
import { countRecords, createTopic, TopicEnd } from '../topic.ts';
import { cpuSeconds, memoryMb } from '../usage.ts';
import { when } from '../wait.ts';

export const INFORMER = 'informer of @kubernetes/client-node';
const PARTITIONS = 3;
const WITHIN_MS = 600_000;
/** When no further record came for so long, none will. */
const QUIET_MS = 5_000;

export async function informerRun({ options, stack }: Bench, load: Load): Promise<Sample['values']> {
  const replayed = await Replayed.start(stack.dir, { seed: options.seed, objects: load.objects, bytesPerSecond: 0 });
  const topic = `bench-informer-${Date.now().toString(36)}`;
  await createTopic(stack, topic, PARTITIONS);
  const end = await TopicEnd.open(stack, topic, PARTITIONS);
  const informer = new Child('peers/informer-process.ts', { kubeconfig: replayed.kubeconfig, brokers: stack.brokers, topic });
  try {
    return await measured(stack, load, replayed, { topic, end, pid: informer.pid });
  } finally {
    await informer.end('SIGKILL');
    await end.close();
    await replayed.end();
  }
}

export interface Peer {
  readonly topic: string;
  readonly end: TopicEnd;
  readonly pid: number;
}

/** List, then events, until all are in the topic, or nothing comes any more. */
export async function measured(
  stack: Bench['stack'],
  { objects, events }: Load,
  replayed: Replayed,
  peer: Peer,
): Promise<Sample['values']> {
  const { topic, end, pid } = peer;
  await when('the list to be in the topic', async () => (await end.records()) >= objects, WITHIN_MS);
  const listedMs = Date.now() - (await replayed.state()).askedMs;
  const before = await replayed.state();
  const cpu = cpuSeconds([pid]);
  const startedMs = performance.now();
  await replayed.allow(events);
  let last = { records: 0, atMs: performance.now() };
  await when(
    'the events to be in the topic',
    async () => {
      const records = await end.records();
      if (records !== last.records) last = { records, atMs: performance.now() };
      const sent = (await replayed.state()).sent >= events;
      return records >= objects + events || (sent && performance.now() - last.atMs > QUIET_MS);
    },
    WITHIN_MS,
    50,
  );
  const seconds = (last.atMs - startedMs) / 1000;
  const used = cpuSeconds([pid]);
  const { records, distinct } = await countRecords(stack, topic);
  return {
    rate: (last.records - objects) / seconds,
    megabytes: ((await replayed.state()).bytes - before.bytes) / seconds / 1e6,
    cpu: cpu === null || used === null ? null : ((used - cpu) / events) * 1000,
    list: objects / (listedMs / 1000),
    peak: memoryMb(pid).peak,
    lost: objects + events - distinct,
    twice: records - distinct,
  };
}
