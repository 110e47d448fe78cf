/** G8: the tables are a function of the topics. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableOf } from '../../src/events/resource.ts';
import { until } from '../support/kube.ts';
import type { Installation } from '../support/kubetape.ts';
import { times } from '../support/length.ts';
import { RESOURCES, Scene } from '../support/scene.ts';
import { sharedServers } from '../support/servers.ts';

/** Everything in the tables but the moment at which it was written there. */
async function fingerprints(installation: Installation): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const tables = [...RESOURCES.flatMap((resource) => [tableOf(resource), `${tableOf(resource)}_history`]), 'event_stream', 'watches'];
  for (const table of tables) {
    const [row] = await installation.query(
      `SELECT count(*)::int AS rows, md5(string_agg(t::text, '' ORDER BY t::text)) AS md5 FROM k8s.${table} AS t`,
    );
    found[table] = row;
  }
  const gaps = await installation.query('SELECT * FROM k8s.gaps');
  return { ...found, gaps };
}

async function atRest(installation: Installation): Promise<void> {
  let before = '';
  let same = 0;
  await until(
    'the sinks to be at rest',
    async () => {
      const rows = await installation.query('SELECT topic, partition, next_offset FROM k8s.sink_offsets ORDER BY topic, partition');
      const now = JSON.stringify(rows);
      same = now === before ? same + 1 : 0;
      before = now;
      // The position of a quiet partition is written every ten seconds.
      return same > 60;
    },
    120_000,
  );
}

describe('rebuild', () => {
  const servers = sharedServers();

  it('G8: the schema dropped, migrated and sunk anew holds the same, by hash', async () => {
    await Scene.run(servers.stack, servers.kube, 'rebuild', async (scene) => {
      const { installation, workload } = scene;
      const collector = installation.start(['collect', '--no-leader-election']);
      const sink = installation.start(['sink']);
      await collector.ready();
      await sink.ready();
      await scene.record();
      await workload.run(times(120, 4_000));
      const changes = await scene.compare({ fault: 'schema dropped and rebuilt', kills: 1, catchUpMs: 0 });
      assert.ok(changes > 100);
      assert.equal(await collector.stop(), 0);
      await atRest(installation);
      assert.equal(await sink.stop(), 0);
      const before = await fingerprints(installation);

      await installation.query('DROP SCHEMA k8s CASCADE');
      assert.equal(installation.once(['migrate']).status, 0);
      await installation.start(['sink']).ready();
      await atRest(installation);
      assert.deepEqual(await fingerprints(installation), before);
    });
  });
});
