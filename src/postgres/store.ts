/** The store of the sinks in Postgres. Fits Store (sinks/ports.ts). */
import { KubetapeError } from '../events/errors.ts';
import type { DeadLetter, FactRow, Position, ResourceTable, Store, StoreBatch, TopicPartition } from '../sinks/ports.ts';
import { binaryArray } from './binary-array.ts';
import { storeError } from './errors.ts';
import type { Client, Database } from './pool.ts';
import { parametersOf, wavesOf, writeStatement, type Statement } from './statements.ts';

export interface StoreListener {
  databaseOperation(facts: { readonly operation: string; readonly outcome: string; readonly seconds: number }): void;
}

const DAY_MS = 86_400_000;

export class PostgresStore implements Store {
  readonly #database: Database;
  readonly #listener: StoreListener;
  readonly #statements = new Map<string, Statement>();
  /** Tables and days that are known to be there: `pods`, `pods 20546`. */
  readonly #known = new Set<string>();

  constructor(database: Database, listener: StoreListener = { databaseOperation: () => undefined }) {
    this.#database = database;
    this.#listener = listener;
  }

  async ensureTable({ resource, table, group, kind, columns }: ResourceTable): Promise<void> {
    if (this.#known.has(table)) return;
    await this.#timed('ensure_table', () =>
      this.#database.query('SELECT k8s.ensure_resource($1, $2, $3, $4, $5)', [resource, table, group, kind, JSON.stringify(columns)]),
    );
    this.#known.add(table);
  }

  async position({ topic, partition }: TopicPartition): Promise<Position | null> {
    const rows = await this.#timed('read_position', () =>
      this.#database.query<{ next_offset: string; topic_id: string | null }>(
        'SELECT next_offset, topic_id FROM k8s.sink_offsets WHERE topic = $1 AND partition = $2',
        [topic, partition],
      ),
    );
    const [row] = rows;
    return row === undefined ? null : { topic, partition, nextOffset: Number(row.next_offset), topicId: row.topic_id };
  }

  async initialise({ topic, partition, nextOffset, topicId }: Position): Promise<void> {
    await this.#timed('initialise_position', () =>
      this.#database.query(
        'INSERT INTO k8s.sink_offsets (topic, partition, next_offset, topic_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        [topic, partition, nextOffset, topicId],
      ),
    );
  }

  async write(batch: StoreBatch): Promise<{ inserted: number }> {
    if (batch.table !== null) {
      await this.ensureTable(batch.table);
      await this.#ensureDays(batch.table, batch);
    }
    return this.#timed('write_batch', () => this.#write(batch));
  }

  async #write(batch: StoreBatch): Promise<{ inserted: number }> {
    let committing = false;
    try {
      return await this.#database.with(async (client) => {
        await client.query('BEGIN');
        let inserted = 0;
        try {
          await advance(client, batch);
          inserted = await this.#writeRows(client, batch);
          if (batch.facts.length > 0) await writeFacts(client, batch, batch.facts);
          for (const letter of batch.deadLetters) await writeDeadLetter(client, letter);
        } catch (error) {
          await client.query('ROLLBACK').catch(() => undefined);
          throw error;
        }
        committing = true;
        await client.query('COMMIT');
        return { inserted };
      });
    } catch (error) {
      const failure = storeError(error, this.#database.where);
      if (!committing || !failure.retryable) throw failure;
      // The answer to COMMIT was lost. The position tells whether it happened.
      const now = await this.position(batch);
      if (now?.nextOffset === batch.to) return { inserted: batch.rows.length };
      throw failure;
    }
  }

  async #writeRows(client: Client, { table, rows, partition }: StoreBatch): Promise<number> {
    if (table === null || rows.length === 0) return 0;
    const statement = this.#statements.get(table.table) ?? writeStatement(table);
    this.#statements.set(table.table, statement);
    let inserted = 0;
    for (const wave of wavesOf(rows)) {
      const values = encoded(() => parametersOf(table, partition, wave.rows, wave.last));
      const result = await client.query<{ inserted: number }>({ name: statement.name, text: statement.text, values });
      inserted += result.rows[0]?.inserted ?? 0;
    }
    return inserted;
  }

  /** Partitions of the history for the days of the batch, and for tomorrow, so that midnight needs no wait. */
  async #ensureDays({ table }: ResourceTable, { rows }: StoreBatch): Promise<void> {
    const days = new Set<number>([Math.floor(Date.now() / DAY_MS) + 1]);
    for (const { changedAtMs } of rows) days.add(Math.floor(changedAtMs / DAY_MS));
    for (const day of days) {
      const key = `${table} ${day}`;
      if (this.#known.has(key)) continue;
      const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
      await this.#timed('ensure_day', () => this.#database.query('SELECT k8s.ensure_day($1, $2)', [table, date]));
      this.#known.add(key);
    }
  }

  async #timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let outcome = 'ok';
    try {
      return await work();
    } catch (error) {
      outcome = error instanceof KubetapeError ? error.code : 'INTERNAL';
      throw error;
    } finally {
      this.#listener.databaseOperation({ operation, outcome, seconds: (performance.now() - startedMs) / 1000 });
    }
  }
}

