/** The chart, as Helm renders it. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { CHART } from '../../scripts/chart/generate.ts';
import { onDemand } from '../../scripts/setup/on-demand.mjs';
import type { Manifest } from './rendering.ts';

export const EXAMPLES = ['development', 'production', 'external', 'hybrid'] as const;
export type Example = (typeof EXAMPLES)[number];

export function exampleOf(name: Example): string {
  return path.join(CHART, 'examples', `${name}.yaml`);
}

export class Helm {
  readonly #binary: string;

  private constructor(binary: string) {
    this.#binary = binary;
  }

  static async create(): Promise<Helm> {
    return new Helm(await onDemand('helm'));
  }

  attempt(args: readonly string[]): SpawnSyncReturns<string> {
    return spawnSync(this.#binary, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, env: { ...process.env, HELM_DEBUG: 'false' } });
  }

  /** @throws with what Helm says */
  run(args: readonly string[]): string {
    const { status, stdout, stderr } = this.attempt(args);
    if (status !== 0) throw new Error(said(stderr) + stdout);
    return stdout;
  }

  template(...flags: readonly string[]): Manifest[] {
    return helmManifests(this.run(['template', 'kubetape', CHART, '--namespace', 'kubetape', ...flags]));
  }
}

/** Helm and Kubernetes read YAML 1.1, where 0440 is octal. */
export function helmManifests(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    const manifest = document.toJS() as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
}

/** Without the remark on each symbolic link. */
export function said(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.includes('found symbolic link'))
    .join('\n');
}
