/** The shared servers, for the tests of one `describe`. */
import { after, before } from 'node:test';
import type { Stack } from '../../scripts/stack/stack.ts';
import { Kube } from './kube.ts';
import { sharedStack } from './stack.ts';

export interface Servers {
  /** Both are there once the tests run. */
  readonly stack: Stack;
  readonly kube: Kube;
}

/** Called within `describe`: starts the servers before its first test. */
export function sharedServers(): Servers {
  let stack: Stack | null = null;
  let kube: Kube | null = null;
  before(async () => {
    stack = await sharedStack();
    kube = new Kube(stack);
  });
  after(() => kube?.close());
  const there = <T>(server: T | null): T => {
    if (server === null) throw new Error('the servers are there only once the tests run');
    return server;
  };
  return {
    get stack() {
      return there(stack);
    },
    get kube() {
      return there(kube);
    },
  };
}
