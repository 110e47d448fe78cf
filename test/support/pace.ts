/** Changes at a steady rate, whatever one of them takes. */
import type { Kube } from './kube.ts';

export interface Pace {
  readonly objects: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Most requests under way at once: a slow API server slows the pace. */
const AT_ONCE = 16;
const TURN_MS = 20;

/** Changes ConfigMaps of that namespace, one after the other. @returns how many changes were made */
export async function keepPace(kube: Kube, namespace: string, { objects, perSecond, seconds }: Pace): Promise<number> {
  for (let at = 0; at < objects; at += 1)
    await kube.create('configmaps', { metadata: { name: `paced-${at}`, namespace }, data: { text: 'x'.repeat(500) } });
  const startedMs = performance.now();
  const underWay = new Set<Promise<unknown>>();
  let failure: Error | null = null;
  let made = 0;
  while (performance.now() - startedMs < seconds * 1000) {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond);
    while (made < due && underWay.size < AT_ONCE) {
      const name = `paced-${made % objects}`;
      made += 1;
      const change: Promise<unknown> = kube
        .patch('configmaps', namespace, name, { data: { turn: String(made) } })
        .catch((error: Error) => (failure = error))
        .finally(() => underWay.delete(change));
      underWay.add(change);
    }
    if (failure !== null) throw failure as Error;
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
  await Promise.all(underWay);
  return made;
}
