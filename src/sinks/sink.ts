/**
 * The sink worker: records of its partitions → batches → the store.
 *   in    a consumer group's member that is pulled from; who is slow pauses its partitions
 *   out   rows, each once, with the position in the same transaction
 * Memory is bounded: over the budget no more is fetched, under it the loop goes on polling, so that the group never
 * takes a worker for dead that only waits for its store.
 */
import PQueue from 'p-queue';
import { KubetapeError } from '../events/errors.ts';
import { startOf } from './decisions.ts';
import { PartitionWriter, type BatchLimits } from './partition-writer.ts';
import type { RecordSource, SinkTelemetry, Store, TopicPartition } from './ports.ts';

export interface SinkSettings extends BatchLimits {
  /** Most partitions written at once. */
  readonly writersMax: number;
  /** Most bytes of records held in memory. */
  readonly memoryMaxBytes: number;
  /** Longest the drain may take after the signal (ms). */
  readonly drainMs: number;
}

export interface SinkTopic {
  readonly topic: string;
  readonly kind: 'changes' | 'facts';
}

export interface PartitionHealth extends TopicPartition {
  readonly ready: boolean;
  readonly reason: string | null;
  /** Records that are committed in Kafka and not yet in the store; null before it was looked up. */
  readonly lag: number | null;
}

const LAG_EVERY_MS = 2_000;
const DISPLAY_EVERY_MS = 1_000;
const POLL_RECORDS = 1_000;

export class Sink {
  readonly #source: RecordSource;
  readonly #store: Store;
  readonly #telemetry: SinkTelemetry;
  readonly #settings: SinkSettings;
  readonly #topics: ReadonlyMap<string, 'changes' | 'facts'>;
  readonly #writers = new Map<string, PartitionWriter>();
  /** Partitions that must not be written: why. */
  readonly #refused = new Map<string, TopicPartition & { readonly error: KubetapeError }>();
  readonly #lags = new Map<string, number>();
  readonly #queue: PQueue;
  #paused = false;
  #joined = false;

  constructor(source: RecordSource, store: Store, topics: readonly SinkTopic[], settings: SinkSettings, telemetry: SinkTelemetry) {
    this.#source = source;
    this.#store = store;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#topics = new Map(topics.map(({ topic, kind }) => [topic, kind]));
    this.#queue = new PQueue({ concurrency: settings.writersMax });
  }

  /** The group has given this worker its share, which may be nothing. */
  get joined(): boolean {
    return this.#joined;
  }

