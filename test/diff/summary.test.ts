import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TOPICS } from '../../src/diff/change.ts';
import { changesOf } from '../../src/diff/changes.ts';
import { differencesOf } from '../../src/diff/difference.ts';
import { isNoise } from '../../src/diff/noise.ts';
import { summarise } from '../../src/diff/summary.ts';
import type { KubernetesObject } from '../../src/events/change.ts';
import { seeded } from '../support/workload.ts';
import { changesIn, RECORDED } from './fixtures.ts';
import { json, mutated, object } from './random-objects.ts';
import { makeNews, makeNoise } from './real-changes.ts';

const seed = fc.integer({ min: 0, max: 2 ** 31 });
const versions = RECORDED.flatMap((resource) => changesIn(resource).map(({ version }) => version.object));
const anyVersion = fc.nat(versions.length - 1).map((at) => versions[at] ?? {});
const CANARY = 'canary-7b1f';

/** What told.txt holds: each object's history as a person reads it. */
function told(): string {
  let text = '';
  for (const resource of RECORDED) {
    const histories = new Map<string, string[]>();
    for (const { version, before, after } of changesIn(resource)) {
      // Generated names end in what is new with every recording.
      const name = version.name.replace(/\.[0-9a-f]{10,}$/, '').replace(/-[a-z0-9]{20,}$/, '');
      histories.set(name, [...(histories.get(name) ?? []), `  ${version.step}: ${summarise(before, after)}`.trimEnd()]);
    }
    for (const [name, lines] of histories) text += `${resource}/${name}\n${lines.join('\n')}\n\n`;
  }
  return text;
}

