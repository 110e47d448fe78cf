/** The API server as a test sees it: plain HTTPS, sharing no code with the product. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Stack } from '../../scripts/stack/stack.ts';

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string; [field: string]: unknown };
  [field: string]: unknown;
}

export interface KubeList {
  metadata: { resourceVersion: string };
  items: KubeObject[];
}

/** Paths of the default resources below the API root, without a namespace. */
export const PATHS: Readonly<Record<string, readonly [root: string, plural: string]>> = {
  pods: ['/api/v1', 'pods'],
  services: ['/api/v1', 'services'],
  deployments: ['/apis/apps/v1', 'deployments'],
  statefulsets: ['/apis/apps/v1', 'statefulsets'],
  configmaps: ['/api/v1', 'configmaps'],
  secrets: ['/api/v1', 'secrets'],
  events: ['/apis/events.k8s.io/v1', 'events'],
};

export class Kube {
  readonly #stack: Stack;
  readonly #agent: Agent;

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ca: readFileSync(stack.caFile) });
  }

  path(resource: string, namespace = '', name = ''): string {
    const [root, plural] = PATHS[resource] ?? ['', resource];
    return `${root}${namespace === '' ? '' : `/namespaces/${namespace}`}/${plural}${name === '' ? '' : `/${name}`}`;
  }

  open(method: string, path: string, body?: unknown, contentType = 'application/json', timeoutMs = 0): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.#stack.adminToken}`,
      ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
    };
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.#stack.apiUrl}${path}`,
        { method, headers, agent: timeoutMs === 0 ? this.#agent : false, ca: readFileSync(this.#stack.caFile) },
        resolve,
      );
      call.on('error', reject);
      call.end(text);
    });
  }

  async call<T = KubeObject>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> {
    const response = await this.open(method, path, body, contentType);
    response.setEncoding('utf8');
    let text = '';
    for await (const chunk of response) text += chunk as string;
    if ((response.statusCode ?? 500) >= 300)
      throw Object.assign(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`), { status: response.statusCode });
    return JSON.parse(text) as T;
  }

  list(resource: string, namespace = ''): Promise<KubeList> {
    return this.call<KubeList>('GET', this.path(resource, namespace));
  }

  create(resource: string, object: KubeObject): Promise<KubeObject> {
    return this.call('POST', this.path(resource, object.metadata.namespace ?? ''), object);
  }

  patch(resource: string, namespace: string, name: string, patch: unknown): Promise<KubeObject> {
    return this.call('PATCH', this.path(resource, namespace, name), patch, 'application/merge-patch+json');
  }

  remove(resource: string, namespace: string, name: string): Promise<unknown> {
    return this.call('DELETE', this.path(resource, namespace, name), { gracePeriodSeconds: 0, propagationPolicy: 'Background' });
  }

  async namespace(name: string): Promise<void> {
    await this.call('POST', '/api/v1/namespaces', { metadata: { name } });
    // Pods are admitted once its ServiceAccount is there.
    await until(
      `the ServiceAccount of namespace ${name}`,
      async () => (await this.open('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`).then(drained)).statusCode === 200,
    );
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function drained(response: IncomingMessage): Promise<IncomingMessage> {
  for await (const chunk of response) void chunk;
  return response;
}

/** Looks again and again until it is so; says what was waited for when it takes too long. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, timeoutMs = 30_000): Promise<void> {
  const untilMs = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < untilMs) {
    try {
      if (await isSo()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}`, { cause: last });
}
