/**
 * /metrics for Prometheus; /health (/healthz, /livez) says that the process lives; /ready (/readyz) what of its work it
 * can do, check by check, 503 as long as one is missing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import type { Registry } from 'prom-client';
import { KubetapeError } from '../events/errors.ts';
import type { Health } from './health.ts';

export interface HttpOptions {
  /** `::` listens on every address, of IPv4 as well. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly registry: Registry;
  readonly health: Health;
  readonly about: { readonly role: string; readonly version: string };
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const INDEX = '/metrics   metrics for Prometheus\n/health    the process lives\n/ready     what it can do now\n';

/** @throws KubetapeError CONFIG_INVALID: the port is taken, or the address is none of this machine's */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    answer(request, response, options).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await listen(server, options.host, options.port);
  const { port, address, family } = server.address() as AddressInfo;
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.removeListener('listening', listening);
      // A machine without IPv6.
      if (host === '::' && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')) resolve(listen(server, '0.0.0.0', port));
      else
        reject(
          new KubetapeError('CONFIG_INVALID', `cannot listen on ${host}, port ${port}: ${inWords(error.code)}`, {
            cause: error,
            hint: 'Choose another --http-port (0 takes a free one) or --http-host.',
          }),
        );
    };
    const listening = (): void => {
      server.removeListener('error', failed);
      resolve();
    };
    server.once('error', failed);
    server.once('listening', listening);
    server.listen(port, host);
  });
}

function inWords(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'the port is taken';
  if (code === 'EACCES') return 'ports below 1024 need privileges';
  return code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' ? 'this machine has no such address' : (code ?? 'unknown error');
}

async function answer(request: IncomingMessage, response: ServerResponse, { registry, health, about }: HttpOptions): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, 'text/plain; charset=utf-8', 'GET only\n', { allow: 'GET, HEAD' });
    return;
  }
  switch ((request.url ?? '/').split('?', 1)[0]) {
    case '/metrics':
      return send(response, 200, registry.contentType, await registry.metrics());
    case '/health':
    case '/healthz':
    case '/livez':
      return sendJson(response, 200, { status: 'ok', ...about, uptimeSeconds: Math.round(process.uptime()) });
    case '/ready':
    case '/readyz': {
      const report = health.report();
      return sendJson(response, report.ready ? 200 : 503, report);
    }
    case '/':
      return send(response, 200, 'text/plain; charset=utf-8', `kubetape ${about.version} ${about.role}\n\n${INDEX}`);
    default:
      return send(response, 404, 'text/plain; charset=utf-8', INDEX);
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json; charset=utf-8', `${JSON.stringify(body, null, 2)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string, headers: Record<string, string> = {}): void {
  // Without a body to HEAD; Node leaves it out by itself.
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store', ...headers });
  response.end(body);
}
