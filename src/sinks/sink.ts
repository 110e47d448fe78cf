/**
 * The sink worker: records of its partitions → batches → the store.
 *   in    a consumer group's member that is pulled from; who is slow pauses its partitions
 *   out   rows, each once, with the position in the same transaction
 * Invariants (test/sinks/sink.test.ts):
 *   S1 once       every record is in the store once, through failures, fences, rebalances and restarts
 *   S2 bounded    over the budget no more is fetched, whatever the store does
 *   S3 alive      the loop goes on polling, so that the group never takes a worker for dead that only waits
 *   S4 apart      trouble of one partition holds up no other
 *   S5 drains     once stopped, what is under way is finished, within drainMs
 */
import PQueue from 'p-queue';
import type { KubetapeError } from '../events/errors.ts';
import { pausedOf } from './budget.ts';
import { STOPPED_MS, startOf } from './decisions.ts';
import { lagOf, type Look } from './lag.ts';
import { CLOCK, PartitionWriter, type BatchLimits, type Clock } from './partition-writer.ts';
import type { RecordSource, SinkTelemetry, SourceRecord, Store, TopicPartition } from './ports.ts';
import { Positions } from './positions.ts';
import { pause } from '../flow/pause.ts';

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
  readonly kind: 'changes' | 'facts';
}

export interface PartitionHealth extends TopicPartition {
  readonly ready: boolean;
  readonly reason: string | null;
  /** Records that are committed in Kafka and not yet in the store; null before it was looked up. */
  readonly lag: number | null;
}

/** A partition of this worker. Without a writer nothing of it is fetched. */
interface Slot {
  readonly at: TopicPartition;
  writer: PartitionWriter | null;
  /** Why there is no writer. */
  error: KubetapeError | null;
  /** The end that was reached before this writer began. */
  endBefore: number | null;
  /** Found anew: the source has to go there first. */
  offset: number | null;
  searching: boolean;
  /** A refused partition is looked at again: a person may have decided. */
  lookAgainMs: number;
  look: Look | null;
  lag: number | null;
  /** Looks in a row at which the log did not hold what is wanted. */
  refusals: number;
}

const LAG_EVERY_MS = 2_000;
const DISPLAY_EVERY_MS = 1_000;
const POLL_MIN_RECORDS = 16;
const POLL_MAX_RECORDS = 1_000;

