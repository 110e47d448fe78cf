import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { identify, keyingOf } from '../../src/diff/merge-keys.ts';
import { linesOf } from './fixtures.ts';
import { json } from './random-objects.ts';
import type { ServerList } from './server-lists.ts';

const lists = linesOf<ServerList>('lists');

/** Fields that a list's elements have in common, whichever of them is its key. */
const USUAL = { name: 'same', type: 'same', key: 'same', uid: 'same', value: 'same' };

test("K1 the server's: every list that the API server merges by key is identified by the same key", () => {
  const merged = lists.filter(({ type }) => type === 'map');
  assert.ok(merged.length > 15);
  for (const { kind, path, keys } of merged) {
    const field = path.split('.').at(-1)?.replace('[*]', '') ?? '';
    // For each of the key's fields two elements that differ in it alone.
    for (const key of keys) {
      const common = { ...USUAL, ...Object.fromEntries(keys.map((name) => [name, 'same'])) };
      const list = [
        { ...common, [key]: 'one' },
        { ...common, [key]: 'other' },
      ];
      const keying = keyingOf(field, list, list);
      assert.equal(keying.by, 'fields', `${kind} ${path}`);
      assert.deepEqual(keying.by === 'fields' ? keying.fields.map(({ name }) => name) : [], keys, `${kind} ${path}`);
    }
  }
});

test("K1 the server's: every list that is a set is identified by its elements", () => {
  const sets = lists.filter(({ type }) => type === 'set');
  assert.ok(sets.length > 3);
  for (const { path } of sets) assert.deepEqual(keyingOf(path.split('.').at(-1) ?? '', ['a', 'b'], ['b']), { by: 'value' }, path);
});

test('K1 the server: absent fields count as their defaults', () => {
  const keying = keyingOf('ports', [{ port: 80 }], [{ port: 80, protocol: 'TCP' }]);
  assert.deepEqual(identify([{ port: 80 }, { port: 80, protocol: 'UDP' }], keying), ['80/TCP', '80/UDP']);
  assert.deepEqual(identify([{ containerPort: 80, name: 'http' }], keyingOf('ports', [], [{ containerPort: 80 }])), ['80/TCP']);
});

const KEYINGS: readonly [field: string, before: unknown[], after: unknown[], by: string, ids: string[]][] = [
  ['env', [{ name: 'A' }, { name: 'A' }, { name: 'A#2' }], [], 'name', ['A', 'A#2', 'A#2#2']],
  ['volumeMounts', [{ name: 'v', mountPath: '/a' }], [{ name: 'v', mountPath: '/b' }], 'mountPath', ['/a']],
  [
    'subjects',
    [
      { kind: 'User', name: 'eva' },
      { kind: 'ServiceAccount', namespace: 'shop', name: 'eva' },
    ],
    [],
    'kind/namespace/name',
    ['User/eva', 'ServiceAccount/shop/eva'],
  ],
  ['ingress', [{ hostname: 'a.example' }], [{ hostname: 'b.example' }], 'hostname', ['a.example']],
  // A NetworkPolicy's ingress is something else than a load balancer's.
  ['ingress', [{ from: [] }], [{ from: [] }, {}], 'position', ['0']],
  // Custom resources: by what looks like a key, if it is one.
  ['stages', [{ name: 'a' }, { name: 'b' }], [{ name: 'b' }], 'name', ['a', 'b']],
  ['stages', [{ name: 'a' }, { name: 'a' }], [{ name: 'b' }], 'position', ['0', '1']],
  ['stages', [{ name: 'a', type: 'x' }, { type: 'y' }], [], 'type', ['x', 'y']],
  ['stages', [{ key: 'k' }], [{ key: 'k', name: 'n' }], 'key', ['k']],
  ['stages', [{ weight: 1 }], [{ weight: 2 }], 'position', ['0']],
  ['args', ['-v', '-v', 3], ['-v'], 'value', ['-v', '-v#2', '3']],
  ['tolerations', [{ operator: 'Exists', key: 'a' }], [{ key: 'a', operator: 'Exists' }], 'value', ['{key:a,operator:Exists}']],
  // Elements without the key, or that are no objects at all.
  ['containers', [{ image: 'x' }], [{ name: 'a' }], 'position', ['0']],
  ['containers', [[], null], [{ name: 'a' }], 'position', ['0', '1']],
];

test('K1 the rest: by name, type or key if all have one of their own, scalars by value, else by position', () => {
  for (const [field, before, after, by, ids] of KEYINGS) {
    const keying = keyingOf(field, before, after);
    assert.equal(keying.by === 'fields' ? keying.fields.map(({ name }) => name).join('/') : keying.by, by, JSON.stringify([field, before]));
    assert.deepEqual(identify(before, keying), ids);
  }
});

test('K2 unique: no two elements of a list have the same id', () => {
  const field = fc.constantFrom('env', 'ports', 'tolerations', 'conditions', 'args', 'stages', 'subjects');
  fc.assert(
    fc.property(field, fc.array(json.value), fc.array(json.value), (name, before, after) => {
      const keying = keyingOf(name, before, after);
      for (const list of [before, after]) {
        const ids = identify(list, keying);
        assert.equal(new Set(ids).size, list.length);
      }
    }),
  );
});

test('K3 bounded: a hundred thousand elements with the same key take no longer than others', () => {
  const startedMs = performance.now();
  const names = Array.from({ length: 100_000 }, (_, at) => ({ name: at % 2 === 0 ? 'x' : `x#${at % 1000}` }));
  const ids = identify(names, keyingOf('env', names, names));
  assert.equal(new Set(ids).size, names.length);
  // Comparing each with each would take minutes.
  assert.ok(performance.now() - startedMs < 10_000);
});
