/** Topics of any JSON → a table each. */
import { tableOf } from '../events/resource.ts';
import type { MessageRow, TopicPartition } from '../sinks/ports.ts';
import { binaryArray } from './binary-array.ts';
import type { Client, Database } from './pool.ts';

/** The tables of topics that are known to be there. */
export class MessageTables {
  readonly #database: Database;
  readonly #names = new Map<string, string>();
  readonly #wanted: (topic: string) => string;

  /** @param wanted the name that a topic's table should have */
  constructor(database: Database, wanted: (topic: string) => string = tableOf) {
    this.#database = database;
    this.#wanted = wanted;
  }

  async ensure(topic: string): Promise<string> {
    const known = this.#names.get(topic);
    if (known !== undefined) return known;
    const [row] = await this.#database.query<{ name: string }>('SELECT k8s.ensure_messages($1, $2) AS name', [topic, this.#wanted(topic)]);
    const name = row?.name ?? this.#wanted(topic);
    this.#names.set(topic, name);
    return name;
  }

  forget(): void {
    this.#names.clear();
  }
}

// A position that a person set back replays messages that are there.
export async function writeMessages(
  client: Client,
  table: string,
  { topic, partition }: TopicPartition,
  messages: readonly MessageRow[],
): Promise<number> {
  const { rowCount } = await client.query({
    text: `INSERT INTO k8s.${client.escapeIdentifier(table)} (topic, partition, "offset", key, value, recorded_at)
           SELECT $1::text, $2::int4, t.* FROM unnest($3::int8[], $4::text[], $5::jsonb[], $6::timestamptz[]) AS t
           ON CONFLICT DO NOTHING`,
    values: [
      topic,
      partition,
      binaryArray(
        'int8',
        messages.map(({ offset }) => offset),
      ),
      binaryArray(
        'text',
        messages.map(({ key }) => key),
      ),
      binaryArray(
        'jsonb',
        messages.map(({ value }) => value),
      ),
      binaryArray(
        'timestamptz',
        messages.map(({ recordedAtMs }) => recordedAtMs),
      ),
    ],
  });
  return rowCount ?? 0;
}
