/**
 * One partition on its way into the store: a buffer, and at most one batch under way.
 * Invariants (test/sinks/sink.test.ts):
 *   P1 order   batches are written one after the other, in the order of offsets
 *   P2 exact   each batch begins where the store stands; what the store has already is not sent again
 *   P3 patient nothing but a revocation or the end of the process gives a batch up
 */
import { KubetapeError } from '../events/errors.ts';
import { decodeBatch, type Decoded } from './batch.ts';
import { remedyOf } from './decisions.ts';
import type { SinkTelemetry, SourceRecord, Store, TopicPartition } from './ports.ts';

export interface BatchLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

/** Why nothing is written at the moment; null when all is well. */
export type Trouble = { readonly state: 'retrying' | 'stopped'; readonly error: KubetapeError } | null;

export class PartitionWriter {
  readonly at: TopicPartition;
  readonly #kind: 'changes' | 'facts';
  readonly #store: Store;
  readonly #limits: BatchLimits;
  readonly #telemetry: SinkTelemetry;
  readonly #given = new AbortController();
  #records: SourceRecord[] = [];
  #bytes = 0;
  #sinceMs = 0;
  #position: number;
  #busy = false;
  #trouble: Trouble = null;
  /** Set when the position in the store is not ours any more: the source has to go there. */
  #seekTo: number | null = null;
  /** Timestamp of the last record that is in the store. */
  #writtenMs = 0;

  constructor(
    at: TopicPartition,
    kind: 'changes' | 'facts',
    position: number,
    store: Store,
    limits: BatchLimits,
    telemetry: SinkTelemetry,
  ) {
    this.at = at;
    this.#kind = kind;
    this.#position = position;
    this.#store = store;
    this.#limits = limits;
    this.#telemetry = telemetry;
  }

  /** The next offset that the store expects. */
  get position(): number {
    return this.#position;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get trouble(): Trouble {
    return this.#trouble;
  }

  /** When the newest stored record was written to Kafka, ms since 1970; 0 before the first. */
  get writtenMs(): number {
    return this.#writtenMs;
  }

  /** @returns the offset to which the source must go back, once */
  takeSeek(): number | null {
    const offset = this.#seekTo;
    this.#seekTo = null;
    return offset;
  }

