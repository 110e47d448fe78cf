/** `kubetape status` against real servers: all well, a collector away, a sink away, Kafka away. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';

interface Status {
  readonly ok: boolean;
  readonly watches: readonly { resource: string; objects: number; gaps: number; coverage: number | null }[];
  readonly topics: readonly { topic: string; lag: number | null }[];
  readonly deadLetters: number;
  readonly troubles: readonly { what: string; remedy: string }[];
}

const RESOURCES = 'configmaps,services';

describe('status', () => {
  const servers = sharedServers();
  let installation: Installation;

  before(async () => {
    installation = await Installation.create(servers.stack, 'status', RESOURCES);
    await servers.kube.namespace(installation.id);
  });
  after(() => installation.close());

  function status(...flags: string[]): { code: number | null; status: Status } {
    const { status: code, stdout, stderr } = installation.once(['status', '-o', 'json', ...flags]);
    assert.notEqual(stdout, '', stderr);
    return { code, status: JSON.parse(stdout) as Status };
  }

  it('before anything is recorded it says so, and what to look at', () => {
    const { code, status: before } = status();
    assert.equal(code, 1);
    assert.match(before.troubles[0]?.what ?? '', /nothing is watched yet/);
  });

  it('when all is well: each watch with its age, objects and coverage, each topic with what is behind; exit 0', async () => {
    const env = { KUBETAPE_RESOURCES: RESOURCES };
    await installation.start(['collect', '--no-leader-election'], env).ready();
    await installation.start(['sink'], env).ready();
    await until(
      'all of it',
      () => {
        const { code, status: now } = status();
        return code === 0 && now.watches.length === 2 && now.topics.every(({ lag }) => lag === 0);
      },
      60_000,
    );
    const { status: well } = status();
    assert.deepEqual(
      well.watches.map(({ resource, gaps, coverage }) => [resource, gaps, coverage]),
      [
        ['configmaps', 0, 1],
        ['services', 0, 1],
      ],
    );
    const { items } = await servers.kube.list('configmaps');
    assert.equal(well.watches[0]?.objects, items.length);
    const { stdout } = installation.once(['status']);
    assert.match(
      stdout,
      /^cluster test-status\nWATCHED +SINCE +LAST SEEN +OBJECTS +COVERAGE 7d +GAPS\nconfigmaps +20\d\d-.*Z +\d+[ms]\S* +\d+ +100% +0\n/,
    );
    assert.match(stdout, /✔ everything is watched, and all of it is in the tables\n$/);
  });

  it('a collector that is away shows as time that nobody knows, a gap as missing coverage', async () => {
    await installation.query(`UPDATE k8s.watches SET since = now() - interval '10 hours', seen_until = now() - interval '1 hour'`);
    const { code, status: stale } = status();
    assert.equal(code, 1);
    assert.match(stale.troubles[0]?.what ?? '', /^nothing of test-status is known after 20/);
    await installation.query(
      `INSERT INTO k8s.event_stream (cluster, resource, namespace, name, type, at, detail, kafka_topic, kafka_partition, kafka_offset)
       SELECT 'test-status', 'services', '', '', 'coverage.gap', now(), jsonb_build_object('cause', 'expired',
              'from', jsonb_build_object('ts', now() - interval '4 hours'), 'to', jsonb_build_object('ts', now() - interval '3 hours')), 'x', 0, 0`,
    );
    await installation.query(`UPDATE k8s.watches SET seen_until = now() WHERE resource = 'configmaps'`);
    const { status: one } = status();
    assert.match(one.troubles[0]?.what ?? '', /^not services of test-status is known after/);
    const services = one.watches.find(({ resource }) => resource === 'services');
    assert.equal(services?.gaps, 1);
    assert.ok(Math.abs((services.coverage ?? 0) - 8 / 9) < 0.001, `an hour of nine: ${services.coverage}`);
    const { stdout } = installation.once(['status']);
    assert.match(stdout, /services .* 88\.8\d% +1\n/);
  });

  it('a Kafka that cannot be asked is said, and the rest is told all the same; a wrong time is a wrong usage', () => {
    const { stdout, status: code } = installation.once(['status'], { KAFKA_BROKERS: '127.0.0.1:1' });
    assert.equal(code, 1);
    assert.match(stdout, /k8s-configmaps +\? /);
    assert.match(stdout, /how far the sinks are behind is not known/);
    const wrong = installation.once(['status', '--since', 'lately']);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /"lately" is no time/);
  });
});
