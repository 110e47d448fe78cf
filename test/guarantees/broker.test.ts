/** The broker away, restarted, and killed in the middle of transactions, under load. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Stack } from '../../scripts/stack/stack.ts';
import { keepBusy } from '../support/busy.ts';
import { Kube, until } from '../support/kube.ts';
import { times } from '../support/length.ts';
import { inMegabytes, MemoryWatch } from '../support/memory.ts';
import { Scene } from '../support/scene.ts';
import { ownStack } from '../support/stack.ts';

/** A collector that had to wait may come back after the API server's window: that is a gap on record. */
const EXPIRED = ['expired'];
const MEGABYTE = 2 ** 20;

describe('the broker', () => {
  let stack: Stack;
  let kube: Kube;

  before(async () => {
    stack = await ownStack('broker');
    kube = new Kube(stack);
  });
  after(async () => {
    kube.close();
    await stack.reset();
  });

  const recording = async (scene: Scene) => {
    const collector = scene.installation.start(['collect', '--no-leader-election']);
    const sink = scene.installation.start(['sink']);
    await collector.ready();
    await sink.ready();
    await scene.record();
    return { collector, sink };
  };

  it('G1 G2 G6: stopped under load and started again: memory stays flat, /ready says why, nothing is lost', async () => {
    await Scene.run(stack, kube, 'away', async (scene) => {
      const { collector } = await recording(scene);
      const busy = keepBusy(scene.workload);
      const before = new MemoryWatch(collector.child.pid ?? 0, 200);
      await busy.during(new Promise((resolve) => setTimeout(resolve, 3_000)));
      before.stop();
      await stack.stop('kafka');
      const memory = new MemoryWatch(collector.child.pid ?? 0);
      const awayMs = times(8_000, 300_000);
      const backAtMs = Date.now() + awayMs;
      await busy.during(
        until('a word of the broker in /ready', async () => {
          const { status, text } = await collector.get('/ready');
          return status === 503 && /Kafka|transaction has waited/.test(text);
        }),
      );
      await busy.during(new Promise((resolve) => setTimeout(resolve, Math.max(0, backAtMs - Date.now()))));
      memory.stop();
      await stack.start('kafka');
      const startedMs = Date.now();
      await collector.ready(120_000);
      const catchUpMs = Date.now() - startedMs;
      await busy.end();
      await scene.compare({ fault: `broker stopped for ${awayMs / 1000} s`, kills: 1, catchUpMs }, EXPIRED);
      console.log(`    collector: ${inMegabytes(before.peak)} before, at most ${inMegabytes(memory.peak)} meanwhile`);
      assert.ok(memory.peak < before.peak + 100 * MEGABYTE, 'what waits is bounded');
    });
  });

  it('G1 G2 G3: killed in the middle of transactions, again and again: every change once, in order', async () => {
    await Scene.run(stack, kube, 'crashing', async (scene) => {
      const { collector } = await recording(scene);
      const busy = keepBusy(scene.workload);
      const kills = times(2, 20);
      let longestMs = 0;
      for (let kill = 0; kill < kills; kill += 1) {
        await busy.during(new Promise((resolve) => setTimeout(resolve, 500 + 700 * kill)));
        await stack.stop('kafka', 'SIGKILL');
        await stack.start('kafka');
        const startedMs = Date.now();
        await busy.during(collector.ready(120_000));
        longestMs = Math.max(longestMs, Date.now() - startedMs);
      }
      await busy.end();
      await scene.compare({ fault: 'broker killed in mid-transaction', kills, catchUpMs: longestMs }, EXPIRED);
      assert.ok(collector.alive, 'the collector outlives it');
    });
  });

  it('G2: a transaction that timed out while the collector was paused is not written a second time', async () => {
    await Scene.run(stack, kube, 'timed-out', async (scene) => {
      const { installation, workload } = scene;
      const env = { KUBETAPE_KAFKA_PROPERTIES: 'transaction.timeout.ms=2000', KUBETAPE_LEASE_NAME: scene.namespace };
      const collector = installation.start(['collect'], env);
      await installation.start(['sink']).ready();
      await collector.ready();
      await scene.record();
      const busy = keepBusy(workload);
      const pauses = times(1, 10);
      let longestMs = 0;
      for (let pause = 0; pause < pauses; pause += 1) {
        await busy.during(new Promise((resolve) => setTimeout(resolve, 1_000)));
        collector.child.kill('SIGSTOP');
        // The broker looks for transactions that are too old every ten seconds.
        await busy.during(new Promise((resolve) => setTimeout(resolve, 13_000)));
        const wokenMs = Date.now();
        collector.child.kill('SIGCONT');
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        await busy.during(collector.ready(60_000));
        longestMs = Math.max(longestMs, Date.now() - wokenMs);
      }
      await busy.end();
      await scene.compare({ fault: 'transaction timed out (SIGSTOP)', kills: pauses, catchUpMs: longestMs }, EXPIRED);
      assert.ok(collector.alive, 'to Kafka it was fenced; as it has the Lease, it reads the log anew and goes on');
    });
  });
});
