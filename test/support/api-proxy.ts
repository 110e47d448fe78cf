/**
 * A reverse proxy in front of the real API server that passes everything on, byte for byte and with backpressure, and on
 * command does what broken connections, load balancers and older servers do. Shares no code with the product.
 *   in    requests by TLS, under the API server's own certificate
 *   out   what the API server answers, but for the faults that are injected
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request, type Server } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import path from 'node:path';
import type { Stack } from '../../scripts/stack/stack.ts';

/** A request, as the faults go by it. */
export interface Asked {
  /** `list` is a page or a probe, `streaming` a list as a watch; `other` is neither list nor watch of a collection. */
  readonly kind: 'watch' | 'streaming' | 'list' | 'other';
  /** The plural; '' for what is no collection. */
  readonly resource: string;
  readonly query: URLSearchParams;
  readonly atMs: number;
}

export type Where = (asked: Asked) => boolean;

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The client's end of a stream. */
export interface Wire {
  write(text: string): void;
  /** In good order: the last chunk, and the end. */
  end(): void;
  /** The connection breaks. */
  cut(): void;
  /** Announces more bytes than it sends, and closes the connection. */
  endWithinChunk(text: string): void;
}

/** One of the three is done, in this order. */
export interface Fault {
  readonly where: Where;
  /** How many requests (or lines) it meets; without end unless given. */
  readonly times?: number;
  readonly answer?: (asked: Asked) => Answer;
  /** Changes what is asked of the API server. */
  readonly rewrite?: (query: URLSearchParams) => void;
  /** Gets each line of a matching stream, of those that are open already too, instead of the client. */
  readonly onLine?: (line: string, wire: Wire) => void;
}

export interface Injected {
  /** Requests or lines that it has met. */
  readonly hits: number;
  lift(): void;
}

interface Exchange {
  readonly asked: Asked;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  frozen: boolean;
}

export class ApiProxy {
  readonly url: string;
  /** Leads through the proxy, as admin. */
  readonly kubeconfig: string;
  /** Every request that came, oldest first. */
  readonly asked: Asked[] = [];
  readonly #stack: Stack;
  readonly #tcp: TcpServer;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #sockets = new Set<Socket>();
  readonly #exchanges = new Set<Exchange>();
  readonly #faults = new Set<{ readonly fault: Fault; hits: number }>();
  readonly #freezes = new Set<Where>();

