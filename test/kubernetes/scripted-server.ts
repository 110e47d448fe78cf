/** An API server that answers what a test tells it to: for courses that a real one takes once in a year. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KubeClient } from '../../src/kubernetes/client.ts';

export interface Asked {
  /** Of `list` and `watch` as their parameters show: a list with limit=1 is a probe. */
  readonly step: 'probe' | 'page' | 'list' | 'watch' | 'other';
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

export type Answerer = (asked: Asked, reply: Reply) => void;

export class Reply {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  json(body: unknown, status = 200): void {
    this.#response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  /** Headers, and what of the body is given; the rest never comes. */
  hang(text: string, status = 200): void {
    this.#response.writeHead(status, { 'content-type': 'application/json' });
    this.#response.write(text);
  }

  /** Events of a watch that stays open. */
  events(...events: readonly object[]): this {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for (const event of events) this.#response.write(`${JSON.stringify(event)}\n`);
    return this;
  }

  end(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200);
    this.#response.end();
  }

  cut(): void {
    // What was written shall have arrived.
    setTimeout(() => this.#response.socket?.destroy(), 20);
  }
}

export class ScriptedServer {
  readonly asked: Asked[] = [];
  readonly client: KubeClient;
  readonly #server: Server;
  readonly #dir: string;

  private constructor(server: Server, dir: string, client: KubeClient) {
    this.#server = server;
    this.#dir = dir;
    this.client = client;
  }

  static async start(answer: Answerer): Promise<ScriptedServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const dir = mkdtempSync(path.join(tmpdir(), 'kubetape-scripted-'));
    const kubeconfig = path.join(dir, 'kubeconfig');
    const { port } = server.address() as AddressInfo;
    const config = {
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    const scripted = new ScriptedServer(server, dir, KubeClient.load({ kubeconfig }));
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      incoming.on('end', () => {
        const asked = askedOf(incoming, body);
        scripted.asked.push(asked);
        response.on('error', () => undefined);
        answer(asked, new Reply(response));
      });
    });
    return scripted;
  }

  /** What was asked, step by step. */
  get steps(): string[] {
    return this.asked.map(({ step }) => step);
  }

  async close(): Promise<void> {
    await this.client.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#dir, { recursive: true });
  }
}

function askedOf({ method = '', url = '/' }: IncomingMessage, body: string): Asked {
  const { pathname, searchParams: query } = new URL(url, 'http://scripted');
  const step =
    method !== 'GET' || !pathname.endsWith('s')
      ? 'other'
      : query.get('watch') === 'true'
        ? query.has('sendInitialEvents')
          ? 'list'
          : 'watch'
        : query.get('limit') === '1'
          ? 'probe'
          : 'page';
  return { step, method, path: pathname, query, body };
}
