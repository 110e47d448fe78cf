/**
 * One watch request, from its headers to its end: bytes become events, each handed on and awaited.
 * A line that does not parse is an error, never skipped; so is a stream that ends within a line.
 */
import { KubetapeError } from '../events/errors.ts';
import type { KubeClient, Query } from './client.ts';
import { errorOfStatus, errorOfTransport } from './errors.ts';
import { LineSplitter } from './lines.ts';
import type { Json } from './redact.ts';
import { trimLine } from './trim.ts';

export type WatchEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: Json; readonly text: ObjectText }
  | { readonly type: 'bookmark'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** What an object was parsed from. */
export interface ObjectText {
  /** All of it, and maybe more. */
  readonly line: Buffer;
  /** The object without managedFields, byte for byte; null where that is not to be had. */
  readonly objectBytes: () => Buffer | null;
}

export interface StreamTimes {
  /** A stream without a byte for so long is dead: the API server sends bookmarks about every minute. */
  readonly silenceMs: number;
  /** A streaming list that stands still for so long without its end bookmark comes from a server that knows none. */
  readonly endBookmarkMs: number;
}

export type StreamEnd = 'closed' | 'no-end-bookmark' | 'enough';

export interface StreamRequest {
  readonly path: string;
  readonly query: Query;
  /** The server has said yes. */
  readonly onOpen: () => void;
  /** Asked before each read: is the end bookmark of a streaming list still to come? */
  readonly listing: () => boolean;
  /** Asked after each event: true leaves the stream. */
  readonly enough: () => boolean;
  readonly onEvent: (event: WatchEvent) => void | Promise<void>;
}

/** Longest an API server may think before a list, and longest the text of a refusal may take. */
const ANSWER_MS = 60_000;

/**
 * @returns how the stream ended
 * @throws KubetapeError KUBE_*: refused, cut, silent or not a watch stream; and whatever `onEvent` throws
 */
export async function readStream(client: KubeClient, request: StreamRequest, times: StreamTimes, signal: AbortSignal): Promise<StreamEnd> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  let impatience: 'silence' | 'no-end-bookmark' | null = null;
  const watchdog = (listing: boolean): NodeJS.Timeout =>
    setTimeout(
      () => {
        impatience = listing ? 'no-end-bookmark' : 'silence';
        stop.abort();
      },
      listing ? times.endBookmarkMs : times.silenceMs,
    );
  /** What fails while bytes are awaited is the connection's fault; what fails in `onEvent` is not. */
  const received = async <T>(listing: boolean, bytes: Promise<T>): Promise<T> => {
    // Armed only while waiting for bytes: a slow reader of events is no silence of the server.
    const timer = watchdog(listing);
    try {
      return await bytes;
    } catch (error) {
      throw errorOfTransport(error, client.server);
    } finally {
      clearTimeout(timer);
    }
  };
  try {
    // Some proxies hold the headers of a watch back until its first event.
    const headersTimeoutMs = request.listing() ? Math.min(times.silenceMs, ANSWER_MS) : times.silenceMs;
    const response = await client.open(request.path, request.query, stop.signal, { headersTimeoutMs, bodyTimeoutMs: 0 });
    if (response.status !== 200) {
      throw errorOfStatus(response.status, await received(false, response.body.text()), request.path, response.headers);
    }
    request.onOpen();
    const splitter = new LineSplitter();
    const chunks = response.body[Symbol.asyncIterator]();
    for (;;) {
      const next = (await received(request.listing(), chunks.next())) as IteratorResult<Buffer>;
      if (next.done === true) break;
      for (const line of splitter.push(next.value)) {
        if (line.length === 0) continue;
        const handled = request.onEvent(parseEvent(line, request.path));
        if (handled !== undefined) await handled;
        if (request.enough()) return 'enough';
      }
    }
    if (splitter.pendingBytes > 0) throw new KubetapeError('KUBE_PROTOCOL', `the watch of ${request.path} ended within a line`);
    return 'closed';
  } catch (error) {
    if (signal.aborted) throw error;
    if (impatience === 'no-end-bookmark') return 'no-end-bookmark';
    if (impatience === 'silence') {
      throw new KubetapeError('KUBE_UNREACHABLE', `the watch of ${request.path} was silent for ${times.silenceMs / 1000} s`, {
        hint: 'The connection is dead, or something on the way swallows the stream; the watch is opened anew.',
      });
    }
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Frees the connection when it was left before its end.
    stop.abort();
  }
}

function parseEvent(line: Buffer, path: string): WatchEvent {
  const trimmed = trimLine(line);
  let event: { type?: unknown; object?: Json };
  let objectBytes: ObjectText['objectBytes'] = () => null;
  try {
    event = JSON.parse(trimmed?.text ?? line.toString('utf8')) as typeof event;
    if (trimmed !== null) {
      if (trimmed.fits(event)) objectBytes = trimmed.objectBytes;
      else event = JSON.parse(line.toString('utf8')) as typeof event;
    }
  } catch {
    // The parser's message quotes the line, which may hold a Secret.
    throw new KubetapeError('KUBE_PROTOCOL', `a line of ${line.length} bytes in the watch of ${path} is not JSON`);
  }
  const { type, object } = event;
  if (typeof object !== 'object' || object === null)
    throw new KubetapeError('KUBE_PROTOCOL', `an event in the watch of ${path} has no object`);
  switch (type) {
    case 'ADDED':
      return { type: 'added', object, text: { line, objectBytes } };
    case 'MODIFIED':
      return { type: 'modified', object, text: { line, objectBytes } };
    case 'DELETED':
      return { type: 'deleted', object, text: { line, objectBytes } };
    case 'BOOKMARK': {
      const metadata = object['metadata'] as { resourceVersion?: string; annotations?: Record<string, string> } | undefined;
      const initialEventsEnd = metadata?.annotations?.['k8s.io/initial-events-end'] === 'true';
      return { type: 'bookmark', resourceVersion: metadata?.resourceVersion ?? '', initialEventsEnd };
    }
    case 'ERROR':
      throw errorOfStatus(Number(object['code'] ?? 500), JSON.stringify(object), path);
    default:
      throw new KubetapeError('KUBE_PROTOCOL', `an event in the watch of ${path} has an unknown type`);
  }
}