export class Sink {
  readonly #source: RecordSource;
  readonly #store: Store;
  readonly #telemetry: SinkTelemetry;
  readonly #settings: SinkSettings;
  readonly #clock: Clock;
  readonly #topics: ReadonlyMap<string, 'changes' | 'facts'>;
  readonly #positions: Positions;
  readonly #slots = new Map<string, Slot>();
  readonly #queue: PQueue;
  readonly #queued = new Set<PartitionWriter>();
  readonly #ended = new AbortController();
  #paused = new Set<string>();
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
    this.#store = store;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#topics = new Map(topics.map(({ topic, kind }) => [topic, kind]));
    this.#positions = new Positions(source, store, telemetry);
    this.#queue = new PQueue({ concurrency: settings.writersMax });
  }

  /** The group has given this worker its share, which may be nothing. */
  get joined(): boolean {
    return this.#joined;
  }

  health(): PartitionHealth[] {
    return [...this.#slots.values()].map(({ at, writer, error, lag }) => {
      const trouble = writer === null ? error : (writer.trouble?.error ?? null);
      const waiting = writer === null ? 'its position is being read' : lag === null ? 'its lag is not known yet' : null;
      const reason = trouble === null ? waiting : `${trouble.message}. ${trouble.hint}`;
      return { ...at, ready: reason === null, reason, lag };
    });
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
        await this.#reposition();
        this.#balance();
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
      this.#slots.get(keyOf(record))?.writer?.add(record);
    }
    for (const [topic, count] of counts) this.#telemetry.recordsConsumed({ topic, count });
    for (const slot of this.#slots.values()) {
      // One from before this writer says nothing of what it was given.
      const end = this.#source.endReached(slot.at);
      if (end !== null && end !== slot.endBefore) slot.writer?.reached(end);
    }
  }

  /** Hands what is due to the queue: one attempt each, so that nobody keeps a place while waiting. */
  #writeDue(): void {
    for (const { writer } of this.#slots.values()) {
      if (writer === null || !writer.due || this.#queued.has(writer)) continue;
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

  /** Partitions whose position has to be read again, and those that were found; the source goes there between polls. */
  async #reposition(): Promise<void> {
    const nowMs = this.#clock.now();
    for (const slot of this.#slots.values()) {
      if (slot.writer?.fenced === true && !slot.writer.busy) slot.writer = null;
      if (slot.writer === null && slot.offset === null && !slot.searching && nowMs >= slot.lookAgainMs) void this.#search(slot);
      if (slot.offset === null) continue;
      // Pausing remembers where to go on: it is undone first, or the seek would be.
      if (this.#paused.delete(keyOf(slot.at))) this.#source.resume([slot.at]);
      try {
        await this.#source.seek({ ...slot.at, offset: slot.offset });
        this.#open(slot, slot.offset);
      } catch {
        // Not fetched yet, or just taken away: the next round will tell.
      }
    }
  }

  async #search(slot: Slot): Promise<void> {
    slot.searching = true;
    const found = await this.#positions.await(slot.at, this.#ended.signal, (error) => (slot.error = error));
    slot.searching = false;
    if (found?.do === 'resume') slot.offset = found.offset;
    else if (found !== null) this.#refuse(slot, found.error);
  }

  #refuse(slot: Slot, error: KubetapeError): void {
    if (slot.error?.code !== error.code)
      this.#telemetry.partitionState({ ...slot.at, state: 'stopped', reason: `${error.message}. ${error.hint}` });
    slot.writer?.giveUp();
    slot.writer = null;
    slot.error = error;
    slot.lookAgainMs = this.#clock.now() + STOPPED_MS;
  }

  #open(slot: Slot, offset: number): void {
    const kind = this.#topics.get(slot.at.topic) ?? 'changes';
    slot.writer = new PartitionWriter(slot.at, kind, offset, this.#store, this.#settings, this.#telemetry, this.#clock);
    slot.endBefore = this.#source.endReached(slot.at);
    slot.error = null;
    slot.offset = null;
    slot.refusals = 0;
    this.#telemetry.partitionState({ ...slot.at, state: 'running' });
  }

  #balance(): void {
    const loads = [...this.#slots].map(([key, { writer }]) => ({ key, bytes: writer?.bytes ?? null }));
    const paused = pausedOf(loads, this.#settings.memoryMaxBytes, this.#paused);
    const only = (some: ReadonlySet<string>, others: ReadonlySet<string>): TopicPartition[] =>
      [...some].filter((key) => !others.has(key)).flatMap((key) => this.#slots.get(key)?.at ?? []);
    this.#source.pause(only(paused, this.#paused));
    this.#source.resume(only(this.#paused, paused));
    this.#paused = paused;
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<(TopicPartition & { offset: number })[]> {
    const slots = partitions.map(({ topic, partition }) => newSlot({ topic, partition }));
    for (const slot of slots) this.#slots.set(keyOf(slot.at), { ...slot, searching: true });
    const found = await Promise.all(
      slots.map(({ at }) =>
        this.#positions.await(at, this.#ended.signal, (error) => this.#slots.set(keyOf(at), { ...newSlot(at), searching: true, error })),
      ),
    );
    // A poll that began before may hold records from an earlier assignment, which would look like a gap.
    await this.#polling;
    this.#joined = true;
    void this.#measureLags();
    return slots.map((slot, index) => {
      const start = found[index];
      this.#slots.set(keyOf(slot.at), slot);
      // A pause does not hold for what is new.
      this.#paused.delete(keyOf(slot.at));
      if (start?.do === 'resume') this.#open(slot, start.offset);
      else if (start?.do === 'refuse') this.#refuse(slot, start.error);
      return { ...slot.at, offset: start?.do === 'resume' ? start.offset : (start?.high ?? 0) };
    });
  }

  /** The next owner waits until this is over: what is under way is finished, the rest is left to it. */
  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const gone = partitions.flatMap((at) => this.#slots.get(keyOf(at))?.writer ?? []);
    for (const writer of gone) writer.giveUp();
    const leftMs = Math.min(this.#settings.drainMs, this.#drainByMs - this.#clock.now());
    await within(leftMs, Promise.all(gone.map((writer) => writer.finished())));
    this.#source.commitForDisplay(gone.map(({ at, position }) => ({ ...at, offset: position })));
    for (const { topic, partition } of partitions) {
      this.#slots.delete(keyOf({ topic, partition }));
      this.#paused.delete(keyOf({ topic, partition }));
      this.#telemetry.partitionState({ topic, partition, state: 'revoked' });
    }
  }

  async #drain(): Promise<void> {
    this.#drainByMs = this.#clock.now() + this.#settings.drainMs;
    this.#queue.clear();
    const writers = [...this.#slots.values()].flatMap(({ writer }) => writer ?? []);
    for (const writer of writers) writer.giveUp();
    await within(this.#settings.drainMs, Promise.all(writers.map((writer) => writer.finished())));
    this.#display();
    await this.#source.stop(Math.max(500, this.#drainByMs - this.#clock.now()));
  }

  #display(): void {
    const writers = [...this.#slots.values()].flatMap(({ writer }) => writer ?? []);
    this.#source.commitForDisplay(
      writers.map(({ at, position, end, idle }) => ({ ...at, offset: idle ? Math.max(position, end) : position })),
    );
  }

  async #measureLags(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => this.#measureLag(slot)));
  }

  async #measureLag(slot: Slot): Promise<void> {
    const { at } = slot;
    let held: { low: number; high: number } | null = null;
    try {
      held = await this.#source.watermarks(at);
    } catch {
      // Kafka is away: what the lag is cannot be told.
    }
    const { writer } = slot;
    if (writer === null || this.#slots.get(keyOf(at)) !== slot) return;
    if (held === null) {
      slot.lag = null;
      this.#telemetry.lag({ ...at, records: null, seconds: null });
      return;
    }
    const look = { high: held.high, position: writer.position, end: writer.end, idle: writer.idle && !this.#paused.has(keyOf(at)) };
    const records = lagOf(look, slot.look);
    slot.look = look;
    slot.lag = records;
    const { oldestMs } = writer;
    const seconds = oldestMs === null ? (records === 0 ? 0 : null) : Math.max(0, (this.#clock.now() - oldestMs) / 1000);
    this.#telemetry.lag({ ...at, records, seconds });
    this.#checkHeld(slot, writer, held);
  }

  /** Retention that overtook, or a topic that was created again while this runs. Twice: a new leader may not know yet. */
  #checkHeld(slot: Slot, writer: PartitionWriter, held: { low: number; high: number }): void {
    const start = startOf(slot.at, { ...slot.at, nextOffset: Math.max(writer.wanted, writer.end), topicId: null }, held, null);
    slot.refusals = start.do === 'refuse' ? slot.refusals + 1 : 0;
    if (start.do === 'refuse' && slot.refusals > 1 && writer.idle) this.#refuse(slot, start.error);
  }
}

function newSlot(at: TopicPartition): Slot {
  return {
    at,
    writer: null,
    error: null,
    endBefore: null,
    offset: null,
    searching: false,
    lookAgainMs: 0,
    look: null,
    lag: null,
    refusals: 0,
  };
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  await Promise.race([work, pause(Math.max(0, ms), ended.signal)]);
  ended.abort();
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
