/**
 * An API server that only replays: it serves pods (pods.ts) as LIST in pages, as streaming list and as WATCH, as fast as
 * the client reads, with little work of its own, so that what is measured is the client.
 *   in    how many objects there are, and how many events: a POST to /bench/allow lets more of them happen
 *   out   bytes as an API server sends them; GET /bench/state tells what was sent
 * Invariants (test/scripts/bench/replay.test.ts):
 *   V1 complete  a streaming list is every object once and its end bookmark; pages are every object once
 *   V2 resumes   a watch from a resourceVersion sends every event after it once, in order, up to what is allowed
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PodGenerator, type EventType, type PodVersion } from './pods.ts';

export interface ReplaySettings {
  readonly seed: number;
  readonly objects: number;
  /** Most bytes a second on each connection; 0 sets no limit. */
  readonly bytesPerSecond: number;
}

/** What the server has done, for whoever measures. */
export interface ReplayState {
  readonly objects: number;
  readonly allowed: number;
  /** The newest event that was handed to a socket, 0 before the first. */
  readonly sent: number;
  readonly bytes: number;
  /** When the first watch or list was asked for, ms since 1970; 0 before. */
  readonly askedMs: number;
}

/** Bytes handed to the socket at once. */
const CHUNK_BYTES = 256 * 1024;
/** Room that any line needs, besides its pod. */
const LINE_BYTES = 64;
const BOOKMARK_EVERY_MS = 10_000;

export class ReplayServer {
  readonly #pods: PodGenerator;
  readonly #settings: ReplaySettings;
  readonly #server: Server;
  #allowed = 0;
  #sent = 0;
  #bytes = 0;
  #askedMs = 0;
  #waiting: (() => void)[] = [];

  constructor(settings: ReplaySettings) {
    this.#settings = settings;
    this.#pods = new PodGenerator(settings.seed);
    this.#server = createServer((request, response) => {
      // A client that leaves in the middle is no error.
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.requestTimeout = 0;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  allow(events: number): void {
    this.#allowed += events;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  get state(): ReplayState {
    return { objects: this.#settings.objects, allowed: this.#allowed, sent: this.#sent, bytes: this.#bytes, askedMs: this.#askedMs };
  }

  get #listVersion(): number {
    return this.#pods.listVersion(this.#settings.objects);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://replay');
    const query = url.searchParams;
    switch (url.pathname) {
      case '/api':
        return json(response, { kind: 'APIVersions', versions: ['v1'] });
      case '/apis':
        return json(response, { kind: 'APIGroupList', apiVersion: 'v1', groups: [] });
      case '/api/v1':
        return json(response, { kind: 'APIResourceList', groupVersion: 'v1', resources: [PODS] });
      case '/api/v1/pods':
        if (this.#askedMs === 0) this.#askedMs = Date.now();
        if (query.get('watch') !== 'true') return this.#list(query, response);
        return this.#stream(query, response);
      case '/bench/state':
        return json(response, this.state);
      case '/bench/allow':
        this.allow(Number(query.get('events')));
        return json(response, this.state);
      default:
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }));
        return undefined;
    }
  }

  /** The first state of every object, or a page of it; `limit=1` is how a client asks where the resourceVersions are. */
  async #list(query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { objects } = this.#settings;
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? 0) || objects;
    const to = Math.min(objects, from + limit);
    const resourceVersion = String(limit === 1 ? this.#listVersion + this.#allowed : this.#listVersion);
    const metadata = { resourceVersion, ...(to < objects ? { continue: String(to), remainingItemCount: objects - to } : {}) };
    const out = this.#output(response);
    response.writeHead(200, { 'content-type': 'application/json' });
    await out.text(`{"kind":"PodList","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[`);
    for (let index = from; index < to; index += 1) await this.#write(out, index === from ? '' : ',', this.#pods.listed(index), '');
    await out.text(']}\n');
    await out.end();
  }

  async #stream(query: URLSearchParams, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const out = this.#output(response);
    const untilMs = Date.now() + 1000 * Number(query.get('timeoutSeconds') ?? 3600);
    let next = 0;
    if (query.get('sendInitialEvents') === 'true') {
      for (let index = 0; index < this.#settings.objects && !out.closed; index += 1) {
        const waits = this.#event(out, 'ADDED', this.#pods.listed(index));
        if (waits !== undefined) await waits;
      }
      await out.text(bookmark(this.#listVersion, true));
    } else {
      const from = Number(query.get('resourceVersion') ?? 0);
      next = from === 0 ? 0 : Math.max(0, from - this.#listVersion);
    }
    while (!out.closed && Date.now() < untilMs) {
      const until = this.#allowed;
      for (; next < until; next += 1) {
        const waits = this.#event(out, 'MODIFIED', this.#pods.changed(next, this.#settings.objects));
        if (waits !== undefined) {
          this.#sent = Math.max(this.#sent, next + 1);
          await waits;
        }
        if (out.closed) break;
      }
      await out.flush();
      this.#sent = Math.max(this.#sent, next);
      if (out.closed) break;
      if (next === this.#allowed && !(await this.#more(Math.min(BOOKMARK_EVERY_MS, untilMs - Date.now()), response))) {
        await out.text(bookmark(this.#listVersion + next, false));
      }
    }
    await out.end();
  }

  #output(response: ServerResponse): Output {
    return new Output(response, this.#settings.bytesPerSecond, (bytes) => (this.#bytes += bytes));
  }

  #event(out: Output, type: EventType, pod: PodVersion): Promise<void> | undefined {
    return this.#write(out, `{"type":"${type}","object":`, pod, '}\n');
  }

  #write(out: Output, before: string, pod: PodVersion, after: string): Promise<void> | undefined {
    const room = out.reserve(this.#pods.bytesOf(pod) + LINE_BYTES);
    let at = room.at + room.buffer.write(before, room.at, 'latin1');
    at = this.#pods.write(pod, room.buffer, at);
    return out.wrote(at + room.buffer.write(after, at, 'latin1'));
  }

  /** @returns true when more events are allowed, false when the time is over or the client has left */
  #more(waitMs: number, response: ServerResponse): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (more: boolean): void => {
        clearTimeout(timer);
        response.off('close', left);
        resolve(more);
      };
      const left = (): void => end(false);
      const timer = setTimeout(() => end(false), Math.max(1, waitMs));
      response.once('close', left);
      this.#waiting.push(() => end(true));
    });
  }
}

