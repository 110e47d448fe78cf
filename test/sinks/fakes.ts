/** The ports of the sink in memory: a log with a consumer group of one, a store with transactions, and what was told. */
import { encodeChange, type Op } from '../../src/events/change.ts';
import type { ResourceTable } from '../../src/columns/table.ts';
import { KubetapeError } from '../../src/events/errors.ts';
import type {
  AssignmentHandler,
  DeadLetter,
  FactRow,
  Position,
  RecordSource,
  Row,
  SinkTelemetry,
  SourceRecord,
  Store,
  StoreBatch,
  TopicPartition,
} from '../../src/sinks/ports.ts';

export const key = ({ topic, partition }: TopicPartition): string => `${topic} ${partition}`;
export const uidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export interface FakeChange {
  readonly op?: Op;
  readonly uid?: string;
  readonly resourceVersion: number | string;
  readonly resource?: string;
  readonly epoch?: number;
  readonly synthetic?: boolean;
  readonly object?: Record<string, unknown>;
  /** When the collector saw it. */
  readonly ts?: string;
  readonly name?: string;
  /** Manager of the fields. */
  readonly by?: string;
}

export function changeValue({
  op = 'u',
  uid = uidOf(1),
  resourceVersion,
  resource = 'pods',
  epoch = 1,
  synthetic = false,
  object,
  ts = '2026-11-20T17:00:00.123Z',
  name = `pod-${uid.slice(-3)}`,
  by,
}: FakeChange): Buffer {
  const source = {
    group: '',
    version: 'v1',
    resource,
    kind: 'Pod',
    namespace: 'shop',
    name,
    uid,
    resourceVersion: String(resourceVersion),
    epoch,
    snapshot: false,
    synthetic,
  };
  const body = object ?? { kind: 'Pod', metadata: { name, namespace: 'shop', uid }, status: { phase: 'Running' } };
  return encodeChange(
    { op, ts, cluster: 'test', source, by: by === undefined ? null : { manager: by, operation: 'Update', time: null } },
    JSON.stringify(body),
  );
}

/** A log whose offsets have holes, as those of a transactional topic have. */
export class FakeLog implements RecordSource {
  readonly partitions = new Map<string, { at: TopicPartition; records: SourceRecord[]; low: number; high: number }>();
  readonly #next = new Map<string, number>();
  readonly paused = new Set<string>();
  #handler: AssignmentHandler | null = null;
  topicIds = new Map<string, string>();
  displayed: (TopicPartition & { readonly offset: number })[] = [];
  polls = 0;
  stopped = false;

  append(topic: string, partition: number, values: readonly (Buffer | null)[], hole = 0): void {
    const held = this.#partition({ topic, partition });
    for (const value of values) {
      held.records.push({ topic, partition, offset: held.high, key: Buffer.from('k'), value, timestampMs: 1_000, headers: {} });
      held.high += 1;
    }
    held.high += hole;
  }

