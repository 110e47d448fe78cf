/** Where and with what a figure was measured: without it no figure means anything. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { PACKAGE, ROOT } from '../setup/places.mjs';
import * as versions from '../setup/versions.mjs';

export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryGiB: number;
  readonly system: string;
  /** Before the bench began: what others did on the machine. */
  readonly loadAverage: readonly number[];
}

export function machineOf(): Machine {
  return {
    cpus: os.availableParallelism(),
    model: (os.cpus()[0]?.model ?? 'unknown').trim(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${process.arch}`,
    loadAverage: os.loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

export function versionsOf(): Record<string, string> {
  const installed = (name: string): string =>
    (JSON.parse(readFileSync(`${ROOT}/node_modules/${name}/package.json`, 'utf8')) as { version: string }).version;
  return {
    kubetape: PACKAGE.version,
    node: process.versions.node,
    'node-rdkafka': installed('node-rdkafka'),
    pg: installed('pg'),
    kafka: versions.KAFKA,
    kubernetes: versions.KUBERNETES,
  };
}

/** The commit, with `-dirty` where the tree differs from it; empty outside of a repository. */
export function commitOf(): string {
  const git = (...args: string[]): string => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout?.trim() ?? '';
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === '') return '';
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}-dirty`;
}