  health(): PartitionHealth[] {
    const running = [...this.#writers.values()].map((writer) => {
      const lag = this.#lags.get(keyOf(writer.at)) ?? null;
      const reason = writer.trouble?.error.message ?? (lag === null ? 'its lag is not known yet' : null);
      return { ...writer.at, ready: reason === null, reason, lag };
    });
    const refused = [...this.#refused.values()].map(({ topic, partition, error }) => ({
      topic,
      partition,
      ready: false,
      reason: `${error.message}. ${error.hint}`,
      lag: null,
    }));
    return [...running, ...refused];
  }

  /** Runs until `signal` fires, then drains. @throws KubetapeError when the source cannot go on */
  async run(signal: AbortSignal): Promise<void> {
    const housekeeping = [this.#every(LAG_EVERY_MS, () => this.#measureLags()), this.#every(DISPLAY_EVERY_MS, async () => this.#display())];
    try {
      await this.#source.start([...this.#topics.keys()], {
        assigned: (partitions) => this.#assigned(partitions),
        revoked: (partitions) => this.#revoked(partitions),
      });
      while (!signal.aborted) {
        const records = await this.#source.poll(POLL_RECORDS);
        const nowMs = Date.now();
        const counts = new Map<string, number>();
        for (const record of records) {
          counts.set(record.topic, (counts.get(record.topic) ?? 0) + 1);
          this.#writers.get(keyOf(record))?.add(record, nowMs);
        }
        for (const [topic, count] of counts) this.#telemetry.recordsConsumed({ topic, count });
        this.#writeDue(nowMs);
        this.#balance();
        await this.#followSeeks();
      }
    } finally {
      for (const timer of housekeeping) clearInterval(timer);
      await this.#drain();
    }
  }

  /** Hands every batch that is due to the queue; when draining, all that is left. */
  #writeDue(nowMs: number): void {
    for (const writer of this.#writers.values()) {
      if (!writer.due(nowMs)) continue;
      // `write` never rejects: whatever goes wrong is the partition's trouble.
      void this.#queue.add(() => writer.write());
    }
  }

  /** Over the budget nothing is fetched; below half of it everything is again. */
  #balance(): void {
    let bytes = 0;
    for (const writer of this.#writers.values()) bytes += writer.bytes;
    const partitions = [...this.#writers.values()].map(({ at }) => at);
    if (!this.#paused && bytes > this.#settings.memoryMaxBytes) {
      this.#source.pause(partitions);
      this.#paused = true;
    } else if (this.#paused && bytes < this.#settings.memoryMaxBytes / 2) {
      this.#source.resume(partitions);
      this.#paused = false;
    }
  }

  async #followSeeks(): Promise<void> {
    for (const writer of this.#writers.values()) {
      const offset = writer.takeSeek();
      if (offset !== null) await this.#source.seek({ ...writer.at, offset });
    }
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<(TopicPartition & { offset: number })[]> {
    const starts = await Promise.all(partitions.map((one) => this.#start(one)));
    this.#joined = true;
    // A pause does not hold for what is new.
    this.#paused = false;
    void this.#measureLags();
    return starts;
  }

  async #start(at: TopicPartition): Promise<TopicPartition & { offset: number }> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const [stored, held, topicId] = await Promise.all([
          this.#store.position(at),
          this.#source.watermarks(at),
          this.#source.topicId(at.topic),
        ]);
        const start = startOf(at, stored, held, topicId);
        switch (start.do) {
          case 'refuse':
            this.#refused.set(keyOf(at), { ...at, error: start.error });
            this.#telemetry.partitionState({ ...at, state: 'stopped', reason: `${start.error.message}. ${start.error.hint}` });
            return { ...at, offset: held.high };
          case 'initialise':
            await this.#store.initialise(start.position);
            // Another worker may have been first: its word counts.
            continue;
          case 'resume':
            this.#writers.set(
              keyOf(at),
              new PartitionWriter(at, this.#topics.get(at.topic) ?? 'changes', start.offset, this.#store, this.#settings, this.#telemetry),
            );
            this.#telemetry.partitionState({ ...at, state: 'running' });
            return { ...at, offset: start.offset };
        }
      } catch (error) {
        if (!(error instanceof KubetapeError)) throw error;
        const delayMs = Math.min(10_000, 200 * 2 ** Math.min(attempt, 10));
        this.#telemetry.retry({ ...at, code: error.code, attempt, delayMs, message: error.message });
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  /** The next owner waits until this is over: what is under way is finished, the rest is left to it. */
  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const gone = partitions.flatMap((at) => this.#writers.get(keyOf(at)) ?? []);
    for (const at of partitions) {
      this.#writers.delete(keyOf(at));
      this.#refused.delete(keyOf(at));
      this.#lags.delete(keyOf(at));
      this.#telemetry.partitionState({ ...at, state: 'revoked' });
    }
    for (const writer of gone) writer.giveUp();
    const untilMs = Date.now() + this.#settings.drainMs;
    while (gone.some(({ busy }) => busy) && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async #drain(): Promise<void> {
    const untilMs = Date.now() + this.#settings.drainMs;
    const healthy = [...this.#writers.values()].filter(({ trouble }) => trouble === null);
    for (const writer of healthy) void this.#queue.add(() => writer.write());
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, this.#settings.drainMs).unref());
    await Promise.race([this.#queue.onIdle(), timeout]);
    this.#display();
    for (const writer of this.#writers.values()) writer.giveUp();
    await this.#source.stop(Math.max(500, untilMs - Date.now()));
  }

  #display(): void {
    this.#source.commitForDisplay([...this.#writers.values()].map((writer) => ({ ...writer.at, offset: writer.position })));
  }

  async #measureLags(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => this.#measureLag(writer)));
  }

  async #measureLag(writer: PartitionWriter): Promise<void> {
    let high: number | null = null;
    try {
      ({ high } = await this.#source.watermarks(writer.at));
    } catch {
      // Kafka is away: what the lag is cannot be told.
    }
    if (!this.#writers.has(keyOf(writer.at))) return;
    if (high === null) {
      this.#lags.delete(keyOf(writer.at));
      this.#telemetry.lag({ ...writer.at, records: null, seconds: null });
      return;
    }
    // Markers of transactions take offsets too: behind the last record there is no lag.
    const end = this.#source.endReached(writer.at);
    const all = end !== null && end >= high && writer.bytes === 0 && !writer.busy;
    const records = all ? 0 : Math.max(0, high - writer.position);
    const seconds = records > 0 && writer.writtenMs > 0 ? Math.max(0, (Date.now() - writer.writtenMs) / 1000) : 0;
    this.#lags.set(keyOf(writer.at), records);
    this.#telemetry.lag({ ...writer.at, records, seconds });
  }

  #every(ms: number, work: () => Promise<void>): NodeJS.Timeout {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      void work().finally(() => (running = false));
    }, ms);
    timer.unref();
    return timer;
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