  private constructor(stack: Stack, dir: string, tcp: TcpServer, server: Server, agent: Agent) {
    this.#stack = stack;
    this.#tcp = tcp;
    this.#server = server;
    this.#agent = agent;
    this.url = `https://127.0.0.1:${(tcp.address() as AddressInfo).port}`;
    this.kubeconfig = path.join(dir, 'kubeconfig-proxy');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'proxy',
      clusters: [{ name: 'proxy', cluster: { server: this.url, 'certificate-authority': stack.caFile } }],
      users: [{ name: 'admin', user: { token: stack.adminToken } }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'admin' } }],
    };
    writeFileSync(this.kubeconfig, JSON.stringify(config), { mode: 0o600 });
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => this.#pass(incoming, response));
    tcp.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
      server.emit('connection', socket);
    });
  }

  /** @param dir gets the kubeconfig */
  static async start(stack: Stack, dir: string): Promise<ApiProxy> {
    const cert = readFileSync(stack.caFile);
    const server = createServer({ cert, key: readFileSync(stack.caFile.replace(/\.crt$/, '.key')), keepAliveTimeout: 60_000 });
    server.on('tlsClientError', () => undefined).on('clientError', (_, socket) => socket.destroy());
    const tcp = createTcpServer();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    return new ApiProxy(stack, dir, tcp, server, new Agent({ ca: cert, keepAlive: true }));
  }

  inject(fault: Fault): Injected {
    const entry = { fault, hits: 0 };
    this.#faults.add(entry);
    const faults = this.#faults;
    return {
      get hits() {
        return entry.hits;
      },
      lift: () => void faults.delete(entry),
    };
  }

  /** Swallows what comes from either side, of open exchanges and of new ones, until the returned function is called. */
  freeze(where: Where): () => void {
    this.#freezes.add(where);
    for (const exchange of this.#exchanges) if (where(exchange.asked)) exchange.frozen = true;
    return () => void this.#freezes.delete(where);
  }

  /** Lifts all faults and freezes. */
  heal(): void {
    this.#faults.clear();
    this.#freezes.clear();
  }

  /** Breaks the connections of matching exchanges. @returns how many */
  cut(where: Where): number {
    const hit = this.open(where);
    for (const { response } of hit) response.socket?.destroy();
    return hit.length;
  }

  /** Matching exchanges that are under way. */
  open(where: Where): readonly Exchange[] {
    return [...this.#exchanges].filter(({ asked }) => where(asked));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    this.#server.close();
    await new Promise((resolve) => this.#tcp.close(resolve));
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.url);
    const asked = askedOf(incoming.method ?? 'GET', url);
    this.asked.push(asked);
    const frozen = [...this.#freezes].some((where) => where(asked));
    const exchange: Exchange = { asked, request: incoming, response, frozen };
    this.#exchanges.add(exchange);
    response.on('close', () => this.#exchanges.delete(exchange)).on('error', () => undefined);
    // Thawing does not bring back what was swallowed: a frozen exchange stays so.
    if (frozen) return;
    const answer = this.#find(asked, 'answer')?.answer?.(asked);
    if (answer !== undefined) {
      const body = answer.body === undefined ? '' : JSON.stringify(answer.body);
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(body);
      return;
    }
    this.#find(asked, 'rewrite')?.rewrite?.(url.searchParams);
    const upstream = request(
      `${this.#stack.apiUrl}${url.pathname}${url.search}`,
      { method: incoming.method, headers: { ...incoming.headers, host: new URL(this.#stack.apiUrl).host }, agent: this.#agent },
      (answered) => this.#relay(exchange, answered),
    );
    upstream.on('error', () => response.socket?.destroy());
    response.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  #relay(exchange: Exchange, upstream: IncomingMessage): void {
    const { asked, response } = exchange;
    if (exchange.frozen) {
      upstream.resume();
      return;
    }
    response.writeHead(upstream.statusCode ?? 502, upstream.headers);
    response.flushHeaders();
    const lines = asked.kind === 'watch' || asked.kind === 'streaming';
    let rest = '';
    if (lines) upstream.setEncoding('utf8');
    upstream.on('data', (chunk: Buffer | string) => {
      if (exchange.frozen || response.destroyed) return;
      if (typeof chunk === 'string') {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const line of parts) this.#line(exchange, line);
        if (response.writableNeedDrain) upstream.pause();
      } else if (!response.write(chunk)) upstream.pause();
    });
    response.on('drain', () => upstream.resume());
    upstream.on('end', () => {
      if (!exchange.frozen) response.end(rest);
    });
    upstream.on('close', () => {
      if (!exchange.frozen && !upstream.complete) response.socket?.destroy();
    });
    upstream.on('error', () => undefined);
  }

  #line({ asked, response }: Exchange, line: string): void {
    if (response.writableEnded || response.destroyed) return;
    const { socket } = response;
    const onLine = this.#find(asked, 'onLine')?.onLine;
    if (onLine === undefined) {
      response.write(`${line}\n`);
      return;
    }
    onLine(line, {
      write: (text) => void response.write(text),
      end: () => void response.end(),
      cut: () => socket?.destroy(),
      endWithinChunk: (text) => {
        const bytes = Buffer.from(text);
        socket?.write(`${(bytes.length + 1000).toString(16)}\r\n`);
        socket?.end(bytes);
      },
    });
  }

  #find(asked: Asked, doing: 'answer' | 'rewrite' | 'onLine'): Fault | undefined {
    for (const entry of this.#faults) {
      const { fault } = entry;
      if (fault[doing] === undefined || entry.hits >= (fault.times ?? Number.POSITIVE_INFINITY) || !fault.where(asked)) continue;
      entry.hits += 1;
      return fault;
    }
    return undefined;
  }
}

function askedOf(method: string, url: URL): Asked {
  const query = url.searchParams;
  const match = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)\/(?:namespaces\/[^/]+\/)?([a-z]+)$/.exec(url.pathname);
  if (method !== 'GET' || match === null) return { kind: 'other', resource: '', query, atMs: Date.now() };
  const watch = query.get('watch') === 'true';
  const kind = watch ? (query.get('sendInitialEvents') === 'true' ? 'streaming' : 'watch') : 'list';
  // As it was asked, whatever a fault makes of it.
  return { kind, resource: match[1] ?? '', query: new URLSearchParams(query), atMs: Date.now() };
}
