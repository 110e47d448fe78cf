/**
 * What the kubeconfig says of where one is: the current context and its namespace. Only read, and only these two: whoever
 * asks about the past needs no API server.
 *   out   what kubectl would take; `default` where nothing says otherwise
 */
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Environment } from './environment.ts';

export interface CurrentContext {
  /** '' where there is none. */
  readonly name: string;
  readonly namespace: string;
}

const POD_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

interface Kubeconfig {
  readonly 'current-context'?: unknown;
  readonly contexts?: readonly { readonly name?: unknown; readonly context?: { readonly namespace?: unknown } }[];
}

export async function currentContext(
  wanted: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  env: Environment,
): Promise<CurrentContext> {
  const files = filesOf(wanted.kubeconfig, env).filter((file) => existsSync(file));
  if (files.length === 0)
    return { name: '', namespace: existsSync(POD_NAMESPACE) ? readFileSync(POD_NAMESPACE, 'utf8').trim() : 'default' };
  const { parse } = await import('yaml');
  const configs = files.map((file) => read(file, parse));
  // As kubectl merges them: the first file that says something counts.
  const current =
    wanted.context ?? configs.map((config) => config?.['current-context']).find((name) => typeof name === 'string' && name !== '');
  const contexts = configs.flatMap((config) => (Array.isArray(config?.contexts) ? config.contexts : []));
  const namespace = contexts.find((one) => one?.name === current)?.context?.namespace;
  return {
    name: typeof current === 'string' ? current : '',
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : 'default',
  };
}

function filesOf(kubeconfig: string | undefined, env: Environment): string[] {
  if (kubeconfig !== undefined) return [kubeconfig];
  const listed = env['KUBECONFIG'];
  if (listed !== undefined && listed !== '') return listed.split(path.delimiter).filter((file) => file !== '');
  return [path.join(env['HOME'] ?? os.homedir(), '.kube', 'config')];
}

/** A file that is no kubeconfig says nothing. */
function read(file: string, parse: (text: string) => unknown): Kubeconfig | null {
  try {
    const parsed = parse(readFileSync(file, 'utf8'));
    return typeof parsed === 'object' ? parsed : null;
  } catch {
    return null;
  }
}
