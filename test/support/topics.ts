/** What befalls topics: deleted, created again, cut off at their beginning. Done with Kafka's own means. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import kafka from 'node-rdkafka';
import type { Stack } from '../../scripts/stack/stack.ts';
import { until } from './kube.ts';

const TIMEOUT_MS = 15_000;

type AdminClient = ReturnType<typeof kafka.AdminClient.create>;

async function withAdmin<T>(stack: Stack, work: (admin: AdminClient) => Promise<T>): Promise<T> {
  const admin = kafka.AdminClient.create({ 'metadata.broker.list': stack.brokers });
  try {
    return await work(admin);
  } finally {
    admin.disconnect();
  }
}

function done(run: (callback: (error?: { message: string } | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error ? reject(new Error(error.message)) : resolve())));
}

export function createTopic(stack: Stack, topic: string, partitions: number): Promise<void> {
  return withAdmin(stack, (admin) =>
    // Its name may not be free yet: deleting goes on after it was answered.
    until(`topic ${topic} to be created`, async () => {
      await done((callback) =>
        admin.createTopic({ topic, num_partitions: partitions, replication_factor: 1 }, TIMEOUT_MS, callback as never),
      );
      return true;
    }),
  );
}

export function deleteTopic(stack: Stack, topic: string): Promise<void> {
  return withAdmin(stack, (admin) => done((callback) => admin.deleteTopic(topic, TIMEOUT_MS, callback as never)));
}

/** As retention would: the log of the partition begins at `offset` from now on. */
export async function deleteRecordsBefore(stack: Stack, topic: string, partition: number, offset: number): Promise<void> {
  const file = path.join(stack.dir, `delete-${Date.now()}.json`);
  writeFileSync(file, JSON.stringify({ partitions: [{ topic, partition, offset }], version: 1 }));
  const tool = stack.kafkaTool('org.apache.kafka.tools.DeleteRecordsCommand', [
    '--bootstrap-server',
    stack.brokers,
    '--offset-json-file',
    file,
  ]);
  let said = '';
  for (const stream of [tool.stdout, tool.stderr]) stream?.on('data', (text: Buffer) => (said += text.toString()));
  const code = await new Promise((resolve) => tool.once('exit', resolve));
  if (code !== 0 || !said.includes('low_watermark')) throw new Error(`deleting records failed: ${said}`);
}
