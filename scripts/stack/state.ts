/** What a stack remembers in its folder: ports, credentials, processes. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProcessId } from './processes.ts';

export const SERVERS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok', 'kafka', 'postgres'] as const;
export type ServerName = (typeof SERVERS)[number];

export interface StackState {
  readonly dir: string;
  readonly ports: Readonly<Record<'etcd' | 'etcdPeer' | 'apiserver' | 'kafka' | 'kafkaController' | 'postgres', number>>;
  readonly adminToken: string;
  readonly processes: Partial<Record<ServerName, ProcessId>>;
}

export function readState(dir: string): StackState | null {
  try {
    return JSON.parse(readFileSync(stateFile(dir), 'utf8')) as StackState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function writeState(state: StackState): void {
  mkdirSync(state.dir, { recursive: true });
  const file = stateFile(state.dir);
  writeFileSync(`${file}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function stateFile(dir: string): string {
  return path.join(dir, 'stack.json');
}
