/** The audit against real servers: it sees what somebody else did to the record, and has it mended. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../support/kube.ts';
import { Installation, type Running } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';

interface Outcome {
  readonly findings: readonly {
    resource: string;
    outcome: string;
    objects: number;
    reason: string | null;
    drift: readonly { is: string; name: string }[];
  }[];
  readonly repaired: readonly string[];
}

const RESOURCES = 'configmaps,services';

describe('audit', () => {
  const servers = sharedServers();
  let installation: Installation;
  let env: Record<string, string>;
  const collectors: Running[] = [];

  before(async () => {
    installation = await Installation.create(servers.stack, 'audit', RESOURCES);
    const namespace = installation.id;
    await servers.kube.namespace(namespace);
    env = { KUBETAPE_LEASE_NAME: namespace, KUBETAPE_RESOURCES: RESOURCES, KUBETAPE_NAMESPACES: namespace };
    for (const name of ['kept', 'lost', 'changed', 'deleted'])
      await servers.kube.create('configmaps', { metadata: { name, namespace }, data: { key: name } });
    await servers.kube.create('services', { metadata: { name: 'web', namespace }, spec: { ports: [{ port: 80 }] } });
    collectors.push(installation.start(['collect'], env));
    await collectors[0]?.ready();
    await installation.start(['sink'], env).ready();
  });
  after(() => installation.close());

  function audit(...flags: string[]): { status: number | null; stderr: string; outcome: Outcome } {
    const { status, stdout, stderr } = installation.once(['audit', '-o', 'json', ...flags], env);
    assert.notEqual(stdout, '', stderr);
    return { status, stderr, outcome: JSON.parse(stdout) as Outcome };
  }

  const differing = ({ findings }: Outcome): string[] =>
    findings.flatMap(({ drift }) => drift.map(({ is, name }) => `${name} ${is}`)).toSorted();

  it('finds nothing where nothing is wrong, waiting for what is on its way, exit 0', () => {
    const { status, outcome } = audit('--within', '40s');
    assert.deepEqual(
      outcome.findings.map((finding) => [finding.resource, finding.outcome]),
      [
        ['configmaps', 'equal'],
        ['services', 'equal'],
      ],
    );
    assert.ok((outcome.findings[0]?.objects ?? 0) >= 4);
    assert.equal(status, 0);
    const { stdout } = installation.once(['audit', '--within', '40s'], env);
    assert.match(
      stdout,
      /✔ configmaps +\d objects, equal .*\n✔ services +1 object, equal .*\n✔ what is recorded of test-audit is what there is\n/,
    );
  });

  it('names what differs, exit 1, and changes nothing without --repair', async () => {
    await installation.query(`DELETE FROM k8s.configmaps WHERE name = 'lost'`);
    await installation.query(`UPDATE k8s.configmaps SET resource_version = resource_version - 1 WHERE name = 'changed'`);
    await installation.query(`INSERT INTO k8s.configmaps SELECT (jsonb_populate_record(t, '{"name":"ghost"}'
      || jsonb_build_object('uid', gen_random_uuid(), 'resource_version', resource_version + 1000000000))).* FROM k8s.configmaps t WHERE name = 'kept'`);
    const { status, outcome } = audit('--within', '2s');
    assert.equal(status, 1);
    assert.deepEqual(differing(outcome), ['changed older', 'ghost gone', 'lost missing']);
    assert.deepEqual(differing(audit('--within', '2s').outcome), differing(outcome));
    const { stdout } = installation.once(['audit', '--within', '1s'], env);
    assert.match(stdout, /ghost is in the tables \(\d+\) and not in the cluster/);
    assert.match(stdout, /audit --repair/);
  });

  it('--repair takes the log over, has everything of that resource said again, and gives it back', async () => {
    const { status, outcome, stderr } = audit('--within', '12s', '--repair');
    assert.equal(status, 0, stderr);
    assert.deepEqual(outcome.repaired, ['configmaps']);
    assert.deepEqual(differing(outcome), []);
    const rows = await installation.query<{ name: string; deleted: boolean; epoch: number }>(
      'SELECT name, deleted_at IS NOT NULL AS deleted, epoch FROM k8s.configmaps ORDER BY name',
    );
    const shown = rows.filter(({ name }) => name !== 'kube-root-ca.crt').map(({ name, deleted, epoch }) => `${name} ${deleted} ${epoch}`);
    assert.deepEqual(shown, ['changed false 2', 'deleted false 2', 'ghost true 2', 'kept false 2', 'lost false 2']);
    assert.deepEqual(
      await installation.query('SELECT resource, cause FROM k8s.gaps WHERE resource = $1', ['services']),
      [],
      'of what did not differ, nothing was said',
    );
    await servers.kube.remove('configmaps', installation.id, 'deleted');
    // The collector that had the log reads it anew, if it still has the Lease by then; else it ends, to be started again.
    await until(
      'a collector',
      async () => {
        const collector = collectors.at(-1);
        if (collector?.alive !== true) collectors.push(installation.start(['collect'], env));
        return (await collector?.get('/ready'))?.status === 200;
      },
      60_000,
    );
    assert.deepEqual(differing(audit('--within', '40s').outcome), [], 'the next collector goes on from there');
    const [gone] = await installation.query<{ deleted: boolean }>(
      `SELECT deleted_at IS NOT NULL AS deleted FROM k8s.configmaps WHERE name = 'deleted'`,
    );
    assert.equal(gone?.deleted, true);
  });

  it('without a sink what lacks in the tables is unknown, not drift; without a collector it is drift', async () => {
    const [, sink] = installation.processes;
    assert.equal(await sink?.stop(), 0);
    await servers.kube.create('configmaps', { metadata: { name: 'unsunk', namespace: installation.id }, data: {} });
    const behind = audit('--within', '5s');
    assert.equal(behind.status, 1);
    assert.deepEqual(
      behind.outcome.findings.map((finding) => [finding.resource, finding.outcome]),
      [
        ['configmaps', 'unknown'],
        ['services', 'equal'],
      ],
    );
    assert.match(behind.outcome.findings[0]?.reason ?? '', /sink/);
    await collectors.at(-1)?.stop();
    await servers.kube.create('configmaps', { metadata: { name: 'unseen', namespace: installation.id }, data: {} });
    const away = audit('--within', '2s');
    assert.equal(away.outcome.findings[0]?.outcome, 'drift');
  });

  it('--every goes on, and says by metrics what it finds', async () => {
    const auditor = installation.start(['audit', '--every', '10s', '--within', '1s'], env);
    await auditor.ready();
    await until('a drift in the metrics', async () => {
      const { text } = await auditor.get('/metrics');
      return (
        /kubetape_audit_drift_objects\{[^}]*resource="configmaps"[^}]*side="state"[^}]*\} [1-9]/.test(text) &&
        /kubetape_audits_total\{[^}]*outcome="equal"[^}]*\} /.test(text)
      );
    });
    assert.equal(await auditor.stop(), 0);
  });
});
