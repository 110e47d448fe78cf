/**
 * The collector: takes the log over, remembers, and from then on turns what its sources observe into transactions.
 *   in    one source per track
 *   out   change records, state, facts and checkpoints, each change once (see tracker.ts and writer.ts)
 * The order at the start is what makes it safe: first the fence, so that nobody else writes any more; only then the
 * reading of the state, which is final from then on.
 */
import type { ListCause, Observation } from '../events/observation.ts';
import { entryOf, factMessage, type Entry, type Track } from './entries.ts';
import { readMemory, type Stranger } from './memory.ts';
import type { CaptureTelemetry, LogReader, ObjectSource, TransactionalLog } from './ports.ts';
import { Ring } from './ring.ts';
import type { Coverage, Detection, TrackerStart } from './detection.ts';
import { Tracker } from './tracker.ts';
import { writeTransactions, type WriterSettings } from './writer.ts';

export interface CollectorSettings extends WriterSettings {
  readonly ringMaxRecords: number;
  readonly ringMaxBytes: number;
  /** Longest the drain may take after the signal (ms); what is not committed then is captured again at the next start. */
  readonly drainMs: number;
  /** The sources end by themselves, and so does the run: a snapshot, not a watch. */
  readonly once?: boolean;
}

export interface Watched {
  readonly track: Track;
  readonly source: ObjectSource;
  /** Objects of which others still know and the log does not; see `Memory.startOf`. */
  readonly strangers?: readonly Stranger[];
}

export interface TrackHealth {
  readonly resource: string;
  readonly namespace: string;
  /** Its list has ended and is committed, or its watch goes on from a checkpoint. */
  readonly synced: boolean;
  readonly objects: number;
}

export interface CollectorDeps {
  readonly cluster: string;
  readonly topicPrefix: string;
  readonly log: TransactionalLog;
  readonly reader: LogReader;
  readonly telemetry: CaptureTelemetry;
  /** What `collector.started` says besides the resources. */
  readonly version: string;
}

export class Collector {
  readonly #deps: CollectorDeps;
  readonly #settings: CollectorSettings;
  readonly #watched: readonly Watched[];
  readonly #ring: Ring<Entry>;
  readonly #trackers = new Map<Track, Tracker>();
  /** Where a position is committed: whoever comes next goes on from there. */
  readonly #anchored = new Set<Track>();
  readonly #listing = new Set<Track>();
  #committingSinceMs: number | null = null;
  readonly #covered = new Map<Track, Coverage>();
  #uncovered = 0;
  #opened = false;

  constructor(watched: readonly Watched[], settings: CollectorSettings, deps: CollectorDeps) {
    this.#watched = watched;
    this.#settings = settings;
    this.#deps = deps;
    this.#ring = new Ring(settings.ringMaxRecords, settings.ringMaxBytes);
  }

  /** The log is taken over and the memory read. */
  get opened(): boolean {
    return this.#opened;
  }

  /** For how long the oldest transaction has waited for its confirmation (ms). */
  get unconfirmedMs(): number {
    return this.#committingSinceMs === null ? 0 : performance.now() - this.#committingSinceMs;
  }

  /** Objects in `shared-state` that none of the tracks covers: their rows stay as they are. */
  get uncovered(): number {
    return this.#uncovered;
  }

