/**
 * Lists and watches one scope for as long as it runs: the loop of ask, do, tell around reflector-machine.ts.
 *   in    a scope, and the resourceVersion to go on from
 *   out   observations (events/observation.ts), in order, each awaited: who is slow slows the socket down
 */
import { KubetapeError } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import type { ListCause, Observation } from '../events/observation.ts';
import { compareResourceVersions, isResourceVersion } from '../events/resource-version.ts';
import type { KubeClient, Query } from './client.ts';
import type { Decoder } from './decode.ts';
import type { Verdict } from './errors.ts';
import { listPages } from './pages.ts';
import { afterWait, nextStep, startReflector, type Outcome, type ReflectorState } from './reflector-machine.ts';
import { pathOf, selectorQuery, type Scope } from './scope.ts';
import { readStream, type StreamTimes, type WatchEvent } from './stream.ts';

/** What a reflector says of itself; all optional to hear. */
export interface ReflectorListener {
  state(state: 'probing' | 'listing' | 'watching' | 'waiting' | 'stopped'): void;
  listed(facts: { readonly objects: number; readonly seconds: number; readonly streamed: boolean }): void;
  relist(cause: ListCause): void;
  watchEnded(facts: { readonly how: string; readonly seconds: number }): void;
  failed(facts: { readonly error: KubetapeError; readonly failures: number; readonly waitMs: number }): void;
}

export interface ReflectorOptions extends StreamTimes {
  readonly pageSize: number;
  /** How long one watch is asked to last (s): a random time between the two spreads the reconnects of many watches. */
  readonly watchSeconds: readonly [number, number];
  readonly random: () => number;
}

export const REFLECTOR_DEFAULTS: ReflectorOptions = {
  pageSize: 500,
  watchSeconds: [300, 600],
  silenceMs: 150_000,
  endBookmarkMs: 30_000,
  random: Math.random,
};

/** A position that no bookmark moved for so long may be compacted away: etcd keeps five minutes by default. */
const STALE_MS = 240_000;
/** Where the server sends no bookmarks, watches end before their position is stale. */
const UNCACHED_WATCH_SECONDS = 200;

export type Observer = (observation: Observation) => void | Promise<void>;

/** A reflector runs once. */
export class Reflector {
  readonly #client: KubeClient;
  readonly #scope: Scope;
  readonly #decoder: Decoder;
  #observe: Observer = () => undefined;
  readonly #listener: ReflectorListener;
  readonly #options: ReflectorOptions;
  /** The last moment at which all that had happened was seen (ms since 1970). */
  #wholeUntilMs: number | null = null;
  /** When the position last moved. */
  #movedAtMs = 0;
  #bookmarks = false;
  #lastError: KubetapeError | null = null;

  constructor(
    client: KubeClient,
    scope: Scope,
    decoder: Decoder,
    listener: ReflectorListener,
    options: ReflectorOptions = REFLECTOR_DEFAULTS,
  ) {
    this.#client = client;
    this.#scope = scope;
    this.#decoder = decoder;
    this.#listener = listener;
    this.#options = options;
  }

  /**
   * Runs until `signal` fires. Only what the observer throws ends it earlier.
   * @param resume everything up to this resourceVersion was seen; null lists first, for `cause`
   */
  async run(resume: string | null, cause: ListCause, observe: Observer, signal: AbortSignal): Promise<void> {
    this.#observe = observe;
    let state = startReflector(resume, cause);
    try {
      while (!signal.aborted) {
        if (state.step.do === 'wait') {
          await this.#wait(state.failures, state.step.ms, signal);
          state = afterWait(state);
          continue;
        }
        const outcomes = await this.#perform(state, signal);
        if (signal.aborted) return;
        for (const outcome of outcomes) state = nextStep(state, outcome, this.#options.random);
      }
    } finally {
      this.#listener.state('stopped');
    }
  }

  async #wait(failures: number, ms: number, signal: AbortSignal): Promise<void> {
    this.#listener.state('waiting');
    const error = this.#lastError ?? new KubetapeError('KUBE_UNREACHABLE', `the watch of ${this.#scope.resource} ended at once`);
    this.#listener.failed({ error, failures, waitMs: ms });
    this.#lastError = null;
    await pause(ms, signal);
  }

