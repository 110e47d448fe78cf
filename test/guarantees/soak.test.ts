/** Hours on end, in two minutes: at a steady rate of changes the memory of each role stays flat. Full length: 30 minutes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../scripts/setup/places.mjs';
import { watchEtcd } from '../support/etcd.ts';
import type { StreamWitness } from '../support/witness.ts';
import { keepPace } from '../support/pace.ts';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { times } from '../support/length.ts';
import { inMegabytes, MemoryWatch } from '../support/memory.ts';
import { assertRight, compareNow, judge } from '../support/oracle.ts';
import { report } from '../support/report.ts';
import { sharedServers } from '../support/servers.ts';

const DOCKERFILE = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
/** What the image sets. */
const MEMORY = Object.fromEntries(
  ['NODE_OPTIONS', 'MALLOC_ARENA_MAX'].map((name) => [name, new RegExp(`${name}=(\\S+)`).exec(DOCKERFILE)?.[1] ?? '']),
);
const PER_SECOND = 300;
const OBJECTS = 200;
/** What caches and code that is compiled need at first. */
const WARM_UP = 0.4;
const GROWTH_MAX = 1.1;

describe('soak', () => {
  const servers = sharedServers();

  it('G6: the memory of collector and sink stays flat, and every change is there at the end', async () => {
    const seconds = times(120, 1_800);
    const installation = await Installation.create(servers.stack, 'soak');
    let recorder: StreamWitness | null = null;
    const watches: MemoryWatch[] = [];
    try {
      await servers.kube.namespace(installation.id);
      const collector = installation.start(['collect', '--no-leader-election'], MEMORY);
      const sink = installation.start(['sink'], MEMORY);
      await collector.ready();
      await sink.ready();
      // The API server hangs up on watches that cannot keep this pace; etcd does not.
      recorder = await watchEtcd(servers.stack, 'configmaps');
      watches.push(new MemoryWatch(collector.child.pid ?? 0), new MemoryWatch(sink.child.pid ?? 0));
      const made = await keepPace(servers.kube, installation.id, { objects: OBJECTS, perSecond: PER_SECOND, seconds });
      for (const watch of watches) watch.stop();
      const endedMs = Date.now();
      await until(
        'the sink to have caught up',
        async () => !/kubetape_consumer_lag_records\{[^}]*k8s-configmaps[^}]*\} [1-9]/.test((await sink.get('/metrics')).text),
        60_000,
      );
      const catchUpMs = Date.now() - endedMs;
      const { changes, lost, twice, outOfOrder, ...verdict } = await judge(installation, recorder);
      report({ fault: `none, for ${seconds} s`, seed: 0, kills: 0, catchUpMs, changes, lost, twice, outOfOrder });
      assertRight({ ...verdict, changes, lost, twice, outOfOrder });
      await compareNow(installation, servers.kube, 'configmaps');
      const middle = WARM_UP + (1 - WARM_UP) / 2;
      for (const [at, role] of ['collector', 'sink'].entries()) {
        const watch = watches[at];
        assert.ok(watch);
        const [early, late] = [watch.mean(WARM_UP, middle), watch.mean(middle, 1)];
        console.log(
          `    ${role}: ${inMegabytes(early)}, then ${inMegabytes(late)}, at most ${inMegabytes(watch.peak)}; ${Math.round(made / seconds)} changes/s`,
        );
        assert.ok(late <= early * GROWTH_MAX, `${role} grew from ${inMegabytes(early)} to ${inMegabytes(late)}`);
      }
      await servers.kube.call('DELETE', `/api/v1/namespaces/${installation.id}`);
    } catch (error) {
      console.error(`    logs in ${installation.logs}`);
      throw error;
    } finally {
      for (const watch of watches) watch.stop();
      recorder?.stop();
      await installation.close();
    }
  });
});
