/** Changes in the six resources, from a seed: create, update, scale, delete, delete and create again. */
import { randomInt } from 'node:crypto';
import process from 'node:process';
import type { Kube, KubeObject } from './kube.ts';

/** mulberry32: small, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A new one, or the one that is to be repeated. */
export function seedOf(): number {
  return Number(process.env['KUBETAPE_TEST_SEED'] ?? randomInt(2 ** 31));
}

const template = (app: string, image: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image, env: [{ name: 'COLOR', value: 'blue' }] }] },
});

const MAKE: Readonly<Record<string, (namespace: string, name: string) => KubeObject>> = {
  deployments: (namespace, name) => ({
    metadata: { name, namespace },
    spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: template(name, 'registry/app:v1') },
  }),
  statefulsets: (namespace, name) => ({
    metadata: { name, namespace },
    spec: { replicas: 1, serviceName: name, selector: { matchLabels: { app: name } }, template: template(name, 'registry/db:v1') },
  }),
  services: (namespace, name) => ({
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
  }),
  configmaps: (namespace, name) => ({ metadata: { name, namespace }, data: { 'app.properties': `color=blue\nname=${name}\n` } }),
  secrets: (namespace, name) => ({ metadata: { name, namespace }, data: { password: Buffer.from(`start-${name}`).toString('base64') } }),
  pods: (namespace, name) => ({
    metadata: { name, namespace, labels: { app: name } },
    spec: { ...template(name, 'registry/job:v1').spec, terminationGracePeriodSeconds: 0 },
  }),
};

const CHANGE: Readonly<Record<string, (turn: number, random: () => number) => unknown>> = {
  deployments: (turn, random) =>
    random() < 0.5
      ? { spec: { replicas: Math.floor(random() * 4) } }
      : { spec: { template: { metadata: { annotations: { turn: String(turn) } } } } },
  statefulsets: (_turn, random) => ({ spec: { replicas: Math.floor(random() * 3) } }),
  services: (turn) => ({ metadata: { labels: { turn: String(turn) } } }),
  configmaps: (turn) => ({ data: { turn: String(turn) } }),
  secrets: (turn) => ({ stringData: { turn: String(turn) } }),
  pods: (turn) => ({ metadata: { annotations: { turn: String(turn) } } }),
};

export const WORKLOAD_RESOURCES = Object.keys(MAKE);

export class Workload {
  readonly #kube: Kube;
  readonly #namespace: string;
  readonly #random: () => number;
  readonly #alive = new Map<string, string[]>(WORKLOAD_RESOURCES.map((resource) => [resource, []]));
  #turn = 0;

  constructor(kube: Kube, namespace: string, seed: number) {
    this.#kube = kube;
    this.#namespace = namespace;
    this.#random = seeded(seed);
  }

  /** Two objects of each resource that no change will touch: a list has more than one page, whatever the dice say. */
  async keep(): Promise<void> {
    for (const resource of WORKLOAD_RESOURCES)
      for (const one of [1, 2]) await this.#kube.create(resource, this.#make(resource, `${resource}-kept-${one}`));
  }

  /** Makes so many changes, one after the other. */
  async run(changes: number): Promise<void> {
    for (let i = 0; i < changes;) {
      try {
        await this.#one();
        i += 1;
      } catch (error) {
        // KWOK ends pods by name: now and then it takes one that was created again under the name of one that it was to end.
        if ((error as { status?: number }).status !== 404) throw error;
        await this.#forgetWhatIsGone();
      }
    }
  }

  async #one(): Promise<void> {
    this.#turn += 1;
    const resource = WORKLOAD_RESOURCES[this.#turn % WORKLOAD_RESOURCES.length] ?? 'pods';
    const alive = this.#alive.get(resource) ?? [];
    const dice = this.#random();
    const name = alive[Math.floor(this.#random() * alive.length)];
    if (name === undefined || (dice < 0.25 && alive.length < 6)) {
      const fresh = `${resource}-${this.#turn}`;
      await this.#kube.create(resource, this.#make(resource, fresh));
      alive.push(fresh);
    } else if (dice < 0.75) {
      await this.#kube.patch(resource, this.#namespace, name, CHANGE[resource]?.(this.#turn, this.#random));
    } else {
      await this.#kube.remove(resource, this.#namespace, name);
      // Sometimes under the same name again: another object.
      if (dice < 0.87 && resource !== 'deployments' && resource !== 'statefulsets')
        await this.#kube.create(resource, this.#make(resource, name));
      else alive.splice(alive.indexOf(name), 1);
    }
  }

  async #forgetWhatIsGone(): Promise<void> {
    const { items } = await this.#kube.list('pods', this.#namespace);
    const names = new Set(items.map(({ metadata }) => metadata.name));
    const alive = this.#alive.get('pods') ?? [];
    this.#alive.set(
      'pods',
      alive.filter((name) => names.has(name)),
    );
  }

  #make(resource: string, name: string): KubeObject {
    const make = MAKE[resource];
    if (make === undefined) throw new RangeError(resource);
    return make(this.#namespace, name);
  }
}
