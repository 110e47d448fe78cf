/** What the recorded objects do not show: one case for each phrase, and the odd ones. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { summarise } from '../../src/diff/summary.ts';
import { imageChangeText, imageText } from '../../src/diff/words/image.ts';
import { looksSecret } from '../../src/diff/words/sensitive.ts';
import { arrow, cut, listed, oneLine, said, short } from '../../src/diff/words/value.ts';

type Json = { readonly [field: string]: unknown };
type Case = readonly [before: Json, after: Json, summary: string];

function hold(cases: readonly Case[]): void {
  for (const [before, after, summary] of cases)
    assert.equal(summarise(plain(before), plain(after)), summary, JSON.stringify([before, after]));
}

/** As it comes out of JSON. */
const plain = (value: Json): Json => JSON.parse(JSON.stringify(value)) as Json;
const pod = (status: Json, spec: Json = { containers: [{ name: 'main' }] }): Json => ({ kind: 'Pod', spec, status });
const one = (status: Json): Json => pod({ containerStatuses: [{ name: 'main', ...status }] });
const template = (...containers: Json[]): Json => ({ kind: 'Deployment', spec: { template: { spec: { containers } } } });
const main = (fields: Json): Json => template({ name: 'main', ...fields });
const env = (...variables: Json[]): Json => main({ env: variables });
const redacted = (bytes: number, hmac: string): Json => ({ redacted: true, bytes, hmac });
const meta = (metadata: Json): Json => ({ kind: 'Widget', metadata });
const config = (data: unknown): Json => ({ kind: 'ConfigMap', data });
const secret = (data: unknown, more: Json = {}): Json => ({ kind: 'Secret', data, ...more });
const ready = (status: string, more: Json = {}): Json => ({ kind: 'Widget', status: { conditions: [{ type: 'Ready', status, ...more }] } });

