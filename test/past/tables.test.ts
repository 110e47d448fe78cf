/** Tables of kinds: what a cluster without kubelets never shows. The usual is compared with kubectl in test/cli/past-pipeline.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableOfResource } from '../../src/past/tables/by-resource.ts';
import { RECORDED, versionsOf } from '../diff/fixtures.ts';
import type { ColumnValue } from '../../src/columns/table.ts';
import { podState } from '../../src/columns/pod.ts';
import { shownOf } from '../../src/past/tables/table.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');
const cells = (resource: string, object: object, wide = false): string[] => [
  ...tableOfResource(resource).row(shownOf(resource, object as never), NOW, wide),
];

const running = { running: { startedAt: '2026-11-20T09:00:00Z' } };
const status = (phase: string, containers: object[], more: object = {}) => ({ phase, containerStatuses: containers, ...more });
const pod = (of: object, spec: object = {}, metadata: object = {}) => ({
  metadata: { name: 'web', ...metadata },
  spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec },
  status: of,
});
const state = (object: object): string => {
  const { ready, total, reason, restarts } = podState(object as never);
  return `${ready}/${total} ${reason} ${restarts}`;
};

test('T1 pods: the status that kubectl makes of phase, containers, conditions and deletion', () => {
  const ended = (exitCode: number, more: object = {}) => ({ terminated: { exitCode, ...more } });
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
  const cases: [object, string][] = [
    [pod(status('Pending', [])), '0/2 Pending 0'],
    [
      pod(
        status('Running', [
          { ready: true, state: running, restartCount: 1 },
          { ready: true, state: running, restartCount: 2 },
        ]),
      ),
      '2/2 Running 3',
    ],
    [
      pod(
        status('Running', [
          { ready: true, state: running },
          { ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 4 },
        ]),
      ),
      '1/2 CrashLoopBackOff 4',
    ],
    [pod(status('Failed', [{ state: ended(1) }, { state: ended(137, { reason: 'OOMKilled' }) }])), '0/2 ExitCode:1 0'],
    [pod(status('Failed', [{ state: ended(137, { signal: 9 }) }])), '0/2 Signal:9 0'],
    [pod(status('Failed', [], { reason: 'Evicted' })), '0/2 Evicted 0'],
    [pod(status('Succeeded', [{ state: ended(0, { reason: 'Completed' }) }])), '0/2 Completed 0'],
    [pod(status('Running', [{ state: ended(0, { reason: 'Completed' }) }, { ready: true, state: running }], ready)), '1/2 Running 0'],
    [pod(status('Running', [{ state: ended(0, { reason: 'Completed' }) }, { ready: true, state: running }])), '1/2 NotReady 0'],
    [pod(status('Running', [{ state: ended(0, { reason: 'Completed' }) }, { state: ended(1, { reason: 'Error' }) }])), '0/2 Error 0'],
    [pod(status('Running', [{ ready: true, state: running }]), {}, { deletionTimestamp: '2026-11-20T09:59:00Z' }), '1/2 Terminating 0'],
    [
      pod(status('Succeeded', [{ state: ended(0, { reason: 'Completed' }) }]), {}, { deletionTimestamp: '2026-11-20T09:59:00Z' }),
      '0/2 Completed 0',
    ],
    [pod(status('Running', [], { reason: 'NodeLost' }), {}, { deletionTimestamp: '2026-11-20T09:59:00Z' }), '0/2 Unknown 0'],
    [pod(status('Pending', [], { conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] })), '0/2 SchedulingGated 0'],
  ];
  for (const [object, text] of cases) assert.equal(state(object), text);
});

test('T1 pods: init containers, and those that go on beside the others', () => {
  const init = (initContainers: object[], initContainerStatuses: object[], more: object = {}) =>
    pod(
      { phase: 'Pending', initContainerStatuses, containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }], ...more },
      { initContainers },
    );
  const two = [{ name: 'x' }, { name: 'y' }];
  const done = { state: { terminated: { exitCode: 0 } } };
  assert.equal(
    state(
      init(two, [
        { name: 'x', ...done },
        { name: 'y', state: { waiting: { reason: 'PodInitializing' } } },
      ]),
    ),
    '0/2 Init:1/2 0',
  );
  assert.equal(
    state(init(two, [{ name: 'x', state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 3 }])),
    '0/2 Init:CrashLoopBackOff 3',
  );
  assert.equal(state(init(two, [{ name: 'x', state: { terminated: { exitCode: 2, reason: 'Error' } } }])), '0/2 Init:Error 0');
  assert.equal(state(init(two, [{ name: 'x', state: { terminated: { exitCode: 2 } } }])), '0/2 Init:ExitCode:2 0');
  const sidecar = [{ name: 'x', restartPolicy: 'Always' }];
  assert.equal(state(init(sidecar, [{ name: 'x', state: running, started: true, ready: true, restartCount: 1 }])), '1/3 PodInitializing 1');
  assert.equal(state(init(sidecar, [{ name: 'x', state: running, started: false }])), '0/3 Init:0/1 0');
});

test('T1 pods: restarts say how long ago the last one was; -o wide has gates', () => {
  const restarted = { restartCount: 2, ready: true, state: running, lastState: { terminated: { finishedAt: '2026-11-20T09:55:00Z' } } };
  const object = pod(status('Running', [restarted], { podIPs: [{ ip: '10.1.2.3' }], conditions: [{ type: 'lb', status: 'True' }] }), {
    readinessGates: [{ conditionType: 'lb' }, { conditionType: 'other' }],
    nodeName: 'n1',
  });
  assert.deepEqual(cells('pods', object), ['web', '1/2', 'Running', '2 (5m ago)', '<unknown>', '10.1.2.3', 'n1', '<none>', '1/2']);
});

test('T1 services: external addresses by type', () => {
  const service = (spec: object, ingress: object[] = []) => ({ metadata: { name: 's' }, spec, status: { loadBalancer: { ingress } } });
  assert.equal(cells('services', service({ type: 'LoadBalancer' }))[3], '<pending>');
  const hosts = [{ hostname: 'b.elb.example.com' }, { ip: '1.2.3.4' }];
  assert.equal(cells('services', service({ type: 'LoadBalancer' }, hosts))[3], '1.2.3.4,b.elb...');
  assert.equal(
    cells('services', service({ type: 'LoadBalancer', externalIPs: ['9.9.9.9'] }, hosts), true)[3],
    '1.2.3.4,b.elb.example.com,9.9.9.9',
  );
  assert.equal(cells('services', service({ type: 'ExternalName', externalName: 'shop.example' }))[3], 'shop.example');
  assert.deepEqual(
    cells(
      'services',
      service({
        type: 'NodePort',
        clusterIPs: ['10.0.0.7'],
        ports: [
          { port: 80, nodePort: 30080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        selector: { b: '2', a: '1' },
      }),
    ).slice(1),
    ['NodePort', '10.0.0.7', '<none>', '80:30080/TCP,53/UDP', '<unknown>', 'a=1,b=2'],
  );
});

test('T2 what a table shows without -o wide, the columns of the store tell as well as the object', () => {
  let compared = 0;
  for (const resource of RECORDED) {
    const { columns, from, row } = tableOfResource(resource);
    if (from === null) continue;
    for (const { object } of versionsOf(resource)) {
      const whole = shownOf(resource, object);
      const values: Readonly<Record<string, ColumnValue>> = Object.fromEntries(from.map((name) => [name, whole.values[name] ?? null]));
      const narrow = (cells: readonly string[]): string[] => cells.filter((_, at) => columns[at]?.wide !== true);
      assert.deepEqual(narrow(row({ ...whole, values, object: null }, NOW, false)), narrow(row(whole, NOW, false)));
      compared += 1;
    }
  }
  assert.ok(compared > 50, `${compared} objects`);
});

test('other kinds have a name and an age; whatever an object holds, no table throws', () => {
  assert.deepEqual(cells('certificates.cert-manager.io', { metadata: { name: 'c', creationTimestamp: '2026-11-20T09:59:00Z' } }), [
    'c',
    '60s',
  ]);
  for (const resource of ['pods', 'services', 'deployments', 'statefulsets', 'configmaps', 'secrets', 'events', 'others'])
    for (const object of [
      {},
      { metadata: null, spec: 3, status: [] },
      { metadata: [], spec: { containers: 'x', ports: [null] }, status: { containerStatuses: [null, 4] } },
    ])
      assert.equal(cells(resource, object).length, tableOfResource(resource).columns.length);
});
