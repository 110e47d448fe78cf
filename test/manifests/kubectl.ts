/** kubectl as its users run it, against the cluster of a stack. */
import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import type { Stack } from '../../scripts/stack/stack.ts';

export class Kubectl {
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Whatever comes of it. */
  attempt(args: readonly string[], input?: string): SpawnSyncReturns<string> {
    return spawnSync(this.#stack.kubectl, [`--kubeconfig=${this.#stack.kubeconfig}`, ...args], {
      encoding: 'utf8',
      input,
      maxBuffer: 64 * 1024 * 1024,
    });
  }

  /** @returns stdout; fails the test where kubectl does */
  run(args: readonly string[], input?: string): string {
    const { status, stdout, stderr } = this.attempt(args, input);
    assert.equal(status, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  apply(objects: readonly object[]): void {
    this.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  }

  /** Nobody provisions disks here: as many as claims will be made. */
  provideDisks(name: string, count: number): void {
    this.apply(
      Array.from({ length: count }, (_, at) => ({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `${name}-${at}` },
        spec: { capacity: { storage: '1Ti' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/nowhere' } },
      })),
    );
  }
}
