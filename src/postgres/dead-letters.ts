/** Records that could not become rows, as they lie in Kafka. */
import type { DeadLetter } from '../sinks/ports.ts';
import type { Client, Database } from './pool.ts';

export async function writeDeadLetter(client: Client, { record, code, sqlstate, message }: DeadLetter): Promise<void> {
  const { topic, partition, offset, key, value, headers, timestampMs } = record;
  await client.query(
    `INSERT INTO k8s.dead_letters (topic, partition, "offset", key, headers, value, code, sqlstate, message, written_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10::float8 / 1000)) ON CONFLICT DO NOTHING`,
    [topic, partition, offset, key, JSON.stringify(storable(headers)), value, code, sqlstate, message, timestampMs],
  );
}

/** A dead letter as the table has it. */
export interface StoredLetter {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  /** null where it was rejected itself, and kept without its content. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly code: string;
  readonly sqlstate: string | null;
  readonly message: string;
  /** When the record was written to Kafka. */
  readonly writtenAt: Date;
  /** When it was set aside. */
  readonly at: Date;
  readonly retriedAt: Date | null;
}

export interface LetterFilter {
  /** The end of the topic's name; null for all. */
  readonly topicEnd: string | null;
  readonly sinceMs: number | null;
  /** Those that a retry has written, too. */
  readonly retried: boolean;
  /** Of more letters the newest. */
  readonly limit: number;
}

const SELECT = `SELECT id::text, topic, partition, "offset"::text, key, value, headers, code, sqlstate, message,
  written_at AS "writtenAt", at, retried_at AS "retriedAt" FROM k8s.dead_letters`;

/** @returns the oldest first */
export async function listLetters(database: Database, { topicEnd, sinceMs, retried, limit }: LetterFilter): Promise<StoredLetter[]> {
  const where = `($1::text IS NULL OR right(topic, length($1)) = $1) AND ($2::float8 IS NULL OR at >= to_timestamp($2 / 1000))
    AND ($3 OR retried_at IS NULL)`;
  const rows = await database.query<Selected>(
    `SELECT * FROM (${SELECT} WHERE ${where} ORDER BY dead_letters.id DESC LIMIT $4) AS newest ORDER BY id::bigint`,
    [topicEnd, sinceMs, retried, limit],
  );
  return rows.map(letterOf);
}

/** @param ids null for all that no retry has written */
export async function findLetters(database: Database, ids: readonly string[] | null): Promise<StoredLetter[]> {
  const where = ids === null ? 'retried_at IS NULL' : 'id = ANY ($1::bigint[])';
  const rows = await database.query<Selected>(`${SELECT} WHERE ${where} ORDER BY dead_letters.id`, ids === null ? [] : [ids]);
  return rows.map(letterOf);
}

/** Within the transaction that writes it. @returns false where somebody else has done so meanwhile */
export async function markRetried(client: Client, id: string): Promise<boolean> {
  const { rowCount } = await client.query('UPDATE k8s.dead_letters SET retried_at = now() WHERE id = $1 AND retried_at IS NULL', [id]);
  return rowCount === 1;
}

type Selected = Omit<StoredLetter, 'offset'> & { readonly offset: string };

function letterOf(row: Selected): StoredLetter {
  return { ...row, offset: Number(row.offset) };
}

/** What jsonb takes: it has neither U+0000 nor half of a surrogate pair. */
function storable(headers: Readonly<Record<string, string>>): Record<string, string> {
  const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [clean(name), clean(value)]));
}