describe('words', () => {
  it('of pods', () => {
    hold([
      [
        one({ imageID: 'a@sha256:1111111111112' }),
        one({ imageID: 'a@sha256:2222222222223' }),
        'image pulled anew sha256:111111111111 → sha256:222222222222',
      ],
      [one({ image: 'r/a:1' }), one({ image: 'r/a:2', imageID: 'x' }), 'now runs 1 → 2'],
      [one({ state: { running: {} } }), one({ state: { terminated: { exitCode: 3, reason: 'Error' } } }), 'Error exit 3'],
      [one({ state: { running: {} } }), one({ state: { terminated: { exitCode: 0, reason: 'Completed' } } }), 'completed'],
      [
        one({ state: { terminated: { signal: 9 } } }),
        one({ state: { running: {} }, restartCount: 1 }),
        'signal 9 → running; restarts 0 → 1',
      ],
      [
        one({ state: { waiting: { reason: 'ErrImagePull' } } }),
        one({ state: { waiting: { reason: 'ImagePullBackOff' } } }),
        'ImagePullBackOff',
      ],
      [
        one({ state: { waiting: { reason: 'ErrImagePull', message: 'a' } } }),
        one({ state: { waiting: { reason: 'ErrImagePull', message: 'forbidden' } } }),
        'ErrImagePull: forbidden',
      ],
      [one({ state: { waiting: { reason: 'PodInitializing' } } }), one({ state: { running: {} } }), 'running'],
      [one({ started: false }), one({ started: true }), 'started'],
      [
        one({ lastState: { terminated: { exitCode: 1 } } }),
        one({ lastState: { terminated: { exitCode: 2 } } }),
        'status.containerStatuses[main].lastState.terminated.exitCode 1 → 2',
      ],
      [one({ resources: { limits: { cpu: '1' } } }), one({ resources: { limits: { cpu: '2' } } }), 'applied: cpu limit 1 → 2'],
      [pod({ podIP: '10.0.0.1' }), pod({}), 'IP 10.0.0.1 released'],
      [pod({ podIP: '10.0.0.1' }), pod({ podIP: '10.0.0.2' }), 'IP 10.0.0.1 → 10.0.0.2'],
      [pod({ podIPs: [{ ip: '10.0.0.1' }] }), pod({ podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }), '+IP fd00::1'],
      [pod({ phase: 'Running' }), pod({ phase: 'Failed' }), 'Running → Failed'],
      [pod({}), pod({ reason: 'NodeLost' }), 'NodeLost'],
      [pod({}), pod({ nominatedNodeName: 'n1' }), '+status.nominatedNodeName n1'],
      [
        pod({ conditions: [{ type: 'Initialized', status: 'False' }] }),
        pod({ conditions: [{ type: 'Initialized', status: 'True' }] }),
        'Initialized False → True',
      ],
      [
        pod({}),
        pod({ conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }] }),
        'DisruptionTarget True (EvictionByEvictionAPI)',
      ],
      // A readiness gate: all containers are ready, and the pod is not.
      [
        pod({ containerStatuses: [{ name: 'main', ready: true }], conditions: [{ type: 'Ready', status: 'False' }] }),
        pod({ containerStatuses: [{ name: 'main', ready: true }], conditions: [{ type: 'Ready', status: 'True' }] }),
        'not ready → ready',
      ],
    ]);
  });

  it('of pod templates, whatever has them', () => {
    hold([
      [main({ image: 'a:1' }), main({ image: 'a:2' }), 'image 1 → 2'],
      [
        template({ name: 'a', image: 'a:1' }, { name: 'b', image: 'b:1' }),
        template({ name: 'a', image: 'a:2' }, { name: 'b', image: 'b:2' }),
        'a: image 1 → 2; b: image 1 → 2',
      ],
      [main({}), main({ resources: { limits: { memory: '1Gi' } } }), '+memory limit 1Gi'],
      [main({ resources: { requests: { cpu: '1' } } }), main({ resources: {} }), '-cpu request 1'],
      [main({ resources: {} }), main({ resources: { claims: [{ name: 'gpu' }] } }), '+resources.claims'],
      [main({ ports: [{ containerPort: 80 }] }), main({ ports: [{ containerPort: 81, protocol: 'UDP' }] }), '-port 80/TCP; +port 81/UDP'],
      [main({}), main({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }), '+mount /v'],
      [main({ livenessProbe: {} }), main({}), '-liveness probe'],
      [main({ args: ['-v', '-q'] }), main({ args: ['-v', '-x'] }), 'args --q +-x'],
      [main({ args: ['-v', '-q'] }), main({ args: ['-q', '-v'] }), 'args reordered'],
      [main({ securityContext: { runAsUser: 0 } }), main({ securityContext: { runAsUser: 1000 } }), 'securityContext.runAsUser 0 → 1000'],
      [main({}), template({ name: 'main' }, { name: 'proxy', image: 'r/proxy:v1' }), '+container proxy (proxy:v1)'],
      [template({ name: 'main' }, { name: 'b' }), template({ name: 'b' }, { name: 'main' }), 'containers reordered'],
      [
        { kind: 'Rollout', spec: { template: { spec: { initContainers: [{ name: 'a', image: 'x:1' }] } } } },
        { kind: 'Rollout', spec: { template: { spec: {} } } },
        '-init container a (x:1)',
      ],
      [
        { kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'x:1' }] } } } } } },
        { kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'x:2' }] } } } } } },
        'image 1 → 2',
      ],
      [
        { kind: 'Deployment', spec: { template: { spec: { volumes: [{ name: 'v', configMap: { name: 'a' } }] } } } },
        { kind: 'Deployment', spec: { template: { spec: { volumes: [{ name: 'v', configMap: { name: 'b' } }] } } } },
        'volume v configMap.name a → b',
      ],
      [
        { kind: 'Deployment', spec: { template: { metadata: { labels: { a: '1' } } } } },
        {
          kind: 'Deployment',
          spec: { template: { metadata: { labels: { a: '2' }, annotations: { 'checksum/config': 'f'.repeat(64) } } } },
        },
        'pod label a 1 → 2; +pod annotation checksum/config',
      ],
    ]);
  });

  it('of environment variables: values only if short, and nothing like a password', () => {
    hold([
      [env({ name: 'A', value: '1' }), env({ name: 'A', value: '2' }), 'env A 1 → 2'],
      [env({ name: 'A', value: 'x'.repeat(80) }), env({ name: 'A', value: '2' }), 'env A changed'],
      [env({ name: 'DB_PASSWORD', value: '1' }), env({ name: 'DB_PASSWORD', value: '2' }), 'env DB_PASSWORD changed'],
      [env({ name: 'URL', value: 'postgres://a:b@c/d' }), env({ name: 'URL', value: 'postgres://c/d' }), 'env URL changed'],
      [env({ name: 'A', value: redacted(12, 'a') }), env({ name: 'A', value: redacted(14, 'b') }), 'env A (12 → 14 bytes)'],
      [env({ name: 'A', value: 'x' }), env({ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'pw' } } }), 'env A → secret db/pw'],
      [env({ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }), env({ name: 'A', value: 'x' }), 'env A → a value'],
      [
        env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'a' } } }),
        env({ name: 'A', valueFrom: { fieldRef: { fieldPath: 'b' } } }),
        'env A source changed',
      ],
      [env(), env(...'ABCDEFG'.split('').map((name) => ({ name }))), '+env A, B, C, D and 3 more'],
      [main({}), env({ name: 'A' }), '+env A'],
      [env({ name: 'A' }, { name: 'B' }), env({ name: 'B' }, { name: 'A' }), 'env reordered'],
    ]);
  });

  it('of images: by tag where the repository stays, digests short', () => {
    assert.equal(imageChangeText('registry:5000/shop/app:v1', 'registry:5000/shop/app:v2'), 'v1 → v2');
    assert.equal(imageChangeText('app', 'app:v2'), 'latest → v2');
    assert.equal(imageChangeText('nginx:1.25', 'httpd:2.4'), 'nginx:1.25 → httpd:2.4');
    assert.equal(imageChangeText('a.example/app:v1', 'b.example/app:v1'), 'a.example/app:v1 → b.example/app:v1');
    assert.equal(
      imageChangeText(`app@sha256:${'1'.repeat(64)}`, `app@sha256:${'2'.repeat(64)}`),
      '@sha256:111111111111 → @sha256:222222222222',
    );
    // They differ where it is not shown.
    assert.equal(imageChangeText(`app@sha256:${'1'.repeat(63)}2`, `app@sha256:${'1'.repeat(63)}3`), 'changed');
    assert.equal(imageText('registry:5000/shop/app'), 'app');
    assert.equal(imageText('registry:5000/shop/app:v1@sha256:0123456789abcdef'), 'app:v1@sha256:0123456789ab');
  });

  it('of metadata', () => {
    hold([
      [
        meta({ labels: { a: '1', b: '2', c: '3' } }),
        meta({ labels: { a: '2', d: '4', e: '' } }),
        '+labels d=4, e; -labels b, c; label a 1 → 2',
      ],
      [meta({}), meta({ finalizers: ['example.org/keep'] }), '+finalizer example.org/keep'],
      [meta({ finalizers: ['a', 'b'] }), meta({ finalizers: ['b'] }), '-finalizer a'],
      [meta({}), meta({ ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1', uid: 'u' }] }), '+owner ReplicaSet/web-1'],
      [
        meta({ ownerReferences: [{ uid: 'u', controller: false }] }),
        meta({ ownerReferences: [{ uid: 'u', controller: true }] }),
        'metadata.ownerReferences[u].controller false → true',
      ],
      [meta({ uid: 'a' }), { ...meta({ uid: 'b' }), spec: { replicas: 2 } }, 'recreated: replicas 2'],
      [meta({}), meta({ deletionTimestamp: 'x', deletionGracePeriodSeconds: 30 }), 'deletion begun (30 s grace)'],
      [meta({ annotations: { a: 'x'.repeat(100) } }), meta({ annotations: { a: 'y'.repeat(100) } }), 'annotation a changed'],
    ]);
  });

  it('of ConfigMaps, redacted and in clear', () => {
    hold([
      [config({ a: redacted(312, 'x') }), config({ a: redacted(340, 'y') }), '~a (312 → 340 bytes)'],
      [config({ a: 'info' }), config({ a: 'debug' }), '~a info → debug'],
      [config({ a: 'a\nb\nc' }), config({ a: 'a\nX\nc\nd' }), '~a (+2 -1 lines)'],
      [config({ a: 'a\nb' }), config({ a: 'b\na' }), '~a (lines reordered)'],
      [config({ a: 'x'.repeat(100) }), config({ a: 'y'.repeat(99) }), '~a (100 → 99 bytes)'],
      [config({ 'db.password': 'one' }), config({ 'db.password': 'another' }), '~db.password (3 → 7 bytes)'],
      [config(undefined), config({ b: '', c: 'xy' }), '+b (0 bytes), c (2 bytes)'],
      [config({ a: 'one two' }), config({ a: 'one  two' }), '~a one two → "one two"'],
    ]);
  });

  it('of Secrets: never a value, even where it is in clear', () => {
    hold([
      [secret({ a: 'b25l' }), secret({ a: 'dHdv' }), '~a *** (before) → *** (after)'],
      [secret({ a: redacted(3, 'x') }), secret({ a: redacted(3, 'y') }), '~a *** (before) → *** (after)'],
      [secret({ a: 'b25l' }), secret({ b: 'b25l' }), '+b *** (after); -a'],
      [secret(undefined), secret({ a: 'b25l', b: 'b25l' }), '+a *** (after), b *** (after)'],
      [secret({}, { type: 'a' }), secret({}, { type: 'b' }), 'type a → b'],
      [secret({ a: 'b25l' }), secret('canary'), 'data *** (before) → *** (after)'],
    ]);
    assert.equal(summarise(null, secret({ a: 'b25l' }, { type: 'kubernetes.io/tls' })), 'created: kubernetes.io/tls, key a');
  });

  it('of Services', () => {
    const service = (spec: Json, status: Json = {}): Json => ({ kind: 'Service', spec, status });
    hold([
      [service({ ports: [{ port: 80 }] }), service({ ports: [{ port: 80 }, { port: 80, protocol: 'UDP' }] }), '+port 80/UDP'],
      [
        service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }),
        service({ clusterIP: 'None', clusterIPs: ['None'] }),
        'clusterIP 10.0.0.1 → None',
      ],
      [
        service({ ports: [{ port: 80, targetPort: 1, appProtocol: 'a' }] }),
        service({ ports: [{ port: 80, targetPort: 2, appProtocol: 'b' }] }),
        'port 80/TCP targetPort 1 → 2, appProtocol a → b',
      ],
      [service({}), service({}, { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } }), '+external name lb.example'],
      [service({ selector: { a: '1' } }), service({}), '-selector a'],
    ]);
    assert.equal(
      summarise(null, service({ type: 'ClusterIP', clusterIP: 'None', ports: [{ port: 1 }, { port: 2 }] })),
      'created: headless, ports 1/TCP, 2/TCP',
    );
    assert.equal(summarise(null, service({ type: 'ExternalName', externalName: 'a.example' })), 'created: ExternalName, a.example');
  });

  it('of conditions and whatever else custom resources have', () => {
    hold([
      [ready('False'), ready('True', { reason: 'Issued' }), 'Ready False → True (Issued)'],
      [ready('False', { reason: 'A' }), ready('False', { reason: 'B' }), 'Ready A → B'],
      [ready('False', { message: 'a' }), ready('False', { message: 'issuer\nnot found' }), 'Ready: issuer not found'],
      [ready('True'), { kind: 'Widget', status: { conditions: [] } }, '-Ready True'],
      [{ spec: { a: { b: 1 } } }, { spec: { a: { b: 2, c: 'x' } } }, 'spec.a.b 1 → 2; +spec.a.c x'],
      [{ spec: { on: true } }, { spec: {} }, '-spec.on true'],
      [{ spec: { list: [1, 2] } }, { spec: { list: [3, 2] } }, 'spec.list -1 +3'],
      [{ spec: { a: 'x'.repeat(100) } }, { spec: { a: 'y' } }, 'spec.a changed'],
      [{ a: '' }, { a: ' ' }, 'a "" → " "'],
      [{ status: { phase: 'Pending' } }, { status: { phase: 'Bound' } }, 'status.phase Pending → Bound'],
      [{ apiVersion: 'a/v1' }, { apiVersion: 'a/v2' }, 'apiVersion a/v1 → a/v2'],
      [
        { kind: 'DaemonSet', status: { desiredNumberScheduled: 3, numberReady: 1 } },
        { kind: 'DaemonSet', status: { desiredNumberScheduled: 3, numberReady: 2 } },
        'ready 1/3 → 2/3',
      ],
      [{ kind: 'Event', reason: 'A', note: 'x' }, { kind: 'Event', reason: 'A', note: 'y' }, 'A: y'],
      [{ kind: 'Event', reason: 'A', message: 'x', count: 1 }, { kind: 'Event', reason: 'A', message: 'x', count: 4 }, 'A ×1 → ×4: x'],
    ]);
  });

  it('of what came and went', () => {
    assert.equal(summarise(null, null), '');
    assert.equal(summarise(null, { kind: 'Widget' }), 'created');
    assert.equal(summarise(null, { kind: 'Widget' }, { how: 'first seen' }), 'first seen');
    assert.equal(
      summarise(null, pod({ phase: 'Running' }, { nodeName: 'n1', containers: [{ image: 'r/a:1' }, { image: 'r/b:2' }] })),
      'created: images a:1, b:2, Running, on n1',
    );
    assert.equal(summarise(null, config({ a: '1' })), 'created: key a');
    assert.equal(summarise(null, config(undefined)), 'created: no keys');
    assert.equal(summarise(pod({ phase: 'Running' }), null), 'deleted (was Running)');
    assert.equal(summarise({ kind: 'Pod', metadata: { name: 'x' } }, null), 'deleted');
    assert.equal(
      summarise(null, { kind: 'Event', type: 'Warning', reason: 'A', message: 'm', count: 3, involvedObject: { kind: 'Pod', name: 'p' } }),
      'Warning A Pod/p ×3: m',
    );
  });

  it('guess what is a secret from names and forms', () => {
    for (const name of ['PASSWORD', 'db.password', 'API_KEY', 'GITHUB_TOKEN', 'client-secret', 'AWS_SECRET_ACCESS_KEY', 'SENTRY_DSN'])
      assert.ok(looksSecret(name, 'x'), name);
    for (const name of ['REGION', 'LOG_LEVEL', 'KEYSPACE', 'MONKEY', 'PASSES']) assert.ok(!looksSecret(name, 'x'), name);
    for (const value of ['https://me:pw@host/', '-----BEGIN PRIVATE KEY-----', 'eyJhbGciOiJIUzI1NiJ9.e30.x', 'AKIAIOSFODNN7EXAMPLEa'])
      assert.ok(looksSecret('A', value), value);
    for (const value of ['https://host:80/a@b', 'registry.example/app:v1', 'a-long-name-of-some-service', '8080'])
      assert.ok(!looksSecret('A', value), value);
  });
});

