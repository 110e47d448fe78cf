/**
 * One partition on its way into the store: a buffer, and at most one batch under way. It is asked when something is due
 * and makes one attempt at a time; between attempts it holds nobody up.
 * Invariants (test/sinks/sink.test.ts):
 *   P1 order    batches are written one after the other, in the order of offsets
 *   P3 patient  nothing but a revocation, a fence or the end of the process gives a batch up
 */
import { KubetapeError } from '../events/errors.ts';
import { Batcher } from '../flow/batcher.ts';
import { BatchWriter } from './batch-writer.ts';
import { CLOCK, type Clock } from './clock.ts';
import { remedyOf } from './decisions.ts';
import type { Content, SinkTelemetry, SourceRecord, Store, TopicPartition } from './ports.ts';
import { WorkQueue, type Work } from './work.ts';

export interface BatchLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

/** Why nothing is written at the moment; null when all is well. */
export type Trouble = { readonly state: 'waiting' | 'stopped'; readonly error: KubetapeError } | null;

/**
 * A partition that is quiet so long writes its position again: over the markers behind its last record, as retention
 * would overtake it otherwise; and to learn that the store is away, or another one.
 */
const QUIET_MS = 10_000;

export class PartitionWriter {
  readonly at: TopicPartition;
  readonly #batches: BatchWriter;
  readonly #telemetry: SinkTelemetry;
  readonly #clock: Clock;
  readonly #batcher: Batcher<SourceRecord>;
  readonly #work = new WorkQueue();
  #newest = -1;
  #end = 0;
  #activeMs: number;
  #running: Promise<void> | null = null;
  #trouble: Trouble = null;
  #attempt = 0;
  #retryAtMs = 0;
  #fenced = false;
  #given = false;

  constructor(
    at: TopicPartition,
    content: Content,
    position: number,
    store: Store,
    { maxRows, maxBytes, maxWaitMs }: BatchLimits,
    telemetry: SinkTelemetry,
    clock: Clock = CLOCK,
  ) {
    this.at = { topic: at.topic, partition: at.partition };
    this.#batches = new BatchWriter(this.at, content, position, store, telemetry, clock.date);
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#activeMs = clock.now();
    this.#batcher = new Batcher({ maxItems: maxRows, maxBytes, maxWaitMs });
  }

  /** The next offset that the store expects. */
  get position(): number {
    return this.#batches.position;
  }

  /** The next offset that is wanted from the log. */
  get wanted(): number {
    return Math.max(this.position, this.#newest + 1);
  }

  /** Everything before this was read, records or not; 0 where the source does not tell. */
  get end(): number {
    return this.#end;
  }

  get bytes(): number {
    return this.#batcher.bytes + this.#work.bytes;
  }

  get busy(): boolean {
    return this.#running !== null;
  }

  get idle(): boolean {
    return !this.busy && this.#work.next === undefined && this.#batcher.items === 0;
  }

  get trouble(): Trouble {
    return this.#trouble;
  }

  /** Somebody else has written: what is held here is void, and the position is to be read again. */
  get fenced(): boolean {
    return this.#fenced;
  }

  /** When the oldest record that is not in the store was written to Kafka, ms since 1970. */
  get oldestMs(): number | null {
    const { next } = this.#work;
    const record = next?.is === 'letter' ? next.letter.record : next?.is === 'records' ? next.records[0] : this.#batcher.oldest;
    return record?.timestampMs ?? null;
  }

  add(record: SourceRecord): void {
    // Fetched twice, for a pause or a seek.
    if (record.offset < this.wanted || this.#given || this.#fenced) return;
    this.#newest = record.offset;
    this.#activeMs = this.#clock.now();
    this.#batcher.push(record, sizeOf(record), this.#activeMs);
  }

  /** The log was read up to here. */
  reached(offset: number): void {
    this.#end = Math.max(this.#end, offset);
  }

  /** Is something to be written now? */
  get due(): boolean {
    if (this.busy || this.#given || this.#fenced) return false;
    const nowMs = this.#clock.now();
    if (nowMs < this.#retryAtMs) return false;
    return this.#work.next !== undefined || this.#batcher.due(nowMs) || (this.idle && nowMs - this.#activeMs >= QUIET_MS);
  }

  /** The partition is not ours any more: forgets what is not under way. */
  giveUp(): void {
    this.#given = true;
    this.#drop();
  }

  /** Resolves when nothing is under way. */
  async finished(): Promise<void> {
    await this.#running;
  }

  /** Makes one attempt, at one batch. Never rejects: whatever goes wrong is the partition's trouble. */
  write(): Promise<void> {
    if (!this.due) return Promise.resolve();
    const running = this.#attemptOne().finally(() => (this.#running = null));
    this.#running = running;
    return running;
  }

  async #attemptOne(): Promise<void> {
    if (this.#work.next === undefined) {
      const { items, bytes } = this.#batcher.take();
      this.#work.put(items, bytes);
    }
    const { next } = this.#work;
    if (next === undefined) return;
    try {
      if (next.is === 'letter') await this.#batches.bury(next.letter);
      else if (next.is === 'records') await this.#batches.records(next.records);
      // What came meanwhile is not written yet, and lies beyond what was reached.
      else await this.#batches.moveTo(this.#batcher.items === 0 ? this.#end : this.position);
      this.#done(next);
    } catch (error) {
      const failure =
        error instanceof KubetapeError ? error : new KubetapeError('INTERNAL', 'a batch could not be made or written', { cause: error });
      this.#remedy(next, failure);
    }
  }

  #done(work: Work): void {
    this.#work.done(work);
    this.#attempt = 0;
    this.#activeMs = this.#clock.now();
    if (this.#trouble !== null) this.#telemetry.partitionState({ ...this.at, state: 'running' });
    this.#trouble = null;
  }

  #remedy(work: Work, failure: KubetapeError): void {
    if (this.#given) return;
    const rest = work.is === 'records' ? this.#batches.rest(work.records) : [];
    const remedy = remedyOf(failure, rest.length, this.#attempt + 1, this.#clock.random);
    switch (remedy.do) {
      case 'halve':
        this.#work.halve(rest);
        return;
      case 'bury':
        for (const record of rest) this.#work.bury(record, failure);
        return;
      case 'reposition':
        this.#telemetry.retry({ ...this.at, code: failure.code, attempt: 1, delayMs: 0, message: failure.message });
        this.#fenced = true;
        this.#drop();
        return;
      case 'wait':
      case 'stop':
        if (work.is === 'letter' && failure.code === 'ROW_REJECTED') this.#work.strip(work.letter);
        this.#attempt += 1;
        this.#retryAtMs = this.#clock.now() + remedy.ms;
        this.#complain(remedy.do === 'wait' ? 'waiting' : 'stopped', failure, remedy.ms);
    }
  }

  #complain(state: 'waiting' | 'stopped', error: KubetapeError, delayMs: number): void {
    const { code, message, hint } = error;
    if (this.#trouble?.state !== state || this.#trouble.error.code !== code) {
      this.#telemetry.partitionState({ ...this.at, state, reason: `${message}. ${hint}` });
    }
    if (state === 'waiting') this.#telemetry.retry({ ...this.at, code, attempt: this.#attempt, delayMs, message });
    this.#trouble = { state, error };
  }

  #drop(): void {
    this.#batcher.clear();
    this.#work.clear();
  }
}

/** Bytes a record holds in memory, roughly. */
function sizeOf({ key, value, headers }: SourceRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0) + 200;
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0);
  return bytes;
}
