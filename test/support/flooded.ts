/** An installation whose topics are flooded while something befalls its sinks; in the end the tables hold exactly that. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import type { Stack } from '../../scripts/stack/stack.ts';
import { Flood } from './flood.ts';
import { Installation } from './kubetape.ts';
import { report } from './report.ts';

/** By name the first and the last topic: however they are shared out, no worker is without work. */
export const FLOODED = ['anvils.example.com', 'widgets.example.com'] as const;

export interface Flooded {
  readonly installation: Installation;
  readonly flood: Flood;
  readonly seed: number;
  /** Counts what befell the sinks. */
  readonly injected: (times?: number) => void;
  /** Runs at the very end, after everything has been compared. */
  readonly atEnd: (cleanUp: () => Promise<void>) => void;
}

/**
 * @param fault what befalls the sinks, for the report
 * @param resources what topics there are besides the flooded ones
 */
export async function flooded(
  stack: Stack,
  name: string,
  fault: string,
  resources: readonly string[],
  work: (under: Flooded) => Promise<void>,
): Promise<void> {
  const seed = Number(process.env['KUBETAPE_TEST_SEED'] ?? randomInt(2 ** 31));
  const cleanUps: (() => Promise<void>)[] = [];
  const installation = await Installation.create(stack, name, [...resources, ...FLOODED].join(','));
  const flood = await Flood.open(installation, FLOODED, { seed });
  try {
    let kills = 0;
    const injected = (times = 1): void => void (kills += times);
    await work({ installation, flood, seed, injected, atEnd: (cleanUp) => cleanUps.push(cleanUp) });
    await flood.stop();
    const stoppedMs = performance.now();
    await flood.verify(installation, (counts) => report({ fault, seed, kills, catchUpMs: performance.now() - stoppedMs, ...counts }));
    assert.deepEqual(await installation.query('SELECT code, message FROM k8s.dead_letters'), []);
  } catch (error) {
    console.error(`    seed ${seed}, logs in ${installation.logs}`);
    throw error;
  } finally {
    await flood.close();
    await installation.close();
    for (const cleanUp of cleanUps) await cleanUp();
  }
}
