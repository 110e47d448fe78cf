/**
 * The commits of one partition, one after the other: each begins where the last one ended.
 *   in    records, a dead letter, or the end that was reached
 *   out   one transaction of the store, and its place in the metrics
 * Invariants (test/sinks/sink.test.ts):
 *   P2 exact  each batch begins where the store stands; what the store has already is not sent again
 */
import { decodeBatch } from './batch.ts';
import type { Content, DeadLetter, SinkTelemetry, SourceRecord, Store, StoreBatch, TopicPartition } from './ports.ts';

const NOTHING = { table: null, rows: [], facts: [], watches: [], deadLetters: [] } as const;

export class BatchWriter {
  readonly #at: TopicPartition;
  readonly #content: Content;
  readonly #store: Store;
  readonly #telemetry: SinkTelemetry;
  readonly #now: () => number;
  #position: number;

  constructor(at: TopicPartition, content: Content, position: number, store: Store, telemetry: SinkTelemetry, now: () => number) {
    this.#at = at;
    this.#content = content;
    this.#position = position;
    this.#store = store;
    this.#telemetry = telemetry;
    this.#now = now;
  }

  /** The next offset that the store expects. */
  get position(): number {
    return this.#position;
  }

  /** Those of the records that are not in the store yet. */
  rest(records: readonly SourceRecord[]): readonly SourceRecord[] {
    return records.filter(({ offset }) => offset >= this.#position);
  }

  /** @throws KubetapeError what the store did not take, or RECORD_NEWER once everything before that record is written */
  async records(records: readonly SourceRecord[]): Promise<void> {
    const rest = this.rest(records);
    if (rest.length === 0) return;
    const { batch, stop } = decodeBatch(this.#content, this.#position, rest);
    // Where the first record stops it, only the position is compared: a person may have moved it past that record.
    if (batch.to > batch.from || stop !== null) {
      const startedMs = performance.now();
      const { inserted } = await this.#store.write(batch);
      this.#position = batch.to;
      this.#tell(batch, inserted, (performance.now() - startedMs) / 1000);
    }
    if (stop !== null) throw stop;
  }

  async bury(letter: DeadLetter): Promise<void> {
    const { offset } = letter.record;
    await this.#store.write({ ...this.#at, ...NOTHING, from: this.#position, to: offset + 1, deadLetters: [letter] });
    this.#position = offset + 1;
    this.#telemetry.deadLetter({ ...this.#at, offset, code: letter.code });
  }

  /** @param to everything before this was read */
  async moveTo(to: number): Promise<void> {
    const forward = Math.max(this.#position, to);
    await this.#store.write({ ...this.#at, ...NOTHING, from: this.#position, to: forward });
    this.#position = forward;
  }

  #tell(
    { topic, table, partition, rows, facts, watches, messages = [], deadLetters }: StoreBatch,
    inserted: number,
    seconds: number,
  ): void {
    const resource = table?.resource ?? (watches.length > 0 ? 'checkpoints' : messages.length > 0 ? topic : 'event-stream');
    const others = facts.length + messages.length;
    if (rows.length + others > 0) {
      let bytes = 0;
      for (const { object } of rows) bytes += object?.length ?? 0;
      for (const { detail } of facts) bytes += detail.length;
      for (const { value } of messages) bytes += value?.length ?? 0;
      const duplicates = Math.max(0, rows.length - inserted);
      this.#telemetry.batchWritten({ resource, partition, rows: rows.length - duplicates + others, duplicates, bytes, seconds });
    }
    for (const { record, code } of deadLetters) this.#telemetry.deadLetter({ ...this.#at, offset: record.offset, code });
    const nowMs = this.#now();
    for (const { madeAtMs, snapshot } of rows) {
      if (!snapshot) this.#telemetry.changeAge({ resource, seconds: Math.max(0, (nowMs - madeAtMs) / 1000) });
    }
  }
}
