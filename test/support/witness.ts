/** Independent observers: they keep what a stream of lines tells, share no code with the collector, and fail loudly when it breaks. */
import type { IncomingMessage } from 'node:http';

export interface Recorded {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly uid: string;
  readonly resourceVersion: string;
  readonly namespace: string;
  readonly name: string;
}

/** Of one resource, with all that happened after `from`. */
export interface Witness {
  readonly resource: string;
  /** Everything after this resourceVersion is seen. */
  readonly from: string;
  /** What was there at `from`. */
  readonly initial: readonly Recorded[];
  /** @throws when not everything could be seen */
  readonly events: readonly Recorded[];
}

export class StreamWitness implements Witness {
  readonly resource: string;
  readonly from: string;
  readonly initial: readonly Recorded[];
  readonly #events: Recorded[] = [];
  readonly #response: IncomingMessage;
  #failure: Error | null = null;
  #stopped = false;

  /** @param told what a line says has happened; throws where it says anything else */
  constructor(
    seen: Pick<Witness, 'resource' | 'from' | 'initial'>,
    response: IncomingMessage,
    told: (line: unknown) => readonly Recorded[],
  ) {
    this.resource = seen.resource;
    this.from = seen.from;
    this.initial = seen.initial;
    this.#response = response;
    void this.#read(told);
  }

  get events(): readonly Recorded[] {
    if (this.#failure !== null) throw this.#failure;
    return this.#events;
  }

  stop(): void {
    this.#stopped = true;
    this.#response.destroy();
  }

  async #read(told: (line: unknown) => readonly Recorded[]): Promise<void> {
    try {
      let rest = '';
      this.#response.setEncoding('utf8');
      for await (const chunk of this.#response) {
        const lines = (rest + (chunk as string)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') this.#events.push(...told(JSON.parse(line)));
      }
      if (!this.#stopped) this.#failure = new Error(`the recorder's watch of ${this.resource} ended`);
    } catch (error) {
      if (!this.#stopped) this.#failure = error as Error;
    }
  }
}
