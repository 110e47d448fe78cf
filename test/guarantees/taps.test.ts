/** What people touch: the console consumer, custom resources, /metrics and /ready. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';

describe('what people touch', () => {
  const servers = sharedServers();

  it("Kafka's own console consumer taps k8s-pods and prints readable JSON", async () => {
    const installation = await Installation.create(servers.stack, 'tap');
    try {
      await servers.kube.namespace(installation.id);
      await installation.start(['run']).ready();
      await servers.kube.create('pods', {
        metadata: { name: 'tapped', namespace: installation.id },
        spec: { containers: [{ name: 'main', image: 'registry/app:v1' }] },
      });
      const consumer = servers.stack.kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        '--bootstrap-server',
        servers.stack.brokers,
        '--topic',
        installation.topic('pods'),
        '--from-beginning',
        '--isolation-level',
        'read_committed',
        '--timeout-ms',
        '30000',
        '--formatter-property',
        'print.key=true',
        '--formatter-property',
        'print.headers=true',
      ]);
      let text = '';
      const wanted = `${installation.cluster}/${installation.id}/tapped`;
      // Other tests may have left pods, which the first list has recorded before ours.
      const ours = () =>
        text
          .split('\n')
          .slice(0, -1)
          .find((line) => line.includes(`\t${wanted}\t`));
      consumer.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (ours() !== undefined) consumer.kill();
      });
      await new Promise((resolve) => consumer.on('exit', resolve));
      const [headers = '', key = '', value = ''] = (ours() ?? '').split('\t');
      assert.equal(key, wanted, text.slice(0, 500));
      assert.match(headers, /^op:c,uid:[0-9a-f-]{36},rv:\d+,epoch:1$/);
      const record = JSON.parse(value) as {
        v: number;
        op: string;
        source: { resource: string };
        by: { manager: string };
        object: { metadata: object };
      };
      assert.deepEqual([record.v, record.op, record.source.resource], [1, 'c', 'pods']);
      assert.ok(!('managedFields' in record.object.metadata));
      assert.equal(typeof record.by.manager, 'string');
    } finally {
      await installation.close();
    }
  });

  it('a custom resource flows through, by its plural and group, and an unknown one is told and waited for', async () => {
    const resource = 'tapes.test.kubetape.dev';
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: resource },
      spec: {
        group: 'test.kubetape.dev',
        names: { plural: 'tapes', singular: 'tape', kind: 'Tape' },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    };
    const installation = await Installation.create(servers.stack, 'crd', `pods,${resource}`);
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    try {
      await servers.kube.namespace(installation.id);
      const running = installation.start(['run', '--resources', `pods,${resource}`]);
      await until('the word that it is not served', async () =>
        (await running.get('/ready')).text.includes(`no resource \\"${resource}\\"`),
      );
      // The rest goes on.
      await servers.kube.create('pods', {
        metadata: { name: 'meanwhile', namespace: installation.id },
        spec: { containers: [{ name: 'main', image: 'registry/app:v1' }] },
      });
      await until('the pod', async () => (await installation.query("SELECT FROM k8s.pods WHERE name = 'meanwhile'")).length === 1);
      await servers.kube.call('POST', crds, crd);
      await running.ready();
      const path = `/apis/test.kubetape.dev/v1/namespaces/${installation.id}/tapes`;
      await servers.kube.call('POST', path, {
        apiVersion: 'test.kubetape.dev/v1',
        kind: 'Tape',
        metadata: { name: 'one', namespace: installation.id },
        spec: { length: 90 },
      });
      await servers.kube.call('PATCH', `${path}/one`, { spec: { length: 120 } }, 'application/merge-patch+json');
      await servers.kube.call('DELETE', `${path}/one`);
      const rows = () =>
        installation.query<{ op: string; length: number }>(
          "SELECT op::text AS op, (object #>> '{spec,length}')::int AS length FROM k8s.tapes_test_kubetape_dev_history ORDER BY resource_version",
        );
      await until('its three changes', async () => (await rows()).length === 3);
      assert.deepEqual(await rows(), [
        { op: 'c', length: 90 },
        { op: 'u', length: 120 },
        { op: 'd', length: 120 },
      ]);
      const [present] = await installation.query<{ deleted: boolean; name: string }>(
        'SELECT name, deleted_at IS NOT NULL AS deleted FROM k8s.tapes_test_kubetape_dev',
      );
      assert.deepEqual(present, { name: 'one', deleted: true });
    } finally {
      await servers.kube.call('DELETE', `${crds}/${resource}`).catch(() => undefined);
      await installation.close();
    }
  });

  it('/metrics tells of lists, changes, messages, transactions, database, watch states, ages and lag; /ready is true state', async () => {
    const installation = await Installation.create(servers.stack, 'metrics');
    try {
      await servers.kube.namespace(installation.id);
      const running = installation.start(['run']);
      await running.ready();
      await servers.kube.create('configmaps', { metadata: { name: 'one', namespace: installation.id }, data: { a: 'b' } });
      await until('the row', async () => (await installation.query("SELECT FROM k8s.configmaps WHERE name = 'one'")).length === 1);
      const { text } = await running.get('/metrics');
      for (const name of [
        'kubetape_list_seconds_count{resource="pods"}',
        'kubetape_changes_total{resource="configmaps",op="c"}',
        `kubetape_messages_produced_total{topic="${installation.topic('configmaps')}"}`,
        `kubetape_messages_consumed_total{topic="${installation.topic('configmaps')}"}`,
        'kubetape_transaction_seconds_count',
        'kubetape_transaction_records_count',
        'kubetape_transaction_bytes_count',
        'kubetape_watch_state{resource="pods",state="watching"} 1',
        'kubetape_relists_total{resource="pods",cause="first"}',
        'kubetape_change_age_seconds_count{resource="configmaps",stage="produced"}',
        'kubetape_change_age_seconds_count{resource="configmaps",stage="durable"}',
        'kubetape_batch_rows_count{resource="configmaps"}',
        'kubetape_database_operations_total{operation="write_batch",outcome="ok"}',
        'kubetape_consumer_lag_records{',
        'kubetape_consumer_lag_seconds{',
        'kubetape_upsert_seconds_count{resource="configmaps"}',
      ])
        assert.ok(text.includes(name), `no ${name}`);
      for (const pathname of ['/health', '/healthz', '/livez', '/readyz'])
        assert.equal((await running.get(pathname)).status, 200, pathname);
      assert.equal(await running.stop(), 0);
    } finally {
      await installation.close();
    }
  });
});
