/**
 * The partitions that the group has given to this worker: each has a writer, or the reason why it has none.
 *   in    what the group gives and takes, positions of the store and of the log
 *   out   a writer for each partition whose position is known; without a writer nothing of it is fetched
 * States and transitions are in SPEC.md. Invariants (test/sinks/assignment.test.ts):
 *   A1 exact       a writer begins where the store stands, and the source goes there before the writer takes a record
 *   A2 no jump     a position that the log does not hold, or that is of another topic, has no writer until a person decided
 *   A3 hands over  once a revocation has resolved, nothing of the partition is begun here
 *   A4 apart       a partition whose position cannot be read holds up no other
 */
import type { KubetapeError } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import type { Clock } from './clock.ts';
import { STOPPED_MS } from './decisions.ts';
import { keyOf, type Fetching } from './fetching.ts';
import type { PartitionWriter } from './partition-writer.ts';
import type { RecordSource, SinkTelemetry, TopicPartition } from './ports.ts';
import type { Found, Positions } from './positions.ts';
import { healthOf, newSlot, writerIn, type PartitionHealth, type Slot } from './slot.ts';

type Start = TopicPartition & { readonly offset: number };

export interface AssignmentPorts {
  readonly source: RecordSource;
  readonly positions: Positions;
  readonly fetching: Fetching;
  readonly telemetry: SinkTelemetry;
  readonly clock: Clock;
  readonly newWriter: (at: TopicPartition, offset: number) => PartitionWriter;
  /** Fires when the worker ends: nothing more is looked for. */
  readonly ended: AbortSignal;
}

export class Assignment {
  readonly #ports: AssignmentPorts;
  readonly #slots = new Map<string, Slot>();

  constructor(ports: AssignmentPorts) {
    this.#ports = ports;
  }

