/** The real servers of the tests: one stack shared by all files, started by the first that asks for it. */
import path from 'node:path';
import { ROOT } from '../../scripts/setup/places.mjs';
import { Stack, type ServerName } from '../../scripts/stack/stack.ts';

export const TEST_STACK = process.env['KUBETAPE_TEST_STACK'] ?? path.join(ROOT, '.kubetape', 'test-stack');

/** All servers, shared: use names of your own (namespaces, topic prefixes, databases), and kill nothing. */
export function sharedStack(): Promise<Stack> {
  return Stack.up(TEST_STACK);
}

/** Servers of the caller's own, which it may kill; `reset` them when done. */
export async function ownStack(name: string, servers?: readonly ServerName[]): Promise<Stack> {
  const dir = `${TEST_STACK}-${name}`;
  await new Stack(dir).reset();
  return Stack.up(dir, undefined, servers);
}