  async #perform(state: ReflectorState, signal: AbortSignal): Promise<Outcome[]> {
    const { step } = state;
    switch (step.do) {
      case 'probe':
        this.#listener.state('probing');
        return [await this.#attempt(state, signal, idle(), () => this.#probe(signal))];
      case 'page':
        this.#listener.state('listing');
        return [await this.#attempt(state, signal, idle(), () => this.#page(step.cause, step.pageFactor, signal))];
      case 'list':
        this.#listener.state('listing');
        return this.#stream(state, step.cause, signal);
      case 'watch':
        this.#listener.state('watching');
        return this.#stream(state, null, signal);
      case 'wait':
        return [];
    }
  }

  async #probe(signal: AbortSignal): Promise<Outcome> {
    const list = await this.#client.json<{ metadata?: { resourceVersion?: string } }>(
      pathOf(this.#scope),
      { ...selectorQuery(this.#scope), limit: 1 },
      signal,
    );
    const resourceVersion = list.metadata?.resourceVersion;
    if (!isResourceVersion(resourceVersion))
      throw new KubetapeError('KUBE_PROTOCOL', `a list of ${this.#scope.resource} has no resourceVersion`);
    return { how: 'probed', resourceVersion };
  }

  async #page(cause: ListCause, pageFactor: number, signal: AbortSignal): Promise<Outcome> {
    const startedMs = Date.now();
    await this.#listStarted(cause);
    let objects = 0;
    const pages = listPages(this.#client, this.#scope, this.#options.pageSize * pageFactor, signal);
    for (;;) {
      const page = await pages.next();
      if (page.done === true) {
        await this.#ended(page.value, objects, startedMs, false);
        this.#wholeUntilMs = startedMs;
        return { how: 'listed', resourceVersion: page.value, streaming: false };
      }
      for (const raw of page.value) {
        objects += 1;
        const waiting = this.#observe({ type: 'listed', object: this.#decoder.object(raw) });
        if (waiting !== undefined) await waiting;
      }
    }
  }

  async #listStarted(cause: ListCause): Promise<void> {
    this.#listener.relist(cause);
    await this.#observe({ type: 'list-started', cause, wholeUntilMs: this.#wholeUntilMs });
  }

  async #ended(resourceVersion: string, objects: number, startedMs: number, streamed: boolean): Promise<void> {
    await this.#observe({ type: 'list-ended', resourceVersion });
    this.#movedAtMs = Date.now();
    this.#listener.listed({ objects, seconds: (Date.now() - startedMs) / 1000, streamed });
  }

  /** A watch, or (with a cause) a streaming list that goes on as a watch. */
  async #stream(state: ReflectorState, cause: ListCause | null, signal: AbortSignal): Promise<Outcome[]> {
    const startedMs = Date.now();
    const outcomes: Outcome[] = [];
    const progress: Progress = { listing: cause !== null, position: cause === null ? state.resourceVersion : null, seen: false };
    let objects = 0;

