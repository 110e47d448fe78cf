/**
 * The independent observer: keeps every (type, uid, resourceVersion) that the API server emits in a raw watch. It shares
 * no code with the collector, and fails loudly when its own watch breaks.
 */
import type { IncomingMessage } from 'node:http';
import type { Kube, KubeObject } from './kube.ts';

export interface Recorded {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly uid: string;
  readonly resourceVersion: string;
  readonly namespace: string;
  readonly name: string;
}

/** An independent observer of one resource, with all that happened after `from`. */
export interface Witness {
  readonly resource: string;
  /** Everything after this resourceVersion is seen. */
  readonly from: string;
  /** What was there at `from`. */
  readonly initial: readonly Recorded[];
  /** @throws when not everything could be seen */
  readonly events: readonly Recorded[];
}

export class Recorder implements Witness {
  readonly #events: Recorded[] = [];
  readonly #response: IncomingMessage;
  readonly resource: string;
  /** The watch shows everything after this resourceVersion. */
  readonly from: string;
  readonly initial: readonly Recorded[];
  #failure: Error | null = null;
  #stopped = false;

  private constructor(resource: string, from: string, initial: readonly Recorded[], response: IncomingMessage) {
    this.resource = resource;
    this.from = from;
    this.initial = initial;
    this.#response = response;
    void this.#read();
  }

  static async start(kube: Kube, resource: string): Promise<Recorder> {
    const { metadata, items } = await kube.list(resource);
    const response = await kube.open(
      'GET',
      `${kube.path(resource)}?watch=true&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=3600`,
      undefined,
      undefined,
      1,
    );
    if (response.statusCode !== 200) throw new Error(`the recorder's watch of ${resource} was answered ${response.statusCode}`);
    const initial = items.map((object) => recorded('ADDED', object));
    return new Recorder(resource, metadata.resourceVersion, initial, response);
  }

  /** @throws when the recorder itself did not see everything */
  get events(): readonly Recorded[] {
    if (this.#failure !== null) throw this.#failure;
    return this.#events;
  }

  stop(): void {
    this.#stopped = true;
    this.#response.destroy();
  }

  async #read(): Promise<void> {
    try {
      let rest = '';
      this.#response.setEncoding('utf8');
      for await (const chunk of this.#response) {
        const lines = (rest + (chunk as string)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#keep(JSON.parse(line) as { type: string; object: KubeObject });
      }
      if (!this.#stopped) this.#failure = new Error(`the recorder's watch of ${this.resource} ended`);
    } catch (error) {
      if (!this.#stopped) this.#failure = error as Error;
    }
  }

  #keep({ type, object }: { type: string; object: KubeObject }): void {
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw new Error(`the recorder received ${type}`);
    this.#events.push(recorded(type, object));
  }
}

function recorded(type: Recorded['type'], object: KubeObject): Recorded {
  const { uid = '', resourceVersion = '', namespace = '', name } = object.metadata;
  return { type, uid, resourceVersion, namespace, name };
}
