/**
 * A cluster of a test's own (etcd and an API server, no controllers), which it may kill, compact and restore from a
 * backup. Kafka and Postgres are the shared ones.
 */
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Stack } from '../../scripts/stack/stack.ts';
import { Etcd, watchEtcd } from './etcd.ts';
import type { StreamWitness } from './witness.ts';
import { Kube, PATHS } from './kube.ts';
import { ownStack } from './stack.ts';

export class OwnCluster {
  readonly stack: Stack;
  readonly kube: Kube;
  readonly etcd: Etcd;
  readonly #backup: string;
  readonly #data: string;

  private constructor(stack: Stack) {
    this.stack = stack;
    this.kube = new Kube(stack);
    this.etcd = new Etcd(stack);
    this.#data = path.join(stack.dir, 'etcd');
    this.#backup = path.join(stack.dir, 'etcd-backup');
  }

  static async start(name: string): Promise<OwnCluster> {
    return new OwnCluster(await ownStack(name, ['etcd', 'kube-apiserver']));
  }

  /** For what the roles of an installation find on the shared stack. */
  get env(): Record<string, string> {
    return { KUBECONFIG: this.stack.kubeconfig };
  }

  /** With the ServiceAccount without which no pod is admitted, and which no controller makes here. */
  async namespace(name: string): Promise<void> {
    await this.kube.call('POST', '/api/v1/namespaces', { metadata: { name } });
    await this.kube.call('POST', `/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } });
  }

  /** Of the default resources, by etcd itself. */
  recorders(): Promise<StreamWitness[]> {
    return Promise.all(Object.keys(PATHS).map((resource) => watchEtcd(this.stack, resource)));
  }

  /** @param meanwhile while there is none */
  async restartApiServer(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.stack.stop('kube-apiserver', 'SIGKILL');
    await meanwhile();
    await this.stack.start('kube-apiserver');
  }

  /** From now on, everything before the present is answered 410: neither etcd nor the API server remembers it. */
  async forget(): Promise<void> {
    await this.etcd.compact();
    await this.restartApiServer();
  }

  /** Takes a backup of etcd. The API server is restarted for it. */
  async backup(): Promise<void> {
    await this.restartApiServer(async () => {
      await this.stack.stop('etcd');
      cpSync(this.#data, this.#backup, { recursive: true });
      await this.stack.start('etcd');
    });
  }

  /** Puts the backup in etcd's place. @param meanwhile when etcd is back and the API server is not */
  async restore(meanwhile: () => Promise<void>): Promise<void> {
    await this.restartApiServer(async () => {
      await this.stack.stop('etcd', 'SIGKILL');
      rmSync(this.#data, { recursive: true });
      cpSync(this.#backup, this.#data, { recursive: true });
      await this.stack.start('etcd');
      await meanwhile();
    });
  }

  async close(): Promise<void> {
    this.kube.close();
    await this.stack.reset();
  }
}
