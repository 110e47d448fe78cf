/**
 * The sink worker: records of its partitions → batches → the store.
 *   in    a consumer group's member that is pulled from; who is slow pauses its partitions
 *   out   rows, each once, with the position in the same transaction
 * Invariants (test/sinks/sink.test.ts; SPEC.md says how they follow from the states of a partition):
 *   S1 once       every record is in the store once, through failures, fences, rebalances and restarts
 *   S2 bounded    over the budget no more is fetched, whatever the store does
 *   S3 alive      the loop goes on polling, so that the group never takes a worker for dead that only waits
 *   S4 apart      trouble of one partition holds up no other
 *   S5 drains     once stopped, what is under way is finished, within drainMs
 */
import PQueue from 'p-queue';
import { Assignment } from './assignment.ts';
import { CLOCK, type Clock } from './clock.ts';
import { Fetching } from './fetching.ts';
import { LagMeter } from './lag-meter.ts';
import { PartitionWriter, type BatchLimits } from './partition-writer.ts';
import type { Content, RecordSource, SinkTelemetry, SourceRecord, Store, TopicPartition } from './ports.ts';
import { Positions } from './positions.ts';
import type { PartitionHealth } from './slot.ts';

export interface SinkSettings extends BatchLimits {
  /** Most partitions written at once. */
  readonly writersMax: number;
  /** Most bytes of records held in memory, besides what one poll brings. */
  readonly memoryMaxBytes: number;
  /** Longest the drain may take after the signal (ms). */
  readonly drainMs: number;
}

export interface SinkTopic {
  readonly topic: string;
  readonly content: Content;
}

const LAG_EVERY_MS = 2_000;
const DISPLAY_EVERY_MS = 1_000;
const POLL_MIN_RECORDS = 16;
const POLL_MAX_RECORDS = 1_000;

export class Sink {
  readonly #source: RecordSource;
  readonly #telemetry: SinkTelemetry;
  readonly #settings: SinkSettings;
  readonly #clock: Clock;
  readonly #topics: ReadonlyMap<string, Content>;
  readonly #fetching: Fetching;
  readonly #assignment: Assignment;
  readonly #lags: LagMeter;
  readonly #queue: PQueue;
  readonly #queued = new Set<PartitionWriter>();
  readonly #ended = new AbortController();
  #polling: Promise<unknown> = Promise.resolve();
  #joined = false;
  #drainByMs = Infinity;

  constructor(
    source: RecordSource,
    store: Store,
    topics: readonly SinkTopic[],
    settings: SinkSettings,
    telemetry: SinkTelemetry,
    clock: Clock = CLOCK,
  ) {
    this.#source = source;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#topics = new Map(topics.map(({ topic, content }) => [topic, content]));
    this.#queue = new PQueue({ concurrency: settings.writersMax });
    this.#fetching = new Fetching(source, settings.memoryMaxBytes);
    this.#assignment = new Assignment({
      source,
      positions: new Positions(source, store, telemetry),
      fetching: this.#fetching,
      telemetry,
      clock,
      newWriter: (at, offset) =>
        new PartitionWriter(at, this.#topics.get(at.topic) ?? 'changes', offset, store, settings, telemetry, clock),
      ended: this.#ended.signal,
    });
    this.#lags = new LagMeter({
      source,
      telemetry,
      clock,
      isPaused: (at) => this.#fetching.isPaused(at),
      isCurrent: (writer) => this.#assignment.writerOf(writer.at) === writer,
      refuse: (writer, error) => this.#assignment.refuse(writer, error),
    });
  }

  /** The group has given this worker its share, which may be nothing. */
  get joined(): boolean {
    return this.#joined;
  }

  health(): PartitionHealth[] {
    return this.#assignment.health((writer) => this.#lags.of(writer));
  }

  /** Runs until `signal` fires, then drains. @throws KubetapeError when the source cannot go on */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#ended.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const timers = [every(LAG_EVERY_MS, () => this.#measureLags()), every(DISPLAY_EVERY_MS, async () => this.#display())];
    try {
      await this.#source.start([...this.#topics.keys()], {
        assigned: (partitions) => this.#assigned(partitions),
        revoked: (partitions) => this.#revoked(partitions),
        recreated: (topic) => this.#assignment.recreated(topic),
        outOfRange: () => this.#assignment.outOfRange(),
      });
      let ask = POLL_MAX_RECORDS;
      while (!signal.aborted) {
        const polling = this.#source.poll(ask);
        this.#polling = polling.catch(() => undefined);
        const records = await polling;
        // A poll for many waits a little for each: where few come, few are asked for.
        ask = Math.min(POLL_MAX_RECORDS, Math.max(POLL_MIN_RECORDS, 2 * records.length));
        this.#take(records);
        this.#writeDue();
        await this.#assignment.reposition();
        this.#fetching.balance(this.#assignment.loads);
      }
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
      for (const timer of timers) clearInterval(timer);
      await this.#drain();
    }
  }

  #take(records: readonly SourceRecord[]): void {
    const counts = new Map<string, number>();
    for (const record of records) {
      counts.set(record.topic, (counts.get(record.topic) ?? 0) + 1);
      this.#assignment.writerOf(record)?.add(record);
    }
    for (const [topic, count] of counts) this.#telemetry.recordsConsumed({ topic, count });
    for (const writer of this.#assignment.writers) {
      const end = this.#source.endReached(writer.at);
      if (end !== null) writer.reached(end);
    }
  }

  /** Hands what is due to the queue: one attempt each, so that nobody keeps a place while waiting. */
  #writeDue(): void {
    for (const writer of this.#assignment.writers) {
      if (!writer.due || this.#queued.has(writer)) continue;
      this.#queued.add(writer);
      void this.#queue
        .add(() => writer.write())
        // The drain clears the queue, which rejects what had not begun.
        .catch((error: unknown) => {
          if ((error as Error).name !== 'AbortError') throw error;
        })
        .finally(() => this.#queued.delete(writer));
    }
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<readonly (TopicPartition & { readonly offset: number })[]> {
    const starts = await this.#assignment.assigned(partitions, () => this.#polling);
    this.#joined = true;
    void this.#measureLags();
    return starts;
  }

  #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#assignment.revoked(partitions, Math.min(this.#settings.drainMs, this.#drainByMs - this.#clock.now()));
  }

  async #drain(): Promise<void> {
    this.#drainByMs = this.#clock.now() + this.#settings.drainMs;
    this.#queue.clear();
    await this.#assignment.giveUp(this.#settings.drainMs);
    this.#display();
    await this.#source.stop(Math.max(500, this.#drainByMs - this.#clock.now()));
  }

  #display(): void {
    const writers = this.#assignment.writers;
    this.#source.commitForDisplay(
      writers.map(({ at, position, end, idle }) => ({ ...at, offset: idle ? Math.max(position, end) : position })),
    );
  }

  #measureLags(): Promise<void> {
    return this.#lags.measure(this.#assignment.writers);
  }
}

function every(ms: number, work: () => Promise<void>): NodeJS.Timeout {
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    void work().finally(() => (running = false));
  }, ms);
  return timer.unref();
}
