/** Facts of the topic `event-stream` → k8s.event_stream. */
import type { FactRow, TopicPartition } from '../sinks/ports.ts';
import { binaryArray, type ElementType } from './binary-array.ts';
import type { Client } from './pool.ts';

const COLUMNS: readonly (readonly [name: string, type: ElementType, of: (fact: FactRow) => unknown])[] = [
  ['cluster', 'text', ({ cluster }) => cluster],
  ['resource', 'text', ({ resource }) => resource],
  ['namespace', 'text', ({ namespace }) => namespace],
  ['name', 'text', ({ name }) => name],
  ['type', 'text', ({ type }) => type],
  ['at', 'timestamptz', ({ atMs }) => atMs],
  ['uid', 'uuid', ({ uid }) => uid],
  ['detail', 'jsonb', ({ detail }) => detail],
  ['kafka_offset', 'int8', ({ offset }) => offset],
];

// A position that a person set back replays facts that are there.
const TEXT = `INSERT INTO k8s.event_stream (kafka_topic, kafka_partition, ${COLUMNS.map(([name]) => name).join(', ')})
SELECT $1::text, $2::int4, t.* FROM unnest(${COLUMNS.map(([, type], at) => `$${at + 3}::${type}[]`).join(', ')}) AS t
ON CONFLICT DO NOTHING`;

export async function writeFacts(client: Client, { topic, partition }: TopicPartition, facts: readonly FactRow[]): Promise<number> {
  const { rowCount } = await client.query({ name: 'write_facts', text: TEXT, values: factParameters(topic, partition, facts) });
  return rowCount ?? 0;
}

function factParameters(topic: string, partition: number, facts: readonly FactRow[]): unknown[] {
  return [topic, partition, ...COLUMNS.map(([, type, of]) => binaryArray(type, facts.map(of)))];
}
