/**
 * How far each partition is behind, looked up now and then; and whether the log still holds what is wanted next.
 *   in    the writers, the log's first and last offsets
 *   out   a lag per writer, for metrics and readiness; a writer that wants what is gone is refused
 */
import type { KubetapeError } from '../events/errors.ts';
import type { Clock } from './clock.ts';
import { startOf, type Held } from './decisions.ts';
import { lagOf } from './lag.ts';
import type { PartitionWriter } from './partition-writer.ts';
import type { RecordSource, SinkTelemetry, TopicPartition } from './ports.ts';

interface Measured {
  /** null when it cannot be told now. */
  readonly lag: number | null;
  /** Looks in a row at which the log did not hold what is wanted. */
  readonly refusals: number;
}

const NOTHING: Measured = { lag: null, refusals: 0 };

export interface LagMeterPorts {
  readonly source: RecordSource;
  readonly telemetry: SinkTelemetry;
  readonly clock: Clock;
  readonly isPaused: (at: TopicPartition) => boolean;
  /** Whether the partition still is this writer's. */
  readonly isCurrent: (writer: PartitionWriter) => boolean;
  readonly refuse: (writer: PartitionWriter, error: KubetapeError) => void;
}

export class LagMeter {
  readonly #ports: LagMeterPorts;
  readonly #measured = new WeakMap<PartitionWriter, Measured>();

  constructor(ports: LagMeterPorts) {
    this.#ports = ports;
  }

  /** Records that are committed in Kafka and not yet in the store; null before it was looked up. */
  of(writer: PartitionWriter): number | null {
    return this.#measured.get(writer)?.lag ?? null;
  }

  async measure(writers: readonly PartitionWriter[]): Promise<void> {
    await Promise.all(writers.map((writer) => this.#measureOne(writer)));
  }

  async #measureOne(writer: PartitionWriter): Promise<void> {
    const { source, telemetry, clock, isCurrent } = this.#ports;
    const { at } = writer;
    let held: Held | null = null;
    try {
      held = await source.watermarks(at);
    } catch {
      // Kafka is away: what the lag is cannot be told.
    }
    if (!isCurrent(writer)) return;
    const before = this.#measured.get(writer) ?? NOTHING;
    if (held === null) {
      this.#measured.set(writer, { ...before, lag: null });
      telemetry.lag({ ...at, records: null, seconds: null });
      return;
    }
    const idle = writer.idle && !this.#ports.isPaused(at);
    const lag = lagOf({ high: held.high, position: writer.position, end: writer.end, idle });
    const { oldestMs } = writer;
    const seconds = oldestMs === null ? (lag === 0 ? 0 : null) : Math.max(0, (clock.date() - oldestMs) / 1000);
    telemetry.lag({ ...at, records: lag, seconds });
    this.#measured.set(writer, { lag, refusals: this.#checkHeld(writer, held, before.refusals) });
  }

  /** Retention that overtook, or a topic that was created again while this runs. Twice: a new leader may not know yet. */
  #checkHeld(writer: PartitionWriter, held: Held, before: number): number {
    const wanted = { ...writer.at, nextOffset: Math.max(writer.wanted, writer.end), topicId: null };
    const start = startOf(writer.at, wanted, held, null);
    if (start.do !== 'refuse') return 0;
    if (before > 0 && writer.idle) this.#ports.refuse(writer, start.error);
    return before + 1;
  }
}