describe('the summary of a change', () => {
  it('of every change of the recorded objects is what told.txt says', () => {
    assert.equal(told().trimEnd(), readFileSync(new URL('told.txt', import.meta.url), 'utf8').trimEnd());
  });

  it('is the one of the example', () => {
    const deployment = (image: string, replicas: number, env: object[]): KubernetesObject => ({
      kind: 'Deployment',
      spec: { replicas, template: { spec: { containers: [{ name: 'main', image: `registry.example/checkout:${image}`, env }] } } },
    });
    assert.equal(
      summarise(deployment('v42', 3, []), deployment('v43', 5, [{ name: 'FEATURE_X', value: 'on' }])),
      'image v42 → v43; replicas 3 → 5; +env FEATURE_X',
    );
    const pod = (restartCount: number, ready: boolean): KubernetesObject => ({
      kind: 'Pod',
      spec: { containers: [{ name: 'main' }] },
      status: {
        containerStatuses: [{ name: 'main', ready, restartCount, lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }],
      },
    });
    assert.equal(summarise(pod(2, false), pod(3, true)), 'not ready → ready; restarts 2 → 3 (OOMKilled)');
  });

  it('Z1 empty: noise alone is no change, however much of it', () => {
    fc.assert(
      fc.property(anyVersion, seed, fc.integer({ min: 1, max: 8 }), (before, from, count) => {
        const after = makeNoise(before, seeded(from), count);
        assert.notDeepEqual(after, before);
        assert.deepEqual(changesOf(before, after), []);
        assert.equal(summarise(after, before), '');
      }),
      { numRuns: 500 },
    );
  });

  it('Z1 empty: what happened is told, however much noise is around it', () => {
    fc.assert(
      fc.property(anyVersion, seed, fc.integer({ min: 0, max: 8 }), (before, from, count) => {
        const random = seeded(from);
        const { object: changed, what } = makeNews(before, random);
        const after = makeNoise(changed, random, count);
        assert.notEqual(summarise(before, after), '', what);
        assert.notEqual(summarise(after, before), '', what);
      }),
      { numRuns: 1000 },
    );
  });

  it('Z1 empty: of any JSON, if and only if all that differs is noise', () => {
    fc.assert(
      fc.property(object, seed, (before, from) => {
        const after = mutated(before, from);
        if (typeof after !== 'object' || after === null || Array.isArray(after)) return;
        const kind =
          typeof after['kind'] === 'string' && after['kind'] !== ''
            ? after['kind']
            : typeof before['kind'] === 'string'
              ? before['kind']
              : '';
        const isEmpty = differencesOf(before, after).every((difference) => isNoise(difference, kind));
        assert.equal(summarise(before, after) === '', isEmpty, JSON.stringify([before, after]));
        assert.equal(summarise(before, structuredClone(before)), '');
      }),
      { numRuns: 1000 },
    );
  });

  it('Z2 ranked: the important comes first', () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, (before, after) => {
        const ranks = changesOf(before, after).map(({ topic }) => TOPICS.indexOf(topic));
        assert.deepEqual(
          ranks,
          ranks.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it('Z3 total, L1 one line: any JSON has a summary, not longer than asked for and without control characters', () => {
    fc.assert(
      fc.property(object, json.fields, seed, fc.integer({ min: 1, max: 300 }), (before, other, from, maxLength) => {
        for (const after of [mutated(before, from), other, null, { ...other, kind: before['kind'] }]) {
          if (after !== null && (typeof after !== 'object' || Array.isArray(after))) continue;
          for (const line of [summarise(before, after, { maxLength }), summarise(after, before, { maxLength })]) {
            assert.ok(line.length <= maxLength, line);
            assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
            assert.ok(line.isWellFormed());
          }
          for (const { words } of changesOf(before, after)) assert.doesNotMatch(words, /^$|[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('Z3 total: depth and size do not matter', () => {
    let deep: unknown = 1;
    for (let at = 0; at < 100_000; at += 1) deep = at % 2 === 0 ? { deep } : [deep];
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, at]));
    for (const kind of ['Pod', 'Secret', 'ConfigMap', 'Service', 'Event', 'Deployment']) {
      for (const inner of [deep, wide, Object.values(wide)]) {
        for (const field of ['spec', 'status', 'metadata', 'data']) {
          const [before, after] = [
            { kind, [field]: { x: 1 } },
            { kind, [field]: inner },
          ];
          assert.ok(summarise(before, after).length > 0);
          assert.ok(summarise(after, before).length <= 240);
          assert.ok(summarise(null, after).length <= 240);
        }
      }
    }
  });

  it('Z4 secret: nothing below the data of a Secret is in any of it, wherever it lies and whatever its form', () => {
    const hidden = fc.oneof(
      fc.constant(CANARY),
      fc.constant({ password: CANARY }),
      fc.constant([CANARY, { deep: [CANARY] }]),
      json.value.map((value) => ({ password: `${CANARY}${JSON.stringify(value).slice(0, 10)}`, list: [CANARY] })),
    );
    const secret = fc
      .tuple(fc.constantFrom('data', 'stringData'), hidden, json.fields)
      .map(([field, value, rest]) => ({ ...rest, kind: 'Secret', [field]: value }));
    const embedded = fc
      .tuple(secret, object, fc.constantFrom('spec', 'status', 'items', 'sources', 'containers'))
      .map(([inner, outer, field]) => ({
        ...outer,
        [field]: field === 'spec' ? { template: inner } : [inner],
      }));
    const list = secret.map((inner) => ({ kind: 'SecretList', items: [{ data: inner['data'], stringData: inner['stringData'] }] }));
    let shown = 0;
    fc.assert(
      fc.property(fc.oneof(secret, embedded, list), fc.oneof(secret, embedded, list), seed, (before, other, from) => {
        for (const after of [mutateValues(before, from), other, null]) {
          for (const [a, b] of [
            [before, after],
            [after, before],
          ] as const) {
            const out = JSON.stringify([changesOf(a, b), summarise(a, b, { maxLength: 5000 })]);
            assert.ok(!out.includes(CANARY), out.slice(0, 500));
            if (out.includes('*** (after)')) shown += 1;
          }
        }
      }),
      { numRuns: 1000 },
    );
    // That it changed was visible.
    assert.ok(shown > 100);
  });
});

/** Other values in the same places: where the mark `kind: Secret` stays, nothing moves out from under it. */
function mutateValues<T>(value: T, from: number): T {
  const random = seeded(from);
  const copy = structuredClone(value);
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [field, inner] of Object.entries(node)) {
      if (typeof inner === 'object') walk(inner);
      else if (field !== 'kind' && typeof inner === 'string' && random() < 0.5)
        Object.defineProperty(node, field, { value: `${CANARY}-${random()}`, enumerable: true, configurable: true, writable: true });
    }
  };
  // Only below the data: elsewhere the canary would be no secret.
  const find = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [field, inner] of Object.entries(node)) {
      const { kind } = node as { kind?: unknown };
      if ((kind === 'Secret' && (field === 'data' || field === 'stringData')) || (kind === 'SecretList' && field === 'items')) {
        if (typeof inner === 'string') (node as { [field: string]: unknown })[field] = `${CANARY}-${random()}`;
        else walk(inner);
      } else find(inner);
    }
  };
  find(copy);
  return copy;
}