/** A value that does not fit its column is the record's fault, as it is when the server says so. */
function encoded(encode: () => unknown[]): unknown[] {
  try {
    return encode();
  } catch {
    throw new KubetapeError('ROW_REJECTED', 'a value does not fit the type of its column', { cause: { sqlstate: '22003' } });
  }
}

/** First of all: it locks the partition's row, so that another owner waits and is then refused. */
async function advance(client: Client, { topic, partition, from, to }: StoreBatch): Promise<void> {
  const { rowCount } = await client.query({
    name: 'advance',
    text: 'UPDATE k8s.sink_offsets SET next_offset = $4, updated_at = now() WHERE topic = $1 AND partition = $2 AND next_offset = $3',
    values: [topic, partition, from, to],
  });
  if (rowCount !== 1) throw new KubetapeError('OFFSET_FENCED', `another worker has written ${topic}/${partition} beyond offset ${from}`);
}

async function writeFacts(client: Client, { topic, partition }: StoreBatch, facts: readonly FactRow[]): Promise<void> {
  const text = (of: (fact: FactRow) => string): Buffer => binaryArray('text', facts.map(of));
  await client.query({
    name: 'write_facts',
    text: `INSERT INTO k8s.event_stream (cluster, resource, namespace, name, type, at, uid, detail, kafka_offset, kafka_topic, kafka_partition)
SELECT *, $10::text, $11::int4 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::uuid[], $8::jsonb[], $9::int8[])`,
    values: [
      text(({ cluster }) => cluster),
      text(({ resource }) => resource),
      text(({ namespace }) => namespace),
      text(({ name }) => name),
      text(({ type }) => type),
      binaryArray(
        'timestamptz',
        facts.map(({ atMs }) => atMs),
      ),
      binaryArray(
        'uuid',
        facts.map(({ uid }) => uid),
      ),
      binaryArray(
        'jsonb',
        facts.map(({ detail }) => detail),
      ),
      binaryArray(
        'int8',
        facts.map(({ offset }) => offset),
      ),
      topic,
      partition,
    ],
  });
}

async function writeDeadLetter(client: Client, { record, code, sqlstate, message }: DeadLetter): Promise<void> {
  await client.query(
    'INSERT INTO k8s.dead_letters (topic, partition, "offset", key, headers, value, code, sqlstate, message) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING',
    [
      record.topic,
      record.partition,
      record.offset,
      record.key,
      JSON.stringify(record.headers).replaceAll('\\u0000', ''),
      record.value,
      code,
      sqlstate,
      message,
    ],
  );
}
