/**
 * The store of the sinks in Postgres. Fits Store (sinks/ports.ts).
 * Invariants (test/postgres/store.test.ts, connection-loss.test.ts):
 *   S1 atomic   rows, facts, dead letters and position change together or not at all
 *   S2 once     whatever is written again, and in whatever order, is in the history once and moves the present only forward
 *   S3 fenced   who does not know the position writes nothing
 *   S4 certain  a commit whose answer was lost is looked up, not guessed
 */
import { isCode, KubetapeError } from '../events/errors.ts';
import type { ResourceTable } from '../columns/table.ts';
import type { Position, Store, StoreBatch, TopicPartition } from '../sinks/ports.ts';
import { HistoryDays } from './days.ts';
import { markRetried, writeDeadLetter } from './dead-letters.ts';
import { sqlstateOf, storeError } from './errors.ts';
import { writeFacts } from './facts.ts';
import { MessageTables, writeMessages } from './messages.ts';
import { advancePosition, initialisePosition, lockPosition, readPosition } from './offsets.ts';
import { BEGIN, type Client, type Database } from './pool.ts';
import { writeWatches } from './watches.ts';
import { wavesOf } from './waves.ts';
import { pastStatement, writeParameters, writeStatement, type Statement } from './write-statement.ts';

export interface StoreListener {
  databaseOperation(facts: { readonly operation: string; readonly outcome: string; readonly seconds: number }): void;
}

export class PostgresStore implements Store {
  readonly #database: Database;
  readonly #listener: StoreListener;
  readonly #days: HistoryDays;
  readonly #statements = new Map<string, Statement>();
  /** By resource, the tables that are known to be there. */
  readonly #tables = new Map<string, ResourceTable>();
  readonly #messages: MessageTables;
  /** Per partition, where it stands if the commit that got no answer did happen. */
  readonly #uncertain = new Map<string, { readonly from: number; readonly to: number }>();

  /** @param messageTable the name that the table of a topic of messages should have */
  constructor(
    database: Database,
    listener: StoreListener = { databaseOperation: () => undefined },
    messageTable?: (topic: string) => string,
  ) {
    this.#database = database;
    this.#listener = listener;
    this.#days = new HistoryDays(database);
    this.#messages = new MessageTables(database, messageTable);
  }

