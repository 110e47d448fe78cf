import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { factsOf } from '../../src/capture/facts.ts';
import { projectionOf } from '../../src/capture/projection.ts';
import type { Projection } from '../../src/events/state.ts';

const of = (kind: string, before: Projection, after: Projection) =>
  factsOf(kind, before, after).map(({ type, detail }) => ({ type, ...detail }));

test('a rollout and a scaling are facts of their own; readiness is none', () => {
  const before: Projection = { replicas: 3, ready: '3/3', images: ['app:v1', 'proxy:v7'] };
  assert.deepEqual(of('Deployment', before, { ...before, images: ['app:v2', 'proxy:v7'], replicas: 5 }), [
    { type: 'deployment.image-changed', from: ['app:v1', 'proxy:v7'], to: ['app:v2', 'proxy:v7'] },
    { type: 'deployment.scaled', from: 3, to: 5 },
  ]);
  assert.deepEqual(of('StatefulSet', before, { ...before, ready: '2/3' }), []);
});

test('a restart names why the container had ended; a crash loop and a failure are told once', () => {
  const running: Projection = { phase: 'Running', ready: '1/1', restarts: 0, images: ['a'] };
  const killed: Projection = { ...running, ready: '0/1', restarts: 1, reason: 'CrashLoopBackOff', terminated: 'OOMKilled' };
  assert.deepEqual(of('Pod', running, killed), [
    { type: 'pod.restarted', from: 0, to: 1, reason: 'OOMKilled' },
    { type: 'pod.crash-looping', restarts: 1, reason: 'OOMKilled' },
  ]);
  assert.deepEqual(of('Pod', killed, { ...killed, node: 'n' }), []);
  assert.deepEqual(of('Pod', running, { ...running, phase: 'Failed', reason: 'Evicted', node: 'node-1' }), [
    { type: 'pod.failed', reason: 'Evicted', node: 'node-1' },
  ]);
});

test('F2 silent: values that differ are named by their keys', () => {
  const facts = of('Secret', { values: { a: 'hmac-1', b: 'hmac-2', c: 'hmac-3' } }, { values: { b: 'hmac-9', c: 'hmac-3', d: 'hmac-4' } });
  assert.deepEqual(facts, [{ type: 'secret.changed', added: ['d'], removed: ['a'], changed: ['b'] }]);
  assert.doesNotMatch(JSON.stringify(facts), /hmac/);
});

test('F1 derived: equal projections give no fact, of whatever kind', () => {
  const projection = fc.record(
    {
      phase: fc.string(),
      restarts: fc.nat(),
      reason: fc.string(),
      images: fc.array(fc.string()),
      replicas: fc.nat(),
      values: fc.dictionary(fc.string(), fc.string()),
    },
    { requiredKeys: [] },
  );
  const kind = fc.constantFrom('Pod', 'Deployment', 'StatefulSet', 'ConfigMap', 'Secret', 'Service', 'Certificate');
  fc.assert(fc.property(kind, projection, (one, same) => assert.deepEqual(factsOf(one, same, structuredClone(same)), [])));
});

test('the projection of a pod tells why its container had ended, of several the last', () => {
  const ended = (reason: string, finishedAt: string) => ({ restartCount: 1, lastState: { terminated: { reason, finishedAt } } });
  const pod = {
    spec: { containers: [{ image: 'a' }, { image: 'b' }] },
    status: {
      containerStatuses: [ended('OOMKilled', '2026-01-01T00:00:09Z'), ended('Error', '2026-01-01T00:00:03Z'), { restartCount: 0 }],
    },
  };
  assert.equal(projectionOf('Pod', pod).terminated, 'OOMKilled');
  assert.equal(projectionOf('Pod', { ...pod, status: {} }).terminated, undefined);
});
