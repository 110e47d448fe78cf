/**
 * HTTP to one API server, authenticated as the kubeconfig or the pod's ServiceAccount says. Owns
 * `@kubernetes/client-node` (configuration and credentials only: its informer and its watch lose events) and `undici`.
 */
import { createHash } from 'node:crypto';
// The package's main module loads every generated model of the API; this one does less.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import { KubetapeError } from '../events/errors.ts';
import { errorOfStatus, errorOfTransport } from './errors.ts';

export interface KubeSettings {
  /** Path of a kubeconfig; undefined takes KUBECONFIG, ~/.kube/config or the pod's ServiceAccount, as kubectl does. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface KubeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Dispatcher.ResponseData['body'];
}

/** Longest an API server may take to answer with headers; a LIST of a big collection thinks before it speaks. */
const HEADERS_TIMEOUT_MS = 60_000;
/** Longest an answer may stand still in the middle: of a connection that is half open nothing comes any more. */
const BODY_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

export class KubeClient {
  readonly #config: KubeConfig;
  readonly server: string;
  /** The name of the kubeconfig's context; '' in a pod. */
  readonly contextName: string;
  #dispatcher: Dispatcher | undefined;
  #dispatcherKey = '';

  private constructor(config: KubeConfig, server: string, contextName: string) {
    this.#config = config;
    this.server = server;
    this.contextName = contextName;
  }

  /** @throws KubetapeError CONFIG_INVALID: no such file or context, or nothing that names a cluster */
  static load(settings: KubeSettings): KubeClient {
    const config = new KubeConfig();
    try {
      if (settings.kubeconfig === undefined) config.loadFromDefault();
      else config.loadFromFile(settings.kubeconfig);
    } catch (cause) {
      const what = settings.kubeconfig ?? 'the default kubeconfig';
      throw new KubetapeError('CONFIG_INVALID', `${what} cannot be read: ${(cause as Error).message.split('\n')[0]}`);
    }
    if (settings.context !== undefined) {
      if (config.getContextObject(settings.context) === null) {
        const known = config.getContexts().map((context) => context.name);
        throw new KubetapeError(
          'CONFIG_INVALID',
          `no context "${settings.context}" in the kubeconfig; it has ${known.join(', ') || 'none'}`,
        );
      }
      config.setCurrentContext(settings.context);
    }
    const cluster = config.getCurrentCluster();
    if (cluster === null)
      throw new KubetapeError('CONFIG_INVALID', 'the kubeconfig names no current cluster', {
        hint: 'Use --kubeconfig and --context, or run in a pod with a ServiceAccount.',
      });
    if (cluster.server.startsWith('http:')) {
      // kubectl speaks plain HTTP where it is told to; the library wants to be told twice.
      config.clusters = config.clusters.map((one) => (one.name === cluster.name ? { ...one, skipTLSVerify: true } : one));
    }
    const inPod = config.getCurrentContext() === 'inClusterContext';
    return new KubeClient(config, cluster.server.replace(/\/+$/, ''), inPod ? '' : config.getCurrentContext());
  }

  /**
   * Opens a request and returns with its headers; the body is the caller's to read or to drain.
   * @throws KubetapeError KUBE_UNREACHABLE; an AbortError when `signal` fires
   */
  async open(path: string, query: Query, signal: AbortSignal, options: OpenOptions = {}): Promise<KubeResponse> {
    try {
      const { headers, dispatcher } = await this.#credentials();
      const response = await request(`${this.server}${path}${queryText(query)}`, {
        dispatcher,
        method: options.method ?? 'GET',
        headers: {
          accept: options.accept ?? 'application/json',
          'user-agent': 'kubetape',
          ...headers,
          ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
        },
        ...(options.body === undefined ? {} : { body: options.body }),
        signal,
        headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
        bodyTimeout: options.bodyTimeoutMs ?? BODY_TIMEOUT_MS,
      });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    } catch (error) {
      if (signal.aborted) throw error;
      throw errorOfTransport(error, this.server);
    }
  }

  /** Sends a request and reads its JSON answer. @throws KubetapeError by status; see errors.ts */
  async json<T>(path: string, query: Query, signal: AbortSignal, options: OpenOptions = {}): Promise<T> {
    const response = await this.open(path, query, signal, options);
    let text: string;
    try {
      text = await response.body.text();
    } catch (error) {
      if (signal.aborted) throw error;
      throw errorOfTransport(error, this.server);
    }
    if (response.status >= 300) throw errorOfStatus(response.status, text, path, response.headers);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new KubetapeError('KUBE_PROTOCOL', `the answer to ${path} is not JSON`);
    }
  }

  /** The error that an answer means. */
  failure(response: KubeResponse, text: string, path: string): KubetapeError {
    return errorOfStatus(response.status, text, path, response.headers);
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  /** Asked for each request: tokens of pods and of exec plug-ins expire. */
  async #credentials(): Promise<{ headers: Record<string, string>; dispatcher: Dispatcher }> {
    const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {};
    await this.#config.applyToHTTPSOptions(options);
    const cluster = this.#config.getCurrentCluster();
    const wanted = this.#config.createDispatcherOptions(cluster, options as object);
    const key = createHash('sha256').update(JSON.stringify(wanted)).digest('base64');
    if (this.#dispatcher === undefined || key !== this.#dispatcherKey) {
      // Running watches keep the connections of the old one until they end.
      this.#dispatcher = dispatcherOf(wanted);
      this.#dispatcherKey = key;
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) if (typeof value === 'string') headers[name.toLowerCase()] = value;
    if (typeof options.auth === 'string') headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    return { headers, dispatcher: this.#dispatcher };
  }
}

export interface OpenOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly accept?: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly headersTimeoutMs?: number;
  /** Longest the body may stand still; 0 for ever, as a watch with a watchdog of its own does. */
  readonly bodyTimeoutMs?: number;
}

type DispatcherWanted = ReturnType<KubeConfig['createDispatcherOptions']>;

function dispatcherOf(wanted: DispatcherWanted): Dispatcher {
  // HTTP/1.1: each watch has a connection, and so a flow control, of its own.
  const own = { allowH2: false, connections: null, connectTimeout: CONNECT_TIMEOUT_MS } as const;
  switch (wanted.type) {
    case 'none':
      return new Agent(own);
    case 'agent':
      return new Agent({ ...own, connect: { ...wanted.connect, timeout: CONNECT_TIMEOUT_MS } as NonNullable<Agent.Options['connect']> });
    case 'proxy':
      return new ProxyAgent({ uri: wanted.uri, requestTls: wanted.requestTls as object, allowH2: false });
    case 'socks':
      throw new KubetapeError('CONFIG_INVALID', 'a SOCKS proxy in the kubeconfig is not supported', {
        hint: 'Use an HTTP proxy in proxy-url, or a tunnel.',
      });
  }
}

function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') params.set(name, String(value));
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