  async ensureTable(wanted: ResourceTable): Promise<ResourceTable> {
    const known = this.#tables.get(wanted.resource);
    if (known !== undefined) return known;
    const { resource, table, group, kind, columns } = wanted;
    const [row] = await this.#timed('ensure_table', () =>
      this.#database.query<{ name: string }>('SELECT k8s.ensure_resource($1, $2, $3, $4, $5) AS name', [
        resource,
        table,
        group,
        kind,
        JSON.stringify(columns),
      ]),
    );
    const there = { ...wanted, table: row?.name ?? table };
    this.#tables.set(resource, there);
    return there;
  }

  position(partition: TopicPartition): Promise<Position | null> {
    return this.#timed('read_position', () => readPosition(this.#database, partition));
  }

  initialise(position: Position): Promise<void> {
    return this.#timed('initialise_position', () => initialisePosition(this.#database, position));
  }

  async write(batch: StoreBatch): Promise<{ inserted: number }> {
    if ((batch.messages ?? []).length > 0) await this.#timed('ensure_table', () => this.#messages.ensure(batch.topic));
    if (batch.table === null || batch.rows.length === 0) return this.#timed('write_batch', () => this.#write(batch));
    const table = await this.ensureTable(batch.table);
    await this.#days.ensure(table, batch.rows, Date.now());
    return this.#timed('write_batch', () => this.#write({ ...batch, table }));
  }

  /**
   * One dead letter's record, again: as a sink writes it, while the sink of its partition is kept out. What the present has
   * overtaken goes to the history alone. Marks the letter in the same transaction.
   * @param dryRun tries it, and leaves no row behind
   * @returns known: the tables had it, or somebody else has just retried it
   * @throws KubetapeError ROW_REJECTED, and as `write` does
   */
  async writeAgain(batch: StoreBatch, letterId: string, dryRun: boolean): Promise<'written' | 'past' | 'known'> {
    const table = batch.table === null ? null : await this.ensureTable(batch.table);
    if (table !== null) await this.#days.ensure(table, batch.rows, Date.now());
    return this.#timed('retry_letter', () =>
      this.#database.with(async (client) => {
        await client.query(BEGIN);
        try {
          await lockPosition(client, batch);
          const mine = await markRetried(client, letterId);
          const outcome = mine ? await this.#rewrite(client, { ...batch, table }) : 'known';
          await client.query(dryRun ? 'ROLLBACK' : 'COMMIT');
          return outcome;
        } catch (error) {
          const failure = storeError(error, this.#database.where);
          if (isCode(failure, 'ROW_REJECTED')) await client.query('ROLLBACK');
          throw failure;
        }
      }),
    );
  }

  async #rewrite(client: Client, batch: StoreBatch): Promise<'written' | 'past' | 'known'> {
    if (batch.facts.length > 0) return (await writeFacts(client, batch, batch.facts)) > 0 ? 'written' : 'known';
    if (batch.watches.length > 0) {
      await writeWatches(client, batch.watches);
      return 'written';
    }
    if ((await this.#writeRows(client, batch)) > 0) return 'written';
    return (await this.#writeRows(client, batch, pastStatement)) > 0 ? 'past' : 'known';
  }

  async #write(batch: StoreBatch): Promise<{ inserted: number }> {
    const key = `${batch.topic} ${batch.partition}`;
    let committing = false;
    try {
      const inserted = await this.#database.with((client) => this.#transaction(client, batch, () => (committing = true)));
      this.#uncertain.delete(key);
      return { inserted };
    } catch (error) {
      const failure = storeError(error, this.#database.where);
      // No SQLSTATE: it is not the server that said no.
      if (committing && sqlstateOf(failure) === null) this.#uncertain.set(key, { from: batch.from, to: batch.to });
      if (isCode(failure, 'OFFSET_FENCED') || committing) {
        const uncertain = this.#uncertain.get(key);
        // While this fails too, it stays uncertain: the next attempt is fenced if it had happened, and comes back here.
        if (uncertain?.from === batch.from && (await readPosition(this.#database, batch))?.nextOffset === uncertain.to) {
          this.#uncertain.delete(key);
          if (uncertain.to === batch.to) return { inserted: batch.rows.length };
        }
      }
      // Somebody may have made the schema anew.
      if (isCode(failure, 'SCHEMA_MISSING')) {
        this.#tables.clear();
        this.#days.forget();
        this.#messages.forget();
      }
      throw failure;
    }
  }

  async #transaction(client: Client, batch: StoreBatch, onCommit: () => void): Promise<number> {
    await client.query(BEGIN);
    let inserted = 0;
    try {
      await advancePosition(client, batch);
      inserted = await this.#writeRows(client, batch);
      if (batch.facts.length > 0) await writeFacts(client, batch, batch.facts);
      if (batch.watches.length > 0) await writeWatches(client, batch.watches);
      const { messages = [] } = batch;
      if (messages.length > 0) await writeMessages(client, await this.#messages.ensure(batch.topic), batch, messages);
      for (const letter of batch.deadLetters) await writeDeadLetter(client, letter);
    } catch (error) {
      const failure = storeError(error, this.#database.where);
      // After anything else the connection is thrown away, and may not even answer.
      if (isCode(failure, 'ROW_REJECTED', 'OFFSET_FENCED')) await client.query('ROLLBACK');
      throw failure;
    }
    onCommit();
    await client.query('COMMIT');
    return inserted;
  }

  async #writeRows(client: Client, { table, rows, partition }: StoreBatch, statementOf = writeStatement): Promise<number> {
    if (table === null || rows.length === 0) return 0;
    const key = `${statementOf.name} ${table.table}`;
    const statement = this.#statements.get(key) ?? statementOf(table);
    this.#statements.set(key, statement);
    let inserted = 0;
    for (const wave of wavesOf(rows)) {
      const values = encoded(() => writeParameters(table, partition, wave));
      const result = await client.query<{ inserted: number }>({ ...statement, values });
      inserted += result.rows[0]?.inserted ?? 0;
    }
    return inserted;
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
    throw new KubetapeError('ROW_REJECTED', 'the record was rejected: a value does not fit the type of its column (SQLSTATE 22003)', {
      cause: { sqlstate: '22003' },
    });
  }
}