  add(record: SourceRecord, nowMs: number): void {
    // Fetched before a seek took effect, or again after it.
    if (record.offset < this.#position || this.#seekTo !== null) return;
    const newest = this.#records.at(-1);
    if (newest !== undefined && record.offset <= newest.offset) return;
    if (this.#records.length === 0) this.#sinceMs = nowMs;
    this.#records.push(record);
    this.#bytes += sizeOf(record);
  }

  /** Is a batch to be written now? */
  due(nowMs: number): boolean {
    if (this.#busy || this.#records.length === 0) return false;
    return (
      this.#records.length >= this.#limits.maxRows ||
      this.#bytes >= this.#limits.maxBytes ||
      nowMs - this.#sinceMs >= this.#limits.maxWaitMs
    );
  }

  /** The partition is not ours any more: gives up waiting, and forgets what is not under way. */
  giveUp(): void {
    this.#given.abort();
    this.#records = [];
    this.#bytes = 0;
  }

  /** Writes one batch, through whatever trouble; resolves when it is in the store, or given up. */
  async write(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const batch = this.#take();
      if (batch.length > 0) await this.#writeAll(batch);
    } finally {
      this.#busy = false;
      this.#sinceMs = Date.now();
    }
  }

  #take(): SourceRecord[] {
    const batch: SourceRecord[] = [];
    let bytes = 0;
    for (const record of this.#records) {
      if (batch.length >= this.#limits.maxRows || (batch.length > 0 && bytes + sizeOf(record) > this.#limits.maxBytes)) break;
      batch.push(record);
      bytes += sizeOf(record);
    }
    this.#records = this.#records.slice(batch.length);
    this.#bytes -= bytes;
    return batch;
  }

  /** @returns false when the batch was given up or is void */
  async #writeAll(records: readonly SourceRecord[]): Promise<boolean> {
    for (let attempt = 1; !this.#given.signal.aborted; attempt += 1) {
      const decoded = decodeBatch(this.#kind, this.#position, records);
      try {
        await this.#writeDecoded(decoded);
        if (decoded.stop === null) {
          this.#settle(null);
          return true;
        }
        throw decoded.stop;
      } catch (error) {
        const failure =
          error instanceof KubetapeError ? error : new KubetapeError('INTERNAL', 'the batch could not be made', { cause: error });
        const rest = records.filter(({ offset }) => offset >= this.#position);
        const remedy = remedyOf(failure, rest.length, attempt, Math.random);
        switch (remedy.do) {
          case 'halve': {
            const middle = Math.ceil(rest.length / 2);
            return (await this.#writeAll(rest.slice(0, middle))) && this.#writeAll(rest.slice(middle));
          }
          case 'bury':
            return this.#bury(rest, failure);
          case 'reposition':
            return this.#reposition(failure);
          case 'wait':
            this.#trouble = { state: 'retrying', error: failure };
            this.#telemetry.retry({ ...this.at, code: failure.code, attempt, delayMs: remedy.ms, message: failure.message });
            await this.#sleep(remedy.ms);
            break;
          case 'stop':
            if (this.#trouble?.state !== 'stopped')
              this.#telemetry.partitionState({ ...this.at, state: 'stopped', reason: `${failure.message}. ${failure.hint}` });
            this.#trouble = { state: 'stopped', error: failure };
            await this.#sleep(remedy.ms);
            break;
        }
        records = rest;
      }
    }
    return false;
  }

  async #writeDecoded({ batch, newestMs }: Decoded): Promise<void> {
    if (batch.to === batch.from) return;
    const startedMs = performance.now();
    const { inserted } = await this.#store.write(batch);
    this.#position = batch.to;
    const { rows, facts, deadLetters } = batch;
    const resource = batch.table?.resource ?? (this.#kind === 'facts' ? 'event-stream' : '');
    if (rows.length + facts.length > 0) {
      const bytes =
        rows.reduce((sum, { object }) => sum + (object?.length ?? 0), 0) + facts.reduce((sum, { detail }) => sum + detail.length, 0);
      const seconds = (performance.now() - startedMs) / 1000;
      const duplicates = rows.length - inserted;
      this.#telemetry.batchWritten({
        resource,
        partition: batch.partition,
        rows: inserted + facts.length,
        duplicates: Math.max(0, duplicates),
        bytes,
        seconds,
      });
    }
    for (const { record, code } of deadLetters) this.#telemetry.deadLetter({ ...this.at, offset: record.offset, code });
    if (newestMs !== null) {
      this.#writtenMs = newestMs;
      const nowMs = Date.now();
      for (const { madeAtMs, snapshot } of rows)
        if (!snapshot) this.#telemetry.changeAge({ resource, seconds: Math.max(0, (nowMs - madeAtMs) / 1000) });
    }
  }

  /** Sets the one record aside, in the same transaction as its offset. */
  async #bury(records: readonly SourceRecord[], failure: KubetapeError): Promise<boolean> {
    const [record] = records;
    if (record === undefined) return true;
    const sqlstate = (failure.cause as { sqlstate?: string } | undefined)?.sqlstate ?? null;
    const letter = { record, code: failure.code, sqlstate, message: failure.message };
    const batch = { ...this.at, from: this.#position, to: record.offset + 1, table: null, rows: [], facts: [], deadLetters: [letter] };
    for (let attempt = 1; !this.#given.signal.aborted; attempt += 1) {
      try {
        await this.#writeDecoded({ batch, stop: null, newestMs: null });
        this.#settle(null);
        return true;
      } catch (error) {
        const again =
          error instanceof KubetapeError ? error : new KubetapeError('INTERNAL', 'the dead letter could not be written', { cause: error });
        if (again.code === 'OFFSET_FENCED') return this.#reposition(again);
        this.#settle({ state: 'retrying', error: again });
        await this.#sleep(Math.min(10_000, 100 * 2 ** attempt));
      }
    }
    return false;
  }

  /** Somebody else wrote: go where the store stands. Whether the partition still is ours the group will tell. */
  async #reposition(failure: KubetapeError): Promise<boolean> {
    this.#telemetry.retry({ ...this.at, code: failure.code, attempt: 1, delayMs: 0, message: failure.message });
    while (!this.#given.signal.aborted) {
      try {
        const stored = await this.#store.position(this.at);
        this.#position = stored?.nextOffset ?? this.#position;
        this.#seekTo = this.#position;
        this.#records = [];
        this.#bytes = 0;
        return false;
      } catch {
        await this.#sleep(500);
      }
    }
    return false;
  }

  #settle(trouble: Trouble): void {
    if (this.#trouble !== null && trouble === null) this.#telemetry.partitionState({ ...this.at, state: 'running' });
    this.#trouble = trouble;
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#given;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** Bytes a record holds in memory, roughly. */
function sizeOf({ key, value }: SourceRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + 200;
}
