/**
 * The API server dies under load, and etcd is restored from a backup: nothing hangs, what could not be seen is known by its
 * net effect, and a history that begins anew is an epoch of its own. The witness watches etcd itself.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { tableOf } from '../../src/events/resource.ts';
import type { StreamWitness } from '../support/witness.ts';
import { restoredComplaints, type Said } from '../support/expected.ts';
import { PATHS, until } from '../support/kube.ts';
import { Installation, type Running } from '../support/kubetape.ts';
import { compare, comparePresent, gapsOf } from '../support/oracle.ts';
import { OwnCluster } from '../support/own-cluster.ts';
import { sharedServers } from '../support/servers.ts';
import { Workload } from '../support/workload.ts';

const RESOURCES = Object.keys(PATHS);

describe('an API server that dies, an etcd that is restored', () => {
  const seed = Number(process.env['KUBETAPE_TEST_SEED'] ?? randomInt(2 ** 31));
  const servers = sharedServers();
  let own: OwnCluster;
  let installation: Installation;
  let workload: Workload;
  let running: Running;
  let recorders: readonly StreamWitness[] = [];

  before(async () => {
    own = await OwnCluster.start('restart');
    installation = await Installation.create(servers.stack, 'api-restart');
    await own.namespace(installation.id);
    workload = new Workload(own.kube, installation.id, seed);
    await workload.keep();
    await workload.run(30);
    running = installation.start(['run'], own.env);
    await running.ready();
    console.log(`    seed ${seed}, logs in ${installation.logs}`);
  });
  afterEach(() => {
    for (const recorder of recorders) recorder.stop();
    recorders = [];
  });
  after(async () => {
    await installation.close();
    await own.close();
  });

  const gaps = () =>
    installation.query<{ resource: string; cause: string; from_epoch: number; to_epoch: number; to_resource_version: string }>(
      'SELECT * FROM k8s.gaps ORDER BY to_epoch, resource',
    );
  const said = (resource: string, epoch: number) =>
    installation.query<Said>(
      `SELECT uid, resource_version::text AS rv, op::text AS op FROM k8s.${tableOf(resource)}_history
        WHERE epoch = $1 ORDER BY kafka_partition, kafka_offset`,
      [epoch],
    );
  /** What was said to be there, by uid, once the history is at rest. */
  async function present(resource: string): Promise<Set<string>> {
    await comparePresent(installation, own.kube, resource);
    const rows = await installation.query<{ uid: string }>(`SELECT uid FROM k8s.${tableOf(resource)} WHERE deleted_at IS NULL`);
    return new Set(rows.map(({ uid }) => uid));
  }

  it('G1 G2: killed under load and started again, twice: changes it forgot are known by their net effect, and no others', async () => {
    recorders = await own.recorders();
    for (let round = 0; round < 2; round += 1) {
      let stop = false;
      const load = (async () => {
        // Some of it is answered by nobody; the witness knows what came of it.
        while (!stop) await workload.run(1).catch(() => new Promise((resolve) => setTimeout(resolve, 50)));
      })();
      const seen = recorders.reduce((sum, { events }) => sum + events.length, 0);
      const more = (count: number) => () => recorders.reduce((sum, { events }) => sum + events.length, 0) >= seen + count;
      await until('changes before it dies', more(30), 60_000);
      await own.restartApiServer(() =>
        until('/ready to say so', async () => {
          const { status, text } = await running.get('/ready');
          return status === 503 && /no answer from the API server/.test(text);
        }),
      );
      await until('changes after its return', more(60), 60_000);
      stop = true;
      await load;
      await running.ready();
    }
    for (const recorder of recorders) await compare(installation, own.kube, recorder, () => gapsOf(installation, recorder.resource));
    const recorded = await gaps();
    for (const { cause, from_epoch: from, to_epoch: to } of recorded) assert.deepEqual([cause, from, to], ['expired', 1, 1]);
    for (const resource of RESOURCES) assert.ok(recorded.filter((gap) => gap.resource === resource).length <= 2, JSON.stringify(recorded));
    assert.ok(running.alive);
  });

  /** An Event of the cluster, and waits for it: no controller makes any here. */
  async function happen(name: string): Promise<void> {
    await own.kube.create('events', {
      metadata: { name, namespace: installation.id },
      eventTime: new Date().toISOString().replace('Z', '000Z'),
      type: 'Normal',
      reason: 'Tested',
      action: 'Test',
      reportingController: 'kubetape.test/test',
      reportingInstance: 'test',
      regarding: { kind: 'Namespace', name: installation.id, namespace: installation.id },
    });
    await until(`the Event ${name}`, async () => (await installation.query('SELECT FROM k8s.events WHERE name = $1', [name])).length === 1);
  }

  /** Has etcd restored and compares the epoch that begins. @param how does what happens around it */
  async function restored(epoch: number, how: (restore: () => Promise<void>) => Promise<void>): Promise<void> {
    await own.backup();
    await running.ready();
    // All of this will never have been.
    await workload.run(60);
    await happen(`lost-${epoch}`);
    const before = new Map<string, Set<string>>();
    for (const resource of RESOURCES) before.set(resource, await present(resource));
    const lost = await own.etcd.revision();
    await how(() =>
      own.restore(async () => {
        recorders = await own.recorders();
      }),
    );
    assert.ok(BigInt(await own.etcd.revision()) < BigInt(lost), 'too much has happened since: no API server could tell');
    const begins = async () => (await gaps()).filter((gap) => gap.to_epoch === epoch).length >= RESOURCES.length;
    await until('the epoch to begin', begins, 90_000);
    await running.ready();
    // Elsewhere: this one does not know what is there now.
    const namespace = `${installation.id}-${epoch}`;
    await own.namespace(namespace);
    workload = new Workload(own.kube, namespace, seed);
    await workload.run(30);
    await happen(`kept-${epoch}`);
    const begun = (await gaps()).filter((gap) => gap.to_epoch === epoch);
    assert.deepEqual(
      begun.map(({ resource, cause, from_epoch: from }) => `${resource} ${cause} ${from}`),
      RESOURCES.toSorted().map((resource) => `${resource} restored ${epoch - 1}`),
    );
    for (const recorder of recorders) {
      const { resource } = recorder;
      const listed = BigInt(begun.find((gap) => gap.resource === resource)?.to_resource_version ?? '');
      let wrong: string[] = [];
      const complete = async (): Promise<boolean> => {
        wrong = restoredComplaints(recorder, listed, before.get(resource) ?? new Set(), await said(resource, epoch));
        return wrong.length === 0;
      };
      await until(`the history of ${resource} in the new epoch`, complete, 60_000).catch((error: Error) => {
        throw new Error(`${error.message}: ${wrong.slice(0, 6).join('; ')} (${wrong.length})`);
      });
      await comparePresent(installation, own.kube, resource);
      const keys = (await said(resource, epoch)).map(({ uid, rv }) => `${uid} ${rv}`);
      assert.equal(new Set(keys).size, keys.length, `${resource}: something twice`);
    }
  }

  it('G1 G4: etcd restored from a backup under a running collector: a new epoch, in which all is said again', async () => {
    await restored(2, async (restore) => {
      await restore();
    });
    assert.match(installation.logText(), /listing configmaps anew: restored/);
  });

  it('G1 G4: etcd restored while the collector was down: the same, found before its first watch', async () => {
    await restored(3, async (restore) => {
      assert.equal(await running.stop(), 0);
      await restore();
      running = installation.start(['run'], own.env);
    });
  });
});