/** Collects lines into chunks and waits for the socket. */
class Output {
  readonly #response: ServerResponse;
  readonly #bytesPerSecond: number;
  readonly #count: (bytes: number) => void;
  readonly #startedMs = performance.now();
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #at = 0;
  #bytes = 0;

  constructor(response: ServerResponse, bytesPerSecond: number, count: (bytes: number) => void) {
    this.#count = count;
    this.#response = response;
    this.#bytesPerSecond = bytesPerSecond;
  }

  get closed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  /** Where `bytes` may be written; there is room, as a chunk is sent before it is full. */
  reserve(bytes: number): { readonly buffer: Buffer; readonly at: number } {
    if (this.#at + bytes > this.#buffer.length) {
      // Never more than one line past its size: sent by the `wrote` before.
      const larger = Buffer.allocUnsafe(this.#at + bytes);
      this.#buffer.copy(larger, 0, 0, this.#at);
      this.#buffer = larger;
    }
    return { buffer: this.#buffer, at: this.#at };
  }

  /** @returns a promise when the chunk went out and the socket wants to be waited for */
  wrote(at: number): Promise<void> | undefined {
    this.#at = at;
    return this.#at < CHUNK_BYTES - 16 * 1024 ? undefined : this.flush();
  }

  text(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text);
    const { buffer, at } = this.reserve(bytes);
    this.#at = at + buffer.write(text, at);
    return this.flush();
  }

  async flush(): Promise<void> {
    if (this.#at === 0 || this.closed) return;
    const chunk = this.#buffer.subarray(0, this.#at);
    this.#bytes += chunk.length;
    this.#count(chunk.length);
    this.#buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    this.#at = 0;
    if (!this.#response.write(chunk)) await roomIn(this.#response);
    if (this.#bytesPerSecond === 0) return;
    const dueMs = this.#startedMs + (1000 * this.#bytes) / this.#bytesPerSecond;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 1) await new Promise((resolve) => setTimeout(resolve, earlyMs));
  }

  async end(): Promise<void> {
    await this.flush();
    this.#response.end();
  }
}

/** Until the socket takes more, or is gone. */
function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      response.off('drain', end).off('close', end);
      resolve();
    };
    response.on('drain', end).on('close', end);
  });
}

const PODS = {
  name: 'pods',
  singularName: 'pod',
  namespaced: true,
  kind: 'Pod',
  verbs: ['get', 'list', 'watch'],
  shortNames: ['po'],
};

function bookmark(version: number, endsList: boolean): string {
  const annotations = endsList ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const object = { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: String(version), creationTimestamp: null, ...annotations } };
  return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
