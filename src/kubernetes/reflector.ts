/**
 * Lists and watches one scope for as long as it runs: the loop of ask, do, tell around reflector-machine.ts.
 *   in    a scope, and the resourceVersion to go on from
 *   out   observations (events/observation.ts), in order, each awaited: who is slow slows the socket down
 */
import { KubetapeError } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import type { ListCause } from '../events/observation.ts';
import { isResourceVersion } from '../events/resource-version.ts';
import type { KubeClient, Query } from './client.ts';
import type { Decoder } from './decode.ts';
import { listPages } from './pages.ts';
import { REFLECTOR_DEFAULTS, type Observer, type ReflectorListener, type ReflectorOptions } from './reflector-options.ts';
import { afterWait, nextStep, startReflector, type Outcome, type ReflectorState } from './reflector-machine.ts';
import { pathOf, selectorQuery, type Scope } from './scope.ts';
import { isBelow, StreamProgress } from './stream-progress.ts';
import { readStream, type WatchEvent } from './stream.ts';

/** A position that no bookmark moved for so long may be compacted away: etcd keeps five minutes by default. */
const STALE_MS = 240_000;
/** The API server sends a bookmark about every minute, to watches that are served from its cache. */
const BOOKMARKS_MS = 90_000;
/** Longest the answer to a probe may take: it is one object. */
const PROBE_MS = 15_000;
/** Longest a page may take to begin, and to stand still. */
const PAGE_MS = 60_000;

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
    // How old a checkpoint is, its first watch will show.
    this.#movedAtMs = performance.now();
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
    await pause(ms, signal);
  }

  async #perform(state: ReflectorState, signal: AbortSignal): Promise<Outcome[]> {
    const { step } = state;
    switch (step.do) {
      case 'probe':
        this.#listener.state('probing');
        return [await this.#attempt(state, signal, StreamProgress.ofRequest(), () => this.#probe(signal))];
      case 'page':
        this.#listener.state('listing');
        return [
          await this.#attempt(state, signal, StreamProgress.ofRequest(), () => this.#page(state, step.cause, step.pageFactor, signal)),
        ];
      case 'list':
        this.#listener.state('listing');
        return this.#stream(state, step.cause, signal);
      case 'watch':
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
      this.#patience(PROBE_MS),
    );
    const resourceVersion = list.metadata?.resourceVersion;
    if (!isResourceVersion(resourceVersion))
      throw new KubetapeError('KUBE_PROTOCOL', `a list of ${this.#scope.resource} has no resourceVersion`);
    return { how: 'probed', resourceVersion };
  }

  async #page(state: ReflectorState, cause: ListCause, pageFactor: number, signal: AbortSignal): Promise<Outcome> {
    const began = moment();
    await this.#listStarted(cause);
    let objects = 0;
    let resourceVersion = '';
    const limit = this.#options.pageSize * pageFactor;
    for await (const page of listPages(this.#client, this.#scope, limit, signal, this.#patience(PAGE_MS))) {
      ({ resourceVersion } = page);
      this.#listener.answered();
      if (isBelow(resourceVersion, floorOf(state, cause))) return this.#wentBack(resourceVersion, state);
      for (const raw of page.items) {
        objects += 1;
        const waiting = this.#observe({ type: 'listed', object: this.#decoder.object(raw) });
        if (waiting !== undefined) await waiting;
      }
    }
    await this.#ended(resourceVersion, objects, began, false);
    return { how: 'listed', resourceVersion };
  }

  /** Whoever wants to know soon of a silent watch does not wait longer for an answer. */
  #patience(ms: number): { readonly headersTimeoutMs: number; readonly bodyTimeoutMs: number } {
    const least = Math.min(ms, this.#options.silenceMs);
    return { headersTimeoutMs: least, bodyTimeoutMs: least };
  }

  async #listStarted(cause: ListCause): Promise<void> {
    this.#listener.relist(cause);
    await this.#observe({ type: 'list-started', cause, wholeUntilMs: this.#wholeUntilMs });
  }

  async #ended(resourceVersion: string, objects: number, began: Moment, streamed: boolean): Promise<void> {
    await this.#observe({ type: 'list-ended', resourceVersion });
    this.#movedAtMs = performance.now();
    // What a list shows is no older than its beginning.
    this.#wholeUntilMs = began.atMs;
    this.#listener.listed({ objects, seconds: (performance.now() - began.ms) / 1000, streamed });
  }

  #wentBack(resourceVersion: string, { resourceVersion: reached }: ReflectorState): Outcome {
    this.#lastError = new KubetapeError(
      'KUBE_PROTOCOL',
      `a list of ${this.#scope.resource} is at resourceVersion ${resourceVersion}, and ${reached} was reached before`,
      { hint: 'Was etcd restored from a backup? Everything is listed anew, in another epoch.' },
    );
    return { how: 'went-back' };
  }

  /** A watch, or (with a cause) a streaming list that goes on as a watch. */
  async #stream(state: ReflectorState, cause: ListCause | null, signal: AbortSignal): Promise<Outcome[]> {
    const began = moment();
    const progress = cause === null ? StreamProgress.ofWatch(state.resourceVersion) : StreamProgress.ofList(floorOf(state, cause));
    const timeoutSeconds = this.#watchSeconds(progress.listing);
    const outcomes: Outcome[] = [];
    /** Why the stream is left; `listed` to go on with a watch of its own. */
    let leave: Outcome | 'listed' | null = null;

    const onEvent = (event: WatchEvent): void | Promise<void> => {
      const object = event.type === 'bookmark' ? null : this.#decoder.object(event.object, event.text);
      const resourceVersion = event.type === 'bookmark' ? event.resourceVersion : (object?.resourceVersion ?? '');
      const meaning = progress.take(event, resourceVersion, performance.now());
      switch (meaning.is) {
        case 'listed':
          return object === null ? undefined : this.#observe({ type: 'listed', object });
        case 'changed':
          this.#moved();
          return object === null || event.type === 'bookmark' ? undefined : this.#observe({ type: event.type, object });
        case 'bookmark':
          this.#moved();
          this.#bookmarks = true;
          return this.#observe({ type: 'bookmark', resourceVersion });
        case 'list-ended':
          outcomes.push({ how: 'listed', resourceVersion });
          // Without bookmarks this stream could be silent for longer than can be told from dead; see #watchSeconds.
          if (this.#bookmarks) this.#listener.state('watching');
          else leave = 'listed';
          return this.#ended(resourceVersion, progress.objects, began, true);
        case 'leave':
          leave = meaning.how === 'went-back' ? this.#wentBack(resourceVersion, state) : { how: 'unsupported', ever: false };
          return undefined;
        case 'nonsense':
          throw this.#nonsense(meaning.what);
        case 'nothing':
          return undefined;
      }
    };

    const last = await this.#attempt(state, signal, progress, async (): Promise<Outcome | 'listed'> => {
      if (cause !== null) await this.#listStarted(cause);
      const end = await readStream(
        this.#client,
        {
          path: pathOf(this.#scope),
          query: this.#streamQuery(progress, timeoutSeconds),
          onOpen: () => {
            progress.opened(performance.now());
            this.#listener.answered();
            if (!progress.listing) this.#listener.state('watching');
          },
          listing: () => progress.listing,
          enough: () => leave !== null,
          onEvent,
        },
        this.#options,
        signal,
      );
      if (leave !== null) return leave;
      if (end === 'no-end-bookmark') return { how: 'unsupported', ever: false };
      return this.#closed(progress, (performance.now() - began.ms) / 1000, timeoutSeconds);
    });
    if (last === 'listed') return outcomes;
    // Whoever answers next may be another server, or a proxy that swallows bookmarks.
    if (last.how === 'lost') this.#bookmarks = false;
    this.#listener.watchEnded({ how: last.how, seconds: (performance.now() - began.ms) / 1000 });
    return [...outcomes, last];
  }

  /** All that had happened until now was seen, and the position has moved. */
  #moved(): void {
    this.#wholeUntilMs = Date.now();
    this.#movedAtMs = performance.now();
  }

  /** The server has ended the stream in good order. */
  #closed({ listing, position, seen }: StreamProgress, seconds: number, timeoutSeconds: number): Outcome {
    if (listing || position === null) throw this.#nonsense('ended before its list was complete');
    // Ended because its time was up: by the server itself, which had sent all there was.
    if (seconds >= timeoutSeconds - 1) this.#wholeUntilMs = Date.now();
    const stale = !this.#bookmarks && performance.now() - this.#movedAtMs > STALE_MS;
    return { how: 'ended', resourceVersion: position, seen, seconds, stale };
  }

  /**
   * How long the watch is asked to last. Where no bookmark is to be expected before the watchdog bites, it ends by itself
   * before that: a quiet watch that is well never looks like a dead one.
   */
  #watchSeconds(listing: boolean): number {
    const [low, high] = this.#options.watchSeconds;
    const wanted = Math.round(low + (high - low) * this.#options.random());
    // A list takes as long as it takes.
    if (listing || (this.#bookmarks && this.#options.silenceMs >= BOOKMARKS_MS)) return wanted;
    return Math.max(1, Math.min(wanted, Math.floor((this.#options.silenceMs * 2) / 3000)));
  }

  #streamQuery(progress: StreamProgress, timeoutSeconds: number): Query {
    const query = { ...selectorQuery(this.#scope), watch: true, allowWatchBookmarks: true, timeoutSeconds };
    if (progress.listing) return { ...query, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' };
    return { ...query, resourceVersion: progress.position ?? undefined };
  }

  /** Runs a step. What goes wrong with the API server becomes an outcome; what the observer throws ends the reflector. */
  async #attempt<T>(state: ReflectorState, signal: AbortSignal, progress: StreamProgress, work: () => Promise<T>): Promise<T | Outcome> {
    this.#lastError = null;
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return { how: 'lost', resourceVersion: null, seen: false, midList: false };
      if (!(error instanceof KubetapeError) || !error.code.startsWith('KUBE_')) throw error;
      this.#lastError = error;
      return progress.failed(error, state.step.do, performance.now());
    }
  }

  #nonsense(what: string): KubetapeError {
    return new KubetapeError('KUBE_PROTOCOL', `the watch of ${this.#scope.resource} ${what}`);
  }
}

/** A list below the position is of another history: what is gone from it, and what is old in it, would be misread. */
function floorOf({ resourceVersion }: ReflectorState, cause: ListCause): string | null {
  return cause === 'restored' ? null : resourceVersion;
}

/** By the clock on the wall, for what is recorded; and by one that nobody sets, for how long something took. */
interface Moment {
  readonly atMs: number;
  readonly ms: number;
}

function moment(): Moment {
  return { atMs: Date.now(), ms: performance.now() };
}
