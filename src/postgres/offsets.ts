/** Positions of the sinks: how far each partition is in the tables. */
import { KubetapeError } from '../events/errors.ts';
import type { Position, TopicPartition } from '../sinks/ports.ts';
import type { Client, Database } from './pool.ts';

export async function readPosition(database: Database, { topic, partition }: TopicPartition): Promise<Position | null> {
  const [row] = await database.query<{ next_offset: string; topic_id: string | null }>(
    'SELECT next_offset, topic_id FROM k8s.sink_offsets WHERE topic = $1 AND partition = $2',
    [topic, partition],
  );
  return row === undefined ? null : { topic, partition, nextOffset: Number(row.next_offset), topicId: row.topic_id };
}

/** Stores the start of a partition; where one is stored, only the topic's id, if that is missing. */
export async function initialisePosition(database: Database, { topic, partition, nextOffset, topicId }: Position): Promise<void> {
  await database.query(
    `INSERT INTO k8s.sink_offsets (topic, partition, next_offset, topic_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT (topic, partition) DO UPDATE SET topic_id = excluded.topic_id
      WHERE sink_offsets.topic_id IS NULL AND excluded.topic_id IS NOT NULL`,
    [topic, partition, nextOffset, topicId],
  );
}

/**
 * First of all in a transaction: it locks the partition's row, so that another owner waits and is then refused.
 * @throws KubetapeError OFFSET_FENCED: the position is not `from`
 */
export async function advancePosition(
  client: Client,
  { topic, partition, from, to }: TopicPartition & { readonly from: number; readonly to: number },
): Promise<void> {
  const { rowCount } = await client.query({
    name: 'advance',
    text: 'UPDATE k8s.sink_offsets SET next_offset = $4, updated_at = now() WHERE topic = $1 AND partition = $2 AND next_offset = $3',
    values: [topic, partition, from, to],
  });
  if (rowCount !== 1)
    throw new KubetapeError(
      'OFFSET_FENCED',
      `the position of ${topic}/${partition} in the database is not ${from} any more: another worker has written`,
    );
}

/** Keeps the partition's writer out until the transaction ends. */
export async function lockPosition(client: Client, { topic, partition }: TopicPartition): Promise<void> {
  await client.query('SELECT FROM k8s.sink_offsets WHERE topic = $1 AND partition = $2 FOR UPDATE', [topic, partition]);
}
