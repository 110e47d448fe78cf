/** Records that could not become rows, as they lie in Kafka. */
import type { DeadLetter } from '../sinks/ports.ts';
import type { Client } from './pool.ts';

export async function writeDeadLetter(client: Client, { record, code, sqlstate, message }: DeadLetter): Promise<void> {
  const { topic, partition, offset, key, value, headers, timestampMs } = record;
  await client.query(
    `INSERT INTO k8s.dead_letters (topic, partition, "offset", key, headers, value, code, sqlstate, message, written_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10::float8 / 1000)) ON CONFLICT DO NOTHING`,
    [topic, partition, offset, key, JSON.stringify(storable(headers)), value, code, sqlstate, message, timestampMs],
  );
}

/** What jsonb takes: it has neither U+0000 nor half of a surrogate pair. */
function storable(headers: Readonly<Record<string, string>>): Record<string, string> {
  const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [clean(name), clean(value)]));
}