  health(): TrackHealth[] {
    return this.#watched.map(({ track }) => ({
      resource: track.resource,
      namespace: track.namespace,
      synced: this.#anchored.has(track) && !this.#listing.has(track),
      objects: this.#trackers.get(track)?.objects ?? 0,
    }));
  }

  /**
   * Runs until `signal` fires, then drains.
   * @throws KubetapeError KAFKA_FENCED when another collector has taken over; whatever cannot be repeated
   */
  async run(signal: AbortSignal): Promise<void> {
    const { cluster, topicPrefix, log, reader, telemetry } = this.#deps;
    const tracks = this.#watched.map(({ track }) => track);
    try {
      await log.open(signal);
      if (signal.aborted) return;
      const memory = await readMemory(reader, cluster, topicPrefix, tracks, signal);
      if (signal.aborted) return;
      this.#uncovered = memory.uncovered;
      this.#opened = true;
      this.#announce(tracks);

      const stop = new AbortController();
      const onSignal = (): void => stop.abort();
      signal.addEventListener('abort', onSignal, { once: true });
      const hardStop = new AbortController();
      const writing = writeTransactions(this.#ring, log, this.#settings, telemetry, hardStop.signal, {
        committing: () => (this.#committingSinceMs = performance.now()),
        committed: (entries) => this.#committed(entries),
      });
      // A writer that cannot go on must stop the sources, or they would wait for room for ever.
      const guarded = writing.finally(() => {
        stop.abort();
        this.#ring.close();
      });
      const sources = this.#watched.map(({ track, source, strangers }) =>
        this.#follow(track, source, memory.startOf(track, strangers), stop.signal).finally(() => {
          // One watch that ends, for whatever reason, ends them all: the others would look alive without it.
          if (this.#settings.once !== true) stop.abort();
        }),
      );
      const followed = await Promise.allSettled(sources);
      this.#ring.close();
      const deadline = signal.aborted ? setTimeout(() => hardStop.abort(), this.#settings.drainMs) : undefined;
      const written = await Promise.allSettled([guarded]);
      clearTimeout(deadline);
      signal.removeEventListener('abort', onSignal);
      for (const result of [...written, ...followed]) if (result.status === 'rejected') throw result.reason;
    } finally {
      await log.close();
    }
  }

  #announce(tracks: readonly Track[]): void {
    const [first] = tracks;
    if (first === undefined) return;
    const nowMs = Date.now();
    const track: Track = { ...first, resource: '', namespace: '' };
    const resources = [...new Set(tracks.map(({ resource }) => resource))];
    const message = factMessage(track, 'collector.started', { version: this.#deps.version, resources }, nowMs);
    void this.#ring.put({
      track,
      messages: [message],
      position: null,
      what: 'position',
      changedAtMs: null,
      records: 1,
      bytes: message.value?.length ?? 0,
    });
  }

  async #follow(track: Track, source: ObjectSource, start: TrackerStart, signal: AbortSignal): Promise<void> {
    const { checkpoint } = start;
    const cause = causeOf(start, track.scope);
    const resumes = cause === null;
    const tracker = new Tracker(start);
    this.#trackers.set(track, tracker);
    const observe = (observation: Observation): void | Promise<void> => {
      if (observation.type === 'list-started') this.#listing.add(track);
      else if (observation.type === 'list-ended') this.#listing.delete(track);
      if (observation.type === 'bookmark') this.#deps.telemetry.progress({ resource: track.resource });
      const nowMs = Date.now();
      return this.#record(track, tracker.observe(observation, nowMs), nowMs);
    };
    if (resumes) this.#anchored.add(track);
    this.#tellCoverage(track);
    await source.run(resumes ? (checkpoint?.resourceVersion ?? null) : null, cause ?? 'first', observe, signal);
  }

  /** Without a promise as long as there is room: the common case costs no turn of the event loop. */
  #record(track: Track, detections: Iterator<Detection, void, void>, nowMs: number): void | Promise<void> {
    for (let next = detections.next(); next.done !== true; next = detections.next()) {
      const detection = next.value;
      const room = this.#ring.put(entryOf(track, detection, nowMs));
      if (detection.type === 'gap') this.#tellGap(track, detection);
      if (room !== undefined) return room.then(() => this.#record(track, detections, nowMs));
    }
    this.#tellCoverage(track);
    return undefined;
  }

  #tellCoverage(track: Track): void {
    const coverage = this.#trackers.get(track)?.coverage ?? null;
    // The same object for as long as nothing new is to be said: this is asked after every change.
    if (coverage === null || this.#covered.get(track) === coverage) return;
    this.#covered.set(track, coverage);
    this.#deps.telemetry.coverage({ resource: track.resource, namespace: track.namespace, ...coverage });
  }

  #committed(entries: readonly Entry[]): void {
    this.#committingSinceMs = null;
    for (const { track, position } of entries) if (position !== null) this.#anchored.add(track);
  }

  #tellGap(track: Track, { cause, from, to }: Detection & { type: 'gap' }): void {
    const facts = { resource: track.resource, cause, from: new Date(from.atMs).toISOString(), to: new Date(to.atMs).toISOString() };
    this.#deps.telemetry.gap({ ...facts, seconds: Math.max(0, (to.atMs - from.atMs) / 1000) });
  }
}

/** Why this scope cannot go on from its checkpoint; null when it can. */
function causeOf({ checkpoint, epoch }: TrackerStart, scope: string): ListCause | null {
  if (checkpoint === null) return 'first';
  if (checkpoint.scope !== scope) return 'scope';
  // A list that was to begin an epoch broke off: it is made again, in the same epoch.
  return epoch > checkpoint.epoch ? 'restored' : null;
}
