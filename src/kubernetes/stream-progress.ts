/**
 * How far one stream has come, and what each of its events means: a watch, or a streaming list that goes on as a watch. Also
 * what came of a request that failed. Pure: the time is an argument.
 * Invariants (test/kubernetes/stream-progress.test.ts):
 *   P1 unordered  the initial events of a list move no position: they come in no order
 *   P2 rising     within a watch resourceVersions rise; what does not is another history
 *   P3 whole      what was seen before the stream broke is in the outcome, and nothing else
 */
import type { KubetapeError } from '../events/errors.ts';
import { compareResourceVersions, isResourceVersion } from '../events/resource-version.ts';
import type { Verdict } from './errors.ts';
import type { Outcome, Step } from './reflector-machine.ts';
import type { WatchEvent } from './stream.ts';

/** A watch that was open for so long without a failure proves the server to be well, though nothing happened in it. */
const LIVED_MS = 10_000;

/** What an event means; `nonsense` says what the server has done that it must not. */
export type Meaning =
  | { readonly is: 'listed' | 'changed' | 'bookmark' | 'list-ended' | 'nothing' }
  | { readonly is: 'leave'; readonly how: 'unsupported' | 'went-back' }
  | { readonly is: 'nonsense'; readonly what: string };

const LISTED: Meaning = { is: 'listed' };
const CHANGED: Meaning = { is: 'changed' };
const BOOKMARK: Meaning = { is: 'bookmark' };
const LIST_ENDED: Meaning = { is: 'list-ended' };
const NOTHING: Meaning = { is: 'nothing' };

export class StreamProgress {
  /** The end of the initial events is still to come. */
  listing: boolean;
  /** Everything up to here was seen; null until a list has ended. */
  position: string | null;
  /** Something has arrived that is not of a list. */
  seen = false;
  /** Initial events so far. */
  objects = 0;
  readonly #floor: string | null;
  /** When the server had said yes, or the list on the stream had ended. */
  #openedMs: number | null = null;

  private constructor(listing: boolean, position: string | null, floor: string | null) {
    this.listing = listing;
    this.position = position;
    this.#floor = floor;
  }

  /** @param floor a list that ends below it is of another history; null where every list will do */
  static ofList(floor: string | null): StreamProgress {
    return new StreamProgress(true, null, floor);
  }

  static ofWatch(position: string | null): StreamProgress {
    return new StreamProgress(false, position, null);
  }

  /** Of a request that is no stream. */
  static ofRequest(): StreamProgress {
    return new StreamProgress(false, null, null);
  }

  opened(nowMs: number): void {
    this.#openedMs = nowMs;
  }

  /** @param resourceVersion of the event's object; of a bookmark its own counts */
  take(event: WatchEvent, resourceVersion: string, nowMs: number): Meaning {
    if (event.type !== 'bookmark') return this.listing ? this.#initial(event.type) : this.#change(resourceVersion);
    if (!isResourceVersion(event.resourceVersion)) return { is: 'nonsense', what: 'sent a bookmark without a resourceVersion' };
    if (!this.listing) return this.#bookmark(event.resourceVersion);
    return event.initialEventsEnd ? this.#listEnded(event.resourceVersion, nowMs) : NOTHING;
  }

  /** What came of it when it failed. */
  failed(error: KubetapeError, step: Step['do'], nowMs: number): Outcome {
    const verdict = error.cause as Verdict | undefined;
    // A list that was cut has no position.
    const resourceVersion = this.listing ? null : this.position;
    const lived = this.#openedMs !== null && nowMs - this.#openedMs >= LIVED_MS;
    const seen = !this.listing && (this.seen || lived);
    switch (verdict?.is) {
      case 'expired':
        return step === 'page' ? { how: 'page-expired' } : { how: 'expired', resourceVersion };
      case 'throttled':
        return { how: 'throttled', retryAfterMs: verdict.retryAfterMs, resourceVersion, seen };
      case 'invalid':
        return this.listing ? { how: 'unsupported', ever: true } : { how: 'refused', resourceVersion, seen };
      case 'refused':
        return { how: 'refused', resourceVersion, seen };
      default:
        return { how: 'lost', resourceVersion, seen, midList: this.listing && this.#openedMs !== null };
    }
  }

  #initial(type: 'added' | 'modified' | 'deleted'): Meaning {
    // Older servers let changes in before the end: what a deletion takes back cannot be told from what was never there.
    if (type !== 'added') return { is: 'leave', how: 'unsupported' };
    this.objects += 1;
    return LISTED;
  }

  #listEnded(resourceVersion: string, nowMs: number): Meaning {
    if (isBelow(resourceVersion, this.#floor)) return { is: 'leave', how: 'went-back' };
    this.listing = false;
    this.position = resourceVersion;
    this.#openedMs = nowMs;
    return LIST_ENDED;
  }

  #change(resourceVersion: string): Meaning {
    if (this.position !== null && compareResourceVersions(resourceVersion, this.position) <= 0) return this.#back(resourceVersion);
    return this.#moved(resourceVersion, CHANGED);
  }

  #bookmark(resourceVersion: string): Meaning {
    return isBelow(resourceVersion, this.position) ? this.#back(resourceVersion) : this.#moved(resourceVersion, BOOKMARK);
  }

  #moved(resourceVersion: string, meaning: Meaning): Meaning {
    this.seen = true;
    this.position = resourceVersion;
    return meaning;
  }

  #back(resourceVersion: string): Meaning {
    return { is: 'nonsense', what: `went back from resourceVersion ${this.position} to ${resourceVersion}` };
  }
}

/** @param floor null has nothing below it */
export function isBelow(resourceVersion: string, floor: string | null): boolean {
  return floor !== null && compareResourceVersions(resourceVersion, floor) < 0;
}
