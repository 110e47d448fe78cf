/** What every scenario is given, and what it gives back. */
import type { Stack } from '../stack/stack.ts';
import type { Options } from './options.ts';
import type { Report } from './report.ts';

export interface Bench {
  readonly options: Options;
  /** Kafka and Postgres. */
  readonly stack: Stack;
  /** Tells a person what is going on. */
  readonly say: (text: string) => void;
}

export type Scenario = (bench: Bench) => Promise<Report>;

/** Options of Node for one of kubetape's roles. */
export function profiling({ profile }: Pick<Options, 'profile'>): string[] {
  return profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`, '--cpu-prof-interval=500'];
}
