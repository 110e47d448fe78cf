import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnValues, DEFAULT_TABLES, tableFor } from '../../src/columns/columns.ts';

/** Objects as an API server serves them, redacted where kubetape redacts. */
const OBJECTS: Readonly<Record<string, { readonly object: Record<string, unknown>; readonly columns: Record<string, unknown> }>> = {
  pods: {
    object: {
      metadata: {
        name: 'checkout-7d9f-x2k',
        ownerReferences: [
          { kind: 'Node', name: 'n' },
          { kind: 'ReplicaSet', name: 'checkout-7d9f', controller: true },
        ],
      },
      spec: {
        nodeName: 'worker-3',
        containers: [
          { name: 'app', image: 'shop/checkout:1.4' },
          { name: 'proxy', image: 'envoy:1.30' },
        ],
      },
      status: {
        phase: 'Running',
        podIP: '10.1.2.3',
        containerStatuses: [
          { name: 'app', ready: true, restartCount: 3, state: { running: {} } },
          {
            name: 'proxy',
            ready: false,
            restartCount: 1,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { finishedAt: '2026-11-20T10:00:00Z' } },
          },
        ],
      },
    },
    columns: {
      phase: 'Running',
      status: 'CrashLoopBackOff',
      node: 'worker-3',
      pod_ip: '10.1.2.3',
      ready: '1/2',
      restarts: 4,
      restarted_at: Date.parse('2026-11-20T10:00:00Z'),
      images: ['shop/checkout:1.4', 'envoy:1.30'],
      owner: 'ReplicaSet/checkout-7d9f',
    },
  },
  deployments: {
    object: {
      spec: { replicas: 3, template: { spec: { containers: [{ image: 'shop/checkout:1.4' }] } } },
      status: { replicas: 4, readyReplicas: 2, updatedReplicas: 1 },
    },
    columns: { replicas: 3, ready: 2, updated: 1, available: 0, images: ['shop/checkout:1.4'] },
  },
  statefulsets: {
    // A zero is left out by the API server.
    object: { spec: { replicas: 0, template: { spec: { containers: [{ image: 'postgres:18' }] } } }, status: { replicas: 0 } },
    columns: { replicas: 0, ready: 0, updated: 0, available: 0, images: ['postgres:18'] },
  },
  services: {
    object: {
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        ports: [{ port: 443, protocol: 'TCP', targetPort: 'https' }, { port: 53, protocol: 'UDP' }, { port: 80 }],
      },
    },
    columns: { type: 'ClusterIP', cluster_ip: 'None', ports: ['443/TCP', '53/UDP', '80/TCP'] },
  },
  configmaps: {
    object: {
      data: { 'app.yaml': { redacted: true, bytes: 5 }, a: { redacted: true, bytes: 1 } },
      binaryData: { logo: { redacted: true, bytes: 9 } },
    },
    columns: { keys: ['a', 'app.yaml', 'logo'] },
  },
  secrets: {
    object: { type: 'kubernetes.io/tls', data: { 'tls.key': { redacted: true, bytes: 5 }, 'tls.crt': { redacted: true, bytes: 5 } } },
    columns: { keys: ['tls.crt', 'tls.key'], type: 'kubernetes.io/tls' },
  },
  events: {
    object: {
      reason: 'BackOff',
      type: 'Warning',
      regarding: { kind: 'Pod', name: 'checkout-7d9f-x2k' },
      series: { count: 17, lastObservedTime: '2026-11-20T10:00:00.500000Z' },
      deprecatedCount: 2,
      note: 'Back-off restarting failed container',
    },
    columns: {
      reason: 'BackOff',
      type: 'Warning',
      regarding: 'Pod/checkout-7d9f-x2k',
      count: 17,
      last_seen: Date.parse('2026-11-20T10:00:00.500Z'),
      note: 'Back-off restarting failed container',
    },
  },
};

for (const { resource, columns } of DEFAULT_TABLES) {
  test(`columns of ${resource}`, () => {
    const sample = OBJECTS[resource];
    assert.ok(sample, 'every default resource has a sample');
    const values = columnValues(resource, sample.object);
    assert.deepEqual(Object.fromEntries(columns.map(({ name }, at) => [name, values[at]])), sample.columns);
  });
}

test('whatever an object looks like, there is a value of the right type for each column', () => {
  const odd = fc.object({
    key: fc.constantFrom('spec', 'status', 'metadata', 'containers', 'data', 'ports', 'replicas', 'image', 'series', 'count', 'type'),
    maxDepth: 4,
    values: [fc.integer(), fc.string(), fc.constant(null), fc.boolean(), fc.double()],
  });
  fc.assert(
    fc.property(fc.constantFrom(...DEFAULT_TABLES), odd, ({ resource, columns }, object) => {
      const values = columnValues(resource, object);
      assert.equal(values.length, columns.length);
      columns.forEach(({ type }, at) => {
        const value = values[at] ?? null;
        if (value === null) return;
        if (type === 'text[]') assert.ok(Array.isArray(value) && value.every((item) => typeof item === 'string'));
        else assert.equal(typeof value, type === 'integer' || type === 'timestamptz' ? 'number' : 'string');
      });
    }),
  );
});

test('a resource that is not known has the common columns only', () => {
  assert.deepEqual(tableFor('certificates.cert-manager.io', 'cert-manager.io', 'Certificate'), {
    resource: 'certificates.cert-manager.io',
    table: 'certificates_cert_manager_io',
    group: 'cert-manager.io',
    kind: 'Certificate',
    columns: [],
  });
  assert.deepEqual(columnValues('certificates.cert-manager.io', { spec: {} }), []);
});

test('no column is called like one that every table has', () => {
  const common = new Set([
    'cluster',
    'uid',
    'namespace',
    'name',
    'resource_version',
    'epoch',
    'created_at',
    'changed_at',
    'deleted_at',
    'object',
  ]);
  for (const { columns } of DEFAULT_TABLES) for (const { name } of columns) assert.ok(!common.has(name), name);
});
