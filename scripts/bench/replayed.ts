/** The replay server, started for one run, with a kubeconfig that points at it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Child } from './child.ts';
import type { ReplaySettings, ReplayState } from './replay.ts';

export class Replayed {
  readonly #child: Child;
  readonly url: string;
  readonly kubeconfig: string;

  private constructor(child: Child, url: string, kubeconfig: string) {
    this.#child = child;
    this.url = url;
    this.kubeconfig = kubeconfig;
  }

  /** @param dir where the kubeconfig is written */
  static async start(dir: string, settings: ReplaySettings): Promise<Replayed> {
    const child = new Child('replay-process.ts', settings);
    const { url } = await child.next<{ url: string }>();
    const kubeconfig = path.join(dir, 'replay', `${child.pid}.json`);
    mkdirSync(path.dirname(kubeconfig), { recursive: true });
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'replay',
      clusters: [{ name: 'replay', cluster: { server: url } }],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'replay', context: { cluster: 'replay', user: 'nobody' } }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    return new Replayed(child, url, kubeconfig);
  }

  async allow(events: number): Promise<void> {
    const response = await fetch(`${this.url}/bench/allow?events=${events}`, { method: 'POST' });
    await response.arrayBuffer();
  }

  async state(): Promise<ReplayState> {
    return (await (await fetch(`${this.url}/bench/state`)).json()) as ReplayState;
  }

  end(): Promise<void> {
    return this.#child.end();
  }
}
