/** The kubeconfig that a pod would have by its ServiceAccount's token. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Stack } from '../../scripts/stack/stack.ts';

/** @returns the file's path */
export function podKubeconfig(stack: Stack, folder: string, token: string): string {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'pod',
    clusters: [{ name: 'pod', cluster: { server: stack.apiUrl, 'certificate-authority': stack.caFile } }],
    users: [{ name: 'pod', user: { token } }],
    contexts: [{ name: 'pod', context: { cluster: 'pod', user: 'pod' } }],
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
