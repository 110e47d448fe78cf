/** Changes into a database the way a sink writes them: through the store, from records of Kafka. */
import type { Database } from '../../src/postgres/pool.ts';
import { PostgresStore } from '../../src/postgres/store.ts';
import { decodeBatch } from '../../src/sinks/batch.ts';
import type { SourceRecord } from '../../src/sinks/ports.ts';
import { changeValue, uidOf, type FakeChange } from '../sinks/fakes.ts';

let partitions = 10_000;
let uids = 500_000;

export function newUid(): string {
  uids += 1;
  return uidOf(uids);
}

/** @param size changes in one transaction */
export async function record(database: Database, changes: readonly FakeChange[], size = 1_000, resource = 'pods'): Promise<void> {
  const store = new PostgresStore(database);
  partitions += 1;
  const at = { topic: `k8s-${resource}`, partition: partitions };
  await store.initialise({ ...at, nextOffset: 0, topicId: null });
  for (let from = 0; from < changes.length; from += size) {
    const records = changes.slice(from, from + size).map((change, index): SourceRecord => ({
      ...at,
      offset: from + index,
      key: Buffer.from('k'),
      value: changeValue({ resource, ...change }),
      timestampMs: 1_700_000_000_000,
      headers: {},
    }));
    await store.write(decodeBatch('changes', from, records).batch);
  }
}

export const DAY_MS = 86_400_000;

/** A time so many days from now, as a record has it. */
export function inDays(days: number): string {
  return new Date(Date.now() + Math.round(days * DAY_MS)).toISOString();
}
