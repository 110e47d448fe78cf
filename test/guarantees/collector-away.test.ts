/**
 * The collector is down while changes go on. For as long as the API server remembers them, all arrive afterwards; when it
 * has forgotten them, their net effect does, and one gap per resource says from where to where.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { ApiProxy } from '../support/api-proxy.ts';
import type { StreamWitness } from '../support/witness.ts';
import { PATHS, until, type KubeObject } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { compare, gapsOf } from '../support/oracle.ts';
import { OwnCluster } from '../support/own-cluster.ts';
import { sharedServers } from '../support/servers.ts';
import { Workload } from '../support/workload.ts';

describe('the collector is away', () => {
  const seed = Number(process.env['KUBETAPE_TEST_SEED'] ?? randomInt(2 ** 31));
  const servers = sharedServers();
  let own: OwnCluster;

  before(async () => {
    own = await OwnCluster.start('away');
  });
  after(() => own.close());

  const configmap = (namespace: string, name: string): KubeObject => ({ metadata: { name, namespace }, data: { a: 'b' } });

  /** What becomes of four objects while nobody looks, and of many more. @returns the uids before and after */
  async function changes(namespace: string, workload: Workload): Promise<{ readonly old: string; readonly heir: string }> {
    const { kube } = own;
    const { items } = await kube.list('configmaps', namespace);
    const old = items.find(({ metadata }) => metadata.name === 'again')?.metadata.uid ?? '';
    for (let turn = 0; turn < 3; turn += 1) await kube.patch('configmaps', namespace, 'changed', { data: { turn: String(turn) } });
    for (const name of ['gone', 'again']) await kube.remove('configmaps', namespace, name);
    await kube.create('configmaps', configmap(namespace, 'brief'));
    await kube.remove('configmaps', namespace, 'brief');
    const { metadata } = await kube.create('configmaps', configmap(namespace, 'again'));
    await workload.run(60);
    return { old, heir: metadata.uid ?? '' };
  }

  interface Course {
    readonly installation: Installation;
    readonly workload: Workload;
    /** Of `changed`, `gone` and `again`, after the beginning: op, name and whether it was concluded from a list. */
    history(): Promise<{ said: string; uid: string; rv: string }[]>;
  }

  /** Starts the collector before `course`, and compares afterwards. */
  async function recorded(name: string, course: (course: Course) => Promise<void>): Promise<void> {
    const installation = await Installation.create(servers.stack, name);
    let recorders: StreamWitness[] = [];
    try {
      const namespace = installation.id;
      await own.namespace(namespace);
      const workload = new Workload(own.kube, namespace, seed);
      await workload.keep();
      await workload.run(30);
      for (const one of ['changed', 'gone', 'again']) await own.kube.create('configmaps', configmap(namespace, one));
      await installation.start(['run'], own.env).ready();
      recorders = await own.recorders();
      const from = recorders.find(({ resource }) => resource === 'configmaps')?.from;
      await workload.run(12);
      await course({
        installation,
        workload,
        history: () =>
          installation.query(
            `SELECT op::text || ' ' || name || CASE WHEN synthetic THEN ' synthetic' WHEN snapshot THEN ' listed' ELSE '' END AS said,
                    uid, resource_version::text AS rv
               FROM k8s.configmaps_history
              WHERE namespace = $1 AND name IN ('changed', 'gone', 'again', 'brief') AND resource_version > $2
              ORDER BY name, kafka_offset`,
            [namespace, from],
          ),
      });
      await workload.run(12);
      for (const recorder of recorders) {
        const { changes: count } = await compare(installation, own.kube, recorder, () => gapsOf(installation, recorder.resource));
        assert.ok(count > 0 || recorder.resource === 'events', `nothing happened to ${recorder.resource}`);
      }
    } catch (error) {
      console.error(`    seed ${seed}, logs in ${installation.logs}`);
      throw error;
    } finally {
      for (const recorder of recorders) recorder.stop();
      await installation.close();
    }
  }

  it('G1 G4: for a short time: every version on the way arrives, a re-created name is two objects, and there is no gap', async () => {
    await recorded('away-short', async ({ installation, workload, history }) => {
      await installation.processes.at(-1)?.kill();
      const { old, heir } = await changes(installation.id, workload);
      await installation.start(['run'], own.env).ready();
      await until('the changes of meanwhile', async () => (await history()).length === 8, 60_000);
      const rows = await history();
      assert.deepEqual(
        rows.map(({ said }) => said),
        ['d again', 'c again', 'c brief', 'd brief', 'u changed', 'u changed', 'u changed', 'd gone'],
      );
      assert.deepEqual([rows[0]?.uid, rows[1]?.uid], [old, heir]);
      assert.deepEqual(await installation.query('SELECT * FROM k8s.gaps'), []);
    });
  });

  it('G1 G4: beyond the watch window: the net difference, deletions only after a complete list, and one gap with both ends', async () => {
    await recorded('away-long', async ({ installation, workload, history }) => {
      const positions = await lastSeen(installation);
      await installation.processes.at(-1)?.kill();
      const killedAt = new Date();
      const { old, heir } = await changes(installation.id, workload);
      await own.forget();
      const proxy = await ApiProxy.start(own.stack, installation.logs);
      try {
        // The list of ConfigMaps does not come to its end.
        let end = (): void => undefined;
        const held = proxy.inject({
          where: ({ kind, resource }) => kind === 'streaming' && resource === 'configmaps',
          onLine: (line, wire) => {
            if (line.includes('k8s.io/initial-events-end')) end = () => wire.write(`${line}\n`);
            else wire.write(`${line}\n`);
          },
        });
        // Nor do its pages, should it come to that.
        const refused = proxy.inject({
          where: ({ kind, resource, query }) => kind === 'list' && resource === 'configmaps' && query.get('limit') !== '1',
          answer: () => ({ status: 503 }),
        });
        const listed = ['c again listed', 'd again synthetic', 'u changed listed'];
        const inTheMiddle = async (): Promise<void> => {
          await until('what of the list has come', async () => (await history()).length === listed.length, 60_000);
          const rows = await history();
          assert.deepEqual(rows.map(({ said }) => said).toSorted(), listed);
          assert.deepEqual(await installation.query("SELECT * FROM k8s.gaps WHERE resource = 'configmaps'"), []);
        };
        const env = { KUBECONFIG: proxy.kubeconfig };
        installation.start(['run'], env);
        await inTheMiddle();
        // It dies there, and the list begins again.
        await installation.processes.at(-1)?.kill();
        const last = installation.start(['run'], env);
        await until('the list to come again', () => held.hits > 0 && proxy.open((one) => one.resource === 'configmaps').length === 1);
        await until('it to say why it is not ready', async () =>
          /configmaps"[^}]*(listed anew: expired|answered 503)/.test((await last.get('/ready')).text),
        );
        await inTheMiddle();
        held.lift();
        refused.lift();
        end();
        await last.ready();
        await until('the deletion of what is gone', async () => (await history()).length === listed.length + 1, 60_000);
        const rows = await history();
        assert.deepEqual(
          rows.map(({ said }) => said),
          ['d again synthetic', 'c again listed', 'u changed listed', 'd gone synthetic'],
        );
        assert.deepEqual([rows[0]?.uid, rows[1]?.uid], [old, heir]);

        const allGaps = () =>
          installation.query<Record<string, string> & { from_time: Date; to_time: Date }>('SELECT * FROM k8s.gaps ORDER BY resource');
        await until('the gaps', async () => (await allGaps()).length >= Object.keys(PATHS).length, 60_000);
        const gaps = await allGaps();
        assert.deepEqual(
          gaps.map(({ resource, cause }) => `${resource} ${cause}`),
          Object.keys(PATHS)
            .toSorted()
            .map((resource) => `${resource} expired`),
        );
        for (const gap of gaps) {
          assert.ok(BigInt(gap['from_resource_version'] ?? '') >= (positions.get(gap['resource'] ?? '') ?? 0n), JSON.stringify(gap));
          assert.ok(gap.from_time <= killedAt && killedAt < gap.to_time, JSON.stringify(gap));
        }
        // The end of the gap is the list's, at which what is gone was seen to be gone.
        assert.equal(gaps.find(({ resource }) => resource === 'configmaps')?.['to_resource_version'], rows.at(-1)?.rv);
      } finally {
        await proxy.close();
      }
      await installation.processes.at(-1)?.kill();
      await installation.start(['run'], own.env).ready();
    });
  });

  /** Highest resourceVersion in each history, once it is at rest. */
  async function lastSeen(installation: Installation): Promise<Map<string, bigint>> {
    const seen = new Map<string, bigint>();
    for (const resource of Object.keys(PATHS)) {
      const { items } = await own.kube.list(resource);
      const newest = items.map(({ metadata }) => BigInt(metadata.resourceVersion ?? '0')).reduce((a, b) => (a > b ? a : b), 0n);
      await until(
        `the newest of ${resource}`,
        async () =>
          (await installation.query(`SELECT FROM k8s.${resource}_history WHERE resource_version >= $1`, [newest.toString()])).length > 0 ||
          newest === 0n,
      );
      seen.set(resource, newest);
    }
    return seen;
  }
});