describe('values', () => {
  it('T1 one line: no control character, nothing that turns text around', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        assert.doesNotMatch(said(text, 40), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/),
      ),
    );
    assert.equal(oneLine(' a\r\n\tb\u001b[31m\u202ec '), 'a b [31m c');
  });

  it('T2 short: never longer than asked for, and well-formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.nat(20), (text, max) => {
        const shown = cut(text, max + 1);
        assert.ok(shown.length <= max + 1 && shown.isWellFormed());
      }),
    );
    assert.equal(cut('ab\ud83d\ude00', 4), 'ab\ud83d\ude00');
    assert.equal(cut('ab\ud83d\ude00c', 4), 'ab…');
  });

  it('are said in full if they are short', () => {
    assert.deepEqual(['', 'a b', 3, false, null, [1, 'a'], {}, 'x'.repeat(49), [[1]]].map(short), [
      '""',
      'a b',
      '3',
      'false',
      'null',
      '[1, a]',
      undefined,
      undefined,
      undefined,
    ]);
    assert.equal(arrow(1, '1'), 'changed');
    assert.equal(arrow({}, 1), 'changed');
    assert.equal(listed(['a', 'b', 'c'], 1), 'a and 2 more');
    assert.equal(listed(['a', 'b'], 1), 'a, b');
  });
});