    const onEvent = (event: WatchEvent): void | Promise<void> => {
      progress.seen = true;
      this.#wholeUntilMs = Date.now();
      if (event.type === 'bookmark') {
        if (!isResourceVersion(event.resourceVersion)) throw this.#nonsense('sent a bookmark without a resourceVersion');
        if (progress.listing && !event.initialEventsEnd) return undefined;
        this.#movedAtMs = this.#wholeUntilMs;
        progress.position = event.resourceVersion;
        if (!progress.listing) {
          this.#bookmarks = true;
          return this.#observe({ type: 'bookmark', resourceVersion: event.resourceVersion });
        }
        progress.listing = false;
        outcomes.push({ how: 'listed', resourceVersion: event.resourceVersion, streaming: true });
        this.#listener.state('watching');
        return this.#ended(event.resourceVersion, objects, startedMs, true);
      }
      const object = this.#decoder.object(event.object, event.line);
      if (progress.listing) {
        if (event.type !== 'added') throw this.#nonsense(`sent ${event.type} among the initial events`);
        objects += 1;
        return this.#observe({ type: 'listed', object });
      }
      if (progress.position !== null && compareResourceVersions(object.resourceVersion, progress.position) <= 0) {
        // Within one watch it only ever rises: this is another history, or not the API server.
        throw this.#nonsense(`went back from resourceVersion ${progress.position} to ${object.resourceVersion}`);
      }
      this.#movedAtMs = this.#wholeUntilMs;
      progress.position = object.resourceVersion;
      return this.#observe({ type: event.type, object });
    };

    const last = await this.#attempt(state, signal, progress, async () => {
      if (cause !== null) await this.#listStarted(cause);
      const request = { path: pathOf(this.#scope), query: this.#streamQuery(progress), listing: () => progress.listing, onEvent };
      const end = await readStream(this.#client, request, this.#options, signal);
      if (end === 'no-end-bookmark') return { how: 'unsupported' };
      if (progress.listing || progress.position === null) throw this.#nonsense('ended before its list was complete');
      this.#wholeUntilMs = Date.now();
      const stale = !this.#bookmarks && this.#wholeUntilMs - this.#movedAtMs > STALE_MS;
      return { how: 'ended', resourceVersion: progress.position, seen: progress.seen, seconds: (Date.now() - startedMs) / 1000, stale };
    });
    this.#listener.watchEnded({ how: last.how, seconds: (Date.now() - startedMs) / 1000 });
    outcomes.push(last);
    return outcomes;
  }

  #streamQuery(progress: Progress): Query {
    const [low, high] = this.#options.watchSeconds;
    const wanted = Math.round(low + (high - low) * this.#options.random());
    const timeoutSeconds = this.#bookmarks ? wanted : Math.min(wanted, UNCACHED_WATCH_SECONDS);
    const query = { ...selectorQuery(this.#scope), watch: true, allowWatchBookmarks: true, timeoutSeconds };
    if (progress.listing) return { ...query, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' };
    return { ...query, resourceVersion: progress.position ?? undefined };
  }

  /** Runs a step. What goes wrong with the API server becomes an outcome; what the observer throws ends the reflector. */
  async #attempt(state: ReflectorState, signal: AbortSignal, progress: Progress, work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return { how: 'lost', resourceVersion: null, seen: false };
      if (!(error instanceof KubetapeError) || !error.code.startsWith('KUBE_')) throw error;
      this.#lastError = error;
      return outcomeOf(error, state.step.do, progress);
    }
  }

  #nonsense(what: string): KubetapeError {
    return new KubetapeError('KUBE_PROTOCOL', `the watch of ${this.#scope.resource} ${what}`);
  }
}

/** How far a step has come. */
interface Progress {
  listing: boolean;
  position: string | null;
  seen: boolean;
}

function idle(): Progress {
  return { listing: false, position: null, seen: false };
}

function outcomeOf(error: KubetapeError, step: string, progress: Progress): Outcome {
  const verdict = error.cause as Verdict | undefined;
  // A list that was cut has no position: its objects came in no order.
  const resourceVersion = progress.listing ? null : progress.position;
  switch (verdict?.is) {
    case 'expired':
      return step === 'page' ? { how: 'page-expired' } : { how: 'expired' };
    case 'throttled':
      return { how: 'throttled', retryAfterMs: verdict.retryAfterMs, resourceVersion };
    case 'invalid':
      return progress.listing ? { how: 'unsupported' } : { how: 'refused', resourceVersion };
    case 'refused':
      return { how: 'refused', resourceVersion };
    default:
      return { how: 'lost', resourceVersion, seen: progress.seen && !progress.listing };
  }
}