  /** Where records of the partition go; undefined while they are not wanted. */
  writerOf(at: TopicPartition): PartitionWriter | undefined {
    return writerIn(this.#slots.get(keyOf(at)));
  }

  get writers(): PartitionWriter[] {
    return [...this.#slots.values()].flatMap((slot) => writerIn(slot) ?? []);
  }

  /** Every partition that the source has, with the bytes held for it; null where nothing is to be fetched. */
  get loads(): { at: TopicPartition; bytes: number | null }[] {
    const given = [...this.#slots.values()].filter((slot) => slot.given);
    return given.map((slot) => ({ at: slot.at, bytes: writerIn(slot)?.bytes ?? null }));
  }

  health(lagOf: (writer: PartitionWriter) => number | null): PartitionHealth[] {
    return [...this.#slots.values()].map((slot) => healthOf(slot, lagOf));
  }

  /**
   * @param polled resolves once no poll is under way: one that began before may hold records of an earlier assignment,
   *   which would look like a gap
   * @returns where the source is to begin
   */
  async assigned(partitions: readonly TopicPartition[], polled: () => Promise<unknown>): Promise<Start[]> {
    const slots = partitions.map(({ topic, partition }) => newSlot({ topic, partition }));
    for (const slot of slots) this.#slots.set(keyOf(slot.at), slot);
    const found = await Promise.all(slots.map((slot) => this.#find(slot)));
    await polled();
    // The source takes them over as soon as this returns.
    setImmediate(() => slots.forEach((slot) => (slot.given = true)));
    return slots.map((slot, index) => {
      const start = found[index] ?? null;
      if (slot.outdated) void this.#look(slot);
      else if (start?.do === 'resume') this.#open(slot, start.offset);
      else if (start?.do === 'refuse') this.#refuse(slot, start.error);
      return { ...slot.at, offset: start?.do === 'resume' ? start.offset : (start?.high ?? 0) };
    });
  }

  /** The next owner waits until this is over: what is under way is finished, the rest is left to it. */
  async revoked(partitions: readonly TopicPartition[], withinMs: number): Promise<void> {
    const { source, fetching, telemetry } = this.#ports;
    const gone = partitions.flatMap((at) => this.writerOf(at) ?? []);
    for (const writer of gone) writer.giveUp();
    await finishedWithin(withinMs, gone);
    source.commitForDisplay(gone.map(({ at, position }) => ({ ...at, offset: position })));
    for (const { topic, partition } of partitions) {
      this.#slots.delete(keyOf({ topic, partition }));
      fetching.forget({ topic, partition });
      telemetry.partitionState({ topic, partition, state: 'revoked' });
    }
  }

  /** The topic was deleted and created again under this worker: what it holds of it belongs to neither. */
  recreated(topic: string): void {
    for (const slot of this.#slots.values()) {
      if (slot.at.topic !== topic) continue;
      if (slot.state.is === 'searching') slot.outdated = true;
      else void this.#look(slot);
    }
  }

  /** Some partition wants what the log does not hold: each is looked at, and sought again or refused. */
  outOfRange(): void {
    for (const slot of this.#slots.values()) if (slot.state.is === 'open') void this.#look(slot);
  }

  /** Partitions whose position has to be read again, and those that were found; the source goes there between polls. */
  async reposition(): Promise<void> {
    const nowMs = this.#ports.clock.now();
    for (const slot of this.#slots.values()) {
      const { state } = slot;
      if (state.is === 'open' && state.writer.fenced && !state.writer.busy) void this.#look(slot);
      else if (state.is === 'refused' && nowMs >= state.lookAgainMs) void this.#look(slot);
      else if (state.is === 'found') await this.#goTo(slot, state.offset);
    }
  }

  /** The writer wants what the log does not hold. */
  refuse(writer: PartitionWriter, error: KubetapeError): void {
    const slot = this.#slots.get(keyOf(writer.at));
    if (slot !== undefined && writerIn(slot) === writer) this.#refuse(slot, error);
  }

  /** For the end of the worker: everything under way is finished, or left behind. */
  async giveUp(withinMs: number): Promise<void> {
    const { writers } = this;
    for (const writer of writers) writer.giveUp();
    await finishedWithin(withinMs, writers);
  }

  async #look(slot: Slot): Promise<void> {
    const { state } = slot;
    const writer = writerIn(slot);
    writer?.giveUp();
    slot.state = { is: 'searching', error: state.is === 'refused' ? state.error : null };
    await writer?.finished();
    let found: Found | null;
    do {
      slot.outdated = false;
      found = await this.#find(slot);
    } while (slot.outdated);
    // Taken away meanwhile, or the worker ends.
    if (found === null || this.#slots.get(keyOf(slot.at)) !== slot) return;
    if (found.do === 'resume') slot.state = { is: 'found', offset: found.offset };
    else this.#refuse(slot, found.error);
  }

  #find(slot: Slot): Promise<Found | null> {
    const { positions, ended } = this.#ports;
    return positions.await(slot.at, ended, (error) => {
      if (slot.state.is === 'searching') slot.state = { is: 'searching', error };
    });
  }

  async #goTo(slot: Slot, offset: number): Promise<void> {
    const { source, fetching } = this.#ports;
    fetching.release(slot.at);
    try {
      await source.seek({ ...slot.at, offset });
    } catch {
      // Not fetched yet, or just taken away: the next round will tell.
      return;
    }
    if (this.#slots.get(keyOf(slot.at)) === slot && slot.state.is === 'found') this.#open(slot, offset);
  }

  #open(slot: Slot, offset: number): void {
    slot.state = { is: 'open', writer: this.#ports.newWriter(slot.at, offset) };
    this.#ports.telemetry.partitionState({ ...slot.at, state: 'running' });
  }

  #refuse(slot: Slot, error: KubetapeError): void {
    const { telemetry, clock } = this.#ports;
    const { state } = slot;
    const known = state.is === 'searching' && state.error?.code === error.code;
    if (!known) telemetry.partitionState({ ...slot.at, state: 'stopped', reason: `${error.message}. ${error.hint}` });
    writerIn(slot)?.giveUp();
    slot.state = { is: 'refused', error, lookAgainMs: clock.now() + STOPPED_MS };
  }
}

async function finishedWithin(ms: number, writers: readonly PartitionWriter[]): Promise<void> {
  const ended = new AbortController();
  await Promise.race([Promise.all(writers.map((writer) => writer.finished())), pause(Math.max(0, ms), ended.signal)]);
  ended.abort();
}