  #partition(at: TopicPartition): { at: TopicPartition; records: SourceRecord[]; low: number; high: number } {
    const held = this.partitions.get(key(at)) ?? { at, records: [], low: 0, high: 0 };
    this.partitions.set(key(at), held);
    return held;
  }

  async start(topics: readonly string[], handler: AssignmentHandler): Promise<void> {
    this.#handler = handler;
    const mine = [...this.partitions.values()].map(({ at }) => at).filter(({ topic }) => topics.includes(topic));
    // Not awaited: a group hands out its partitions while the member polls.
    void this.assign(mine);
  }

  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    for (const position of (await this.#handler?.assigned(partitions)) ?? []) this.#next.set(key(position), position.offset);
  }

  recreate(topic: string): void {
    this.#handler?.recreated?.(topic);
  }

  outOfRange(): void {
    this.#handler?.outOfRange?.();
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#handler?.revoked(partitions);
    for (const one of partitions) this.#next.delete(key(one));
  }

  async poll(maxRecords: number): Promise<readonly SourceRecord[]> {
    this.polls += 1;
    await new Promise((resolve) => setImmediate(resolve));
    const found: SourceRecord[] = [];
    for (const [name, next] of this.#next) {
      if (this.paused.has(name)) continue;
      for (const record of this.partitions.get(name)?.records ?? []) {
        if (record.offset < next || found.length >= maxRecords) continue;
        found.push(record);
        this.#next.set(name, record.offset + 1);
      }
    }
    return found;
  }

  endReached(at: TopicPartition): number | null {
    const held = this.#partition(at);
    return (this.#next.get(key(at)) ?? -1) > (held.records.at(-1)?.offset ?? -1) ? held.high : null;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) this.paused.add(key(one));
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) this.paused.delete(key(one));
  }

  async seek(position: TopicPartition & { readonly offset: number }): Promise<void> {
    if (!this.#next.has(key(position))) throw new KubetapeError('KAFKA_FAILED', 'not assigned');
    this.#next.set(key(position), position.offset);
  }

  async watermarks(at: TopicPartition): Promise<{ low: number; high: number }> {
    const { low, high } = this.#partition(at);
    return { low, high };
  }

  async topicId(topic: string): Promise<string | null> {
    return this.topicIds.get(topic) ?? null;
  }

  commitForDisplay(positions: readonly (TopicPartition & { readonly offset: number })[]): void {
    this.displayed = [...positions];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.revoke([...this.#next.keys()].flatMap((name) => this.partitions.get(name)?.at ?? []));
  }
}

/** What a write is to run into: before anything is stored, or after all of it is. */
export type Fault = { readonly when: 'before' | 'after'; readonly error: KubetapeError };

export class FakeStore implements Store {
  readonly positions = new Map<string, Position>();
  readonly rows: Row[] = [];
  readonly facts: FactRow[] = [];
  readonly deadLetters: DeadLetter[] = [];
  readonly tables = new Set<string>();
  readonly writes: StoreBatch[] = [];
  /** Asked at each write; its answer happens. */
  fault: (batch: StoreBatch) => Fault | null = () => null;
  /** Rows that no batch may hold. */
  poison: (row: Row) => boolean = () => false;
  gate: Promise<void> = Promise.resolve();
  /** Reading a position waits for this. */
  readGate: Promise<void> = Promise.resolve();
  active = 0;
  mostActive = 0;

  async ensureTable(table: ResourceTable): Promise<ResourceTable> {
    this.tables.add(table.table);
    return table;
  }

  async position(at: TopicPartition): Promise<Position | null> {
    await this.readGate;
    return this.positions.get(key(at)) ?? null;
  }

  async initialise(position: Position): Promise<void> {
    const before = this.positions.get(key(position));
    if (before === undefined) this.positions.set(key(position), position);
    else if (before.topicId === null) this.positions.set(key(position), { ...before, topicId: position.topicId });
  }

  async write(batch: StoreBatch): Promise<{ inserted: number }> {
    this.writes.push(batch);
    this.active += 1;
    this.mostActive = Math.max(this.mostActive, this.active);
    try {
      await this.gate;
      await new Promise((resolve) => setImmediate(resolve));
      const fault = this.fault(batch);
      if (fault?.when === 'before') throw fault.error;
      const position = this.positions.get(key(batch));
      if (position?.nextOffset !== batch.from) throw new KubetapeError('OFFSET_FENCED', 'another position');
      if (batch.rows.some(this.poison)) throw new KubetapeError('ROW_REJECTED', 'rejected', { cause: { sqlstate: '22P05' } });
      this.positions.set(key(batch), { ...position, nextOffset: batch.to });
      this.rows.push(...batch.rows);
      this.facts.push(...batch.facts);
      this.deadLetters.push(...batch.deadLetters);
      if (fault?.when === 'after') throw fault.error;
      return { inserted: batch.rows.length };
    } finally {
      this.active -= 1;
    }
  }
}

export type Told = { readonly what: keyof SinkTelemetry; readonly facts: Record<string, unknown> };

export function recordingTelemetry(): SinkTelemetry & { readonly told: Told[] } {
  const told: Told[] = [];
  const tell =
    (what: keyof SinkTelemetry) =>
    (facts: object): void =>
      void told.push({ what, facts: { ...facts } });
  return {
    told,
    batchWritten: tell('batchWritten'),
    recordsConsumed: tell('recordsConsumed'),
    deadLetter: tell('deadLetter'),
    changeAge: tell('changeAge'),
    lag: tell('lag'),
    retry: tell('retry'),
    partitionState: tell('partitionState'),
  };
}

/** Lets the event loop go round until `condition` holds. */
export async function until(condition: () => boolean, rounds = 5_000): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`it did not happen: ${condition.toString()}`);
}
