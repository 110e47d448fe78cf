/**
 * What a summary costs: microseconds each, over 10,000 of them, in this process.
 *
 *   node scripts/setup.mjs --only=runtime -- test/diff/measure.ts
 */
import type { KubernetesObject } from '../../src/events/change.ts';
import { differencesOf } from '../../src/diff/difference.ts';
import { summarise } from '../../src/diff/summary.ts';
import { versionsOf } from './fixtures.ts';

const ROUNDS = 10_000;

/** A pod as busy clusters have it: many variables, in all of its containers. */
function grown(pod: KubernetesObject, variables: number): KubernetesObject {
  const copy = structuredClone(pod) as unknown as { spec: { containers: { env: unknown[] }[] } };
  const { containers } = copy.spec;
  for (let at = 0; at < variables; at += 1)
    containers[at % containers.length]?.env.push({ name: `SETTING_${at}`, value: `https://service-${at}.shop.svc` });
  return copy;
}

/** As they come out of a database: parsed anew, sharing nothing. */
function fresh(object: KubernetesObject): KubernetesObject {
  return JSON.parse(JSON.stringify(object)) as KubernetesObject;
}

function measure(
  name: string,
  before: KubernetesObject,
  after: KubernetesObject,
  call: (a: KubernetesObject, b: KubernetesObject) => unknown,
): void {
  // A hundred different pairs, so that nothing stays in the processor's nearest cache by being the only one.
  const pairs = Array.from({ length: 100 }, () => [fresh(before), fresh(after)] as const);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS * 2; round += 1) {
    const [a, b] = pairs[round % pairs.length] ?? [before, after];
    const startedAt = process.hrtime.bigint();
    call(a, b);
    const took = Number(process.hrtime.bigint() - startedAt) / 1000;
    if (round >= ROUNDS) times.push(took);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(1).padStart(7);
  process.stdout.write(`${name.padEnd(44)} p50 ${at(0.5)} µs   p99 ${at(0.99)} µs\n`);
}

const web = versionsOf('pods', 'web').map(({ object }) => object);
const step = (named: string): number => versionsOf('pods', 'web').findIndex(({ step }) => step === named);
const [running, unready] = [web[step('proxy not ready') - 1], web[step('proxy not ready')]];
if (running === undefined || unready === undefined) throw new Error('the fixtures have no such step');

for (const variables of [10, 25, 40]) {
  const [before, after] = [grown(running, variables), grown(unready, variables)];
  const size = `${(JSON.stringify(before).length / 1024).toFixed(1)} KiB pod`;
  const bumped = { ...after, metadata: { ...(after['metadata'] as object), resourceVersion: '999999' } };
  measure(`${size}, status only`, before, after, summarise);
  measure(`${size}, resourceVersion only`, after, bumped, summarise);
  measure(`${size}, created`, before, after, (_, b) => summarise(null, b));
  measure(`${size}, its differences only`, before, after, differencesOf);
  const texts = [JSON.stringify(before), JSON.stringify(after)] as const;
  measure(`${size}, parsing both, for comparison`, before, after, () => texts.map((text) => JSON.parse(text) as unknown));
  process.stdout.write(`  "${summarise(before, after)}"\n`);
}
