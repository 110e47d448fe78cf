/**
 * What most tests of the guarantees have in common: an installation, a namespace, recorders, a seeded workload, and at the
 * end the comparison of everything that was recorded with everything that happened.
 */
import assert from 'node:assert/strict';
import type { Stack } from '../../scripts/stack/stack.ts';
import { PATHS, type Kube } from './kube.ts';
import { Installation } from './kubetape.ts';
import { assertRight, compareNow, gapsOf, judge, type Verdict } from './oracle.ts';
import { watchRaw } from './recorder.ts';
import type { StreamWitness } from './witness.ts';
import { report } from './report.ts';
import { seedOf, Workload } from './workload.ts';

export const RESOURCES = Object.keys(PATHS);

export class Scene {
  readonly installation: Installation;
  readonly kube: Kube;
  readonly workload: Workload;
  readonly seed: number;
  readonly #recorders: StreamWitness[] = [];

  private constructor(installation: Installation, kube: Kube, seed: number) {
    this.installation = installation;
    this.kube = kube;
    this.seed = seed;
    this.workload = new Workload(kube, installation.id, seed);
  }

  /** Also the name of the scene's Lease: tests of one cluster keep out of each other's way. */
  get namespace(): string {
    return this.installation.id;
  }

  /** Begins the recording: everything from now on is compared. Call it when the collector's first list is complete. */
  async record(): Promise<void> {
    for (const resource of RESOURCES) this.#recorders.push(await watchRaw(this.kube, resource));
  }

  /**
   * Compares, and reports.
   * @param gaps the causes of gaps that this fault may leave, within which only the net difference is recorded
   * @returns how many changes were compared
   */
  async compare(
    facts: { readonly fault: string; readonly kills: number; readonly catchUpMs: number },
    gaps: readonly string[] = [],
  ): Promise<number> {
    const verdicts: Verdict[] = [];
    for (const recorder of this.#recorders)
      verdicts.push(await judge(this.installation, recorder, () => gapsOf(this.installation, recorder.resource)));
    const sum = (of: (verdict: Verdict) => number): number => verdicts.reduce((total, verdict) => total + of(verdict), 0);
    const changes = sum((verdict) => verdict.changes);
    const [lost, twice, outOfOrder] = [sum((one) => one.lost), sum((one) => one.twice), sum((one) => one.outOfOrder)];
    report({ ...facts, seed: this.seed, changes, lost, twice, outOfOrder });
    for (const verdict of verdicts) {
      assertRight(verdict);
      assert.ok(verdict.changes > 0, `the workload changed no ${verdict.resource}`);
      await compareNow(this.installation, this.kube, verdict.resource);
    }
    const found = await this.installation.query<{ cause: string; resource: string }>('SELECT cause, resource FROM k8s.gaps');
    assert.deepEqual(
      found.filter(({ cause }) => !gaps.includes(cause)),
      [],
      'gaps that this fault does not excuse',
    );
    assert.deepEqual(await this.installation.query('SELECT code, message FROM k8s.dead_letters'), []);
    return changes;
  }

  static async run(stack: Stack, kube: Kube, name: string, play: (scene: Scene) => Promise<void>): Promise<void> {
    const seed = seedOf();
    const installation = await Installation.create(stack, name);
    const scene = new Scene(installation, kube, seed);
    try {
      await kube.namespace(scene.namespace);
      await play(scene);
      await kube.call('DELETE', `/api/v1/namespaces/${scene.namespace}`);
    } catch (error) {
      console.error(`    seed ${seed}, logs in ${installation.logs}`);
      throw error;
    } finally {
      for (const recorder of scene.#recorders) recorder.stop();
      await installation.close();
    }
  }
}
