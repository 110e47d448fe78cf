import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesOf } from '../../src/diff/difference.ts';
import { isNoise } from '../../src/diff/noise.ts';
import { pathText } from '../../src/diff/path.ts';
import { changesIn } from './fixtures.ts';

/** The paths of what is of interest. */
function news(kind: string, before: unknown, after: unknown): string[] {
  return differencesOf(before, after)
    .filter((difference) => !isNoise(difference, kind))
    .map(({ path }) => pathText(path));
}

const meta = (fields: object): object => ({ metadata: { name: 'x', ...fields } });
const annotated = (name: string, value: string): object => meta({ annotations: { keep: 'me', [name]: value } });
const container = (fields: object): object => ({ status: { containerStatuses: [{ name: 'main', ...fields }] } });
const condition = (fields: object): object => ({ status: { conditions: [{ type: 'Ready', status: 'True', ...fields }] } });

const NOISE: readonly [what: string, kind: string, before: unknown, after: unknown][] = [
  ['a write', 'Pod', meta({ resourceVersion: '1', generation: 1 }), meta({ resourceVersion: '2', generation: 2 })],
  ['who wrote', 'Pod', meta({}), meta({ managedFields: [{ manager: 'kubelet', operation: 'Update' }] })],
  [
    'a revision number',
    'Deployment',
    annotated('deployment.kubernetes.io/revision', '1'),
    annotated('deployment.kubernetes.io/revision', '2'),
  ],
  ['a first revision number', 'Deployment', meta({}), meta({ annotations: { 'deployment.kubernetes.io/revision': '1' } })],
  [
    'what was applied',
    'Secret',
    meta({ annotations: { keep: 'me' } }),
    annotated('kubectl.kubernetes.io/last-applied-configuration', '{}'),
  ],
  [
    'leader election by annotation',
    'Endpoints',
    annotated('control-plane.alpha.kubernetes.io/leader', 'a'),
    annotated('control-plane.alpha.kubernetes.io/leader', 'b'),
  ],
  ['an empty map', 'Pod', meta({}), meta({ labels: {}, annotations: {} })],
  [
    'a renewed lease',
    'Lease',
    { spec: { holderIdentity: 'a', renewTime: '1' } },
    { spec: { holderIdentity: 'a', renewTime: '2', acquireTime: '1' } },
  ],
  ['an observed generation', 'Widget', { status: { observedGeneration: 1 } }, { status: { observedGeneration: 2 } }],
  [
    'a first status that says nothing',
    'Deployment',
    { status: {} },
    { status: { observedGeneration: 1, replicas: 0, conditions: [], ready: false } },
  ],
  [
    'a heartbeat',
    'Node',
    condition({ lastHeartbeatTime: '1', lastTransitionTime: '1' }),
    condition({ lastHeartbeatTime: '2', lastTransitionTime: '2', lastUpdateTime: '2' }),
  ],
  [
    'a heartbeat deep in a custom status',
    'Application',
    { status: { sync: { reconciledAt: '1' } } },
    { status: { sync: { reconciledAt: '2' } } },
  ],
  [
    'another order of conditions',
    'Pod',
    { status: { conditions: [{ type: 'A' }, { type: 'B' }] } },
    { status: { conditions: [{ type: 'B' }, { type: 'A' }] } },
  ],
  [
    'names of containers',
    'Pod',
    container({ containerID: 'a', state: { running: { startedAt: '1' } } }),
    container({ containerID: 'b', state: { running: { startedAt: '2' } } }),
  ],
  ['a digest that was filled in', 'Pod', container({ imageID: '' }), container({ imageID: 'sha256:1' })],
  ['a digest that was filled in later', 'Pod', container({}), container({ imageID: 'sha256:1' })],
  ['no last state, in two ways', 'Pod', container({}), container({ lastState: {} })],
  [
    'a countdown',
    'Pod',
    container({ state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } } }),
    container({ state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } } }),
  ],
  ["the node's address", 'Pod', { status: {} }, { status: { hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.1' }], startTime: '1' } }],
  [
    'a revision that was filled in',
    'StatefulSet',
    { status: {} },
    { status: { currentRevision: 'a', updateRevision: 'a', collisionCount: 0 } },
  ],
  [
    'an Event seen again',
    'Event',
    { series: { count: 2, lastObservedTime: '1' } },
    { series: { count: 2, lastObservedTime: '2' }, deprecatedLastTimestamp: '2' },
  ],
  ['pulled images', 'Node', { status: { images: [{ names: ['a'] }] } }, { status: { images: [] } }],
  [
    'a measurement',
    'HorizontalPodAutoscaler',
    { status: { currentMetrics: [{ type: 'a' }] } },
    { status: { currentMetrics: [{ type: 'b' }] } },
  ],
  [
    'null for nothing',
    'Deployment',
    { spec: { template: { metadata: { labels: {} } } } },
    { spec: { template: { metadata: { creationTimestamp: null } } } },
  ],
];

test('N1 alone: bookkeeping and heartbeats are noise, in both directions', () => {
  for (const [what, kind, before, after] of NOISE) {
    assert.ok(differencesOf(before, after).length > 0, what);
    assert.deepEqual(news(kind, before, after), [], what);
    const isFirst = what.includes('filled in');
    if (!isFirst) assert.deepEqual(news(kind, after, before), [], `${what}, backwards`);
  }
});

const NEWS: readonly [what: string, kind: string, before: unknown, after: unknown, paths: string[]][] = [
  ['a label beside noise', 'Pod', meta({ resourceVersion: '1' }), meta({ resourceVersion: '2', labels: { a: 'b' } }), ['metadata.labels']],
  // Who takes the hash off a pod takes it out of its ReplicaSet.
  [
    'the template hash of a pod',
    'Pod',
    meta({ labels: { 'pod-template-hash': '1' } }),
    meta({ labels: {} }),
    ['metadata.labels.pod-template-hash'],
  ],
  [
    'a lease of another holder',
    'Lease',
    { spec: { holderIdentity: 'a' } },
    { spec: { holderIdentity: 'b', renewTime: '2' } },
    ['spec.holderIdentity'],
  ],
  [
    'a field called as a heartbeat, in a spec',
    'Widget',
    { spec: { refreshTime: '1' } },
    { spec: { refreshTime: '2' } },
    ['spec.refreshTime'],
  ],
  ['a renewTime that is no lease', 'Widget', { spec: { renewTime: '1' } }, { spec: { renewTime: '2' } }, ['spec.renewTime']],
  ['a condition', 'Pod', condition({}), condition({ status: 'False', lastTransitionTime: '2' }), ['status.conditions[Ready].status']],
  ['a first condition', 'Pod', { status: {} }, condition({}), ['status.conditions']],
  [
    'another digest',
    'Pod',
    container({ imageID: 'sha256:1' }),
    container({ imageID: 'sha256:2' }),
    ['status.containerStatuses[main].imageID'],
  ],
  [
    'a container that runs',
    'Pod',
    container({ state: {} }),
    container({ state: { running: {} } }),
    ['status.containerStatuses[main].state.running'],
  ],
  [
    'a container that waits for something else',
    'Pod',
    container({ state: { waiting: { message: 'a 1' } } }),
    container({ state: { waiting: { message: 'b 1' } } }),
    ['status.containerStatuses[main].state.waiting.message'],
  ],
  ['a revision', 'StatefulSet', { status: { updateRevision: 'a' } }, { status: { updateRevision: 'b' } }, ['status.updateRevision']],
  ['a count', 'Event', { series: { count: 2, lastObservedTime: '1' } }, { series: { count: 3, lastObservedTime: '2' } }, ['series.count']],
  [
    'the order of containers',
    'Pod',
    { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
    { spec: { containers: [{ name: 'b' }, { name: 'a' }] } },
    ['spec.containers'],
  ],
  [
    'an insertion, but not the order that comes of it',
    'Pod',
    { spec: { args: ['a', 'b'] } },
    { spec: { args: ['x', 'a', 'b'] } },
    ['spec.args[x]'],
  ],
  [
    'an empty map that means something',
    'Pod',
    { spec: { volumes: [{ name: 'a' }] } },
    { spec: { volumes: [{ name: 'a', emptyDir: {} }] } },
    ['spec.volumes[a].emptyDir'],
  ],
  ['zero in a spec', 'Deployment', { spec: {} }, { spec: { replicas: 0, paused: false } }, ['spec.replicas', 'spec.paused']],
  ['a status that goes to zero', 'Deployment', { status: { readyReplicas: 1 } }, { status: {} }, ['status.readyReplicas']],
];

test('N1 alone: what happened is no noise, whatever lies beside it', () => {
  for (const [what, kind, before, after, paths] of NEWS) assert.deepEqual(news(kind, before, after), paths, what);
});

test('N2 in parts: a map that came with noise and news is no noise', () => {
  const noise = { 'deployment.kubernetes.io/revision': '1' };
  assert.deepEqual(news('Deployment', meta({}), meta({ annotations: noise })), []);
  assert.deepEqual(news('Deployment', meta({}), meta({ annotations: { ...noise, 'kubernetes.io/change-cause': 'x' } })), [
    'metadata.annotations',
  ]);
});

test('N1 alone: renewed leases and heartbeats of a real cluster are noise', () => {
  const renewals = changesIn('leases').filter(({ version }) => version.type === 'MODIFIED');
  const heartbeats = changesIn('nodes').filter(({ version }) => version.step === 'heartbeat');
  assert.ok(renewals.length >= 2 && heartbeats.length >= 1);
  for (const { before, after } of renewals) assert.deepEqual(news('Lease', before, after), []);
  for (const { before, after } of heartbeats) assert.deepEqual(news('Node', before, after), []);
});
