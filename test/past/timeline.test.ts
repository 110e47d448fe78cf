import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerTree, type Owned } from '../../src/past/owners.ts';
import type { RecordedChange } from '../../src/past/ports.ts';
import { timeline } from '../../src/past/timeline.ts';
import { change, T0 } from './versions.ts';

const TYPES = [
  { resource: 'pods', table: 'pods', group: '', kind: 'Pod', columns: [] },
  { resource: 'deployments', table: 'deployments', group: 'apps', kind: 'Deployment', columns: [] },
  { resource: 'events', table: 'events', group: 'events.k8s.io', kind: 'Event', columns: [] },
];
const WINDOW = { fromMs: T0, toMs: T0 + 20_000, width: 20 };

const pod = (name: string, phase: string) => ({
  kind: 'Pod',
  metadata: {
    uid: name,
    name,
    labels: { 'pod-template-hash': '7d9f' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web-7d9f', controller: true }],
  },
  status: { phase },
});
const at = (second: number, one: RecordedChange): RecordedChange => ({ ...one, changedAtMs: T0 + second * 1000 + 500 });
const of = (name: string, second: number, op: 'c' | 'u' | 'd', before: string | null, after: string): RecordedChange =>
  at(second, change(before === null ? null : pod(name, before), pod(name, after), { op, name, uid: name }));

test('objects lie under their owners; a ReplicaSet that is not recorded leads to its Deployment', () => {
  const rows = timeline([of('web-7d9f-a', 3, 'u', 'Pending', 'Running')], [], TYPES, WINDOW);
  assert.deepEqual(
    rows.map(({ depth, kind, name, resource }) => [depth, kind, name, resource]),
    [
      [0, 'Deployment', 'web', ''],
      [1, 'ReplicaSet', 'web-7d9f', ''],
      [2, 'Pod', 'web-7d9f-a', 'pods'],
    ],
  );
});

test('L2 seen: creation, change and deletion; before and after it there is nothing', () => {
  const bar = (changes: RecordedChange[]): string | undefined => timeline(changes, [], TYPES, WINDOW).at(-1)?.bar;
  assert.equal(
    bar([of('a', 3, 'c', null, 'Pending'), of('a', 6, 'u', 'Pending', 'Running'), of('a', 12, 'd', 'Running', 'Running')]),
    '   +──●─────✗       ',
  );
  assert.equal(bar([of('a', 12, 'd', 'Running', 'Running')]), '────────────✗       ');
  assert.equal(bar([of('a', 6, 'u', 'Pending', 'Running')]), '──────●─────────────');
  // Created anew after a deletion within the window; whatever the order in which they are given.
  assert.equal(bar([of('a', 9, 'c', null, 'Pending'), of('a', 4, 'd', 'Running', 'Running')]), '────✗    +──────────');
  // The weightiest of a cell shows.
  assert.equal(bar([of('a', 4, 'c', null, 'Pending'), of('a', 4, 'u', 'Pending', 'Running')]), '    +───────────────');
});

test('L1 honest: no line is drawn through time that nobody watched', () => {
  const gaps = [{ resource: 'pods', namespace: '', cause: 'expired', fromMs: T0 + 8_000, toMs: T0 + 11_900 }];
  const others = [
    { ...gaps[0], resource: 'services' },
    { ...gaps[0], fromMs: T0 - 9_000, toMs: T0 - 1_000 },
  ] as typeof gaps;
  const changes = [of('a', 6, 'u', 'Pending', 'Running'), of('a', 10, 'd', 'Running', 'Running')];
  assert.equal(timeline(changes, [...gaps, ...others], TYPES, WINDOW).at(-1)?.bar, '──────●─░░✗░        ');
});

test('warnings stand at what they are about; what changed nothing of interest is no row', () => {
  const warning = at(
    5,
    change(
      null,
      { kind: 'Event', type: 'Warning', reason: 'BackOff', note: 'restarting', regarding: { kind: 'Pod', name: 'a' } },
      { op: 'c', resource: 'events', name: 'a.1' },
    ),
  );
  const [row, ...others] = timeline(
    [warning, of('a', 3, 'c', null, 'Pending'), of('b', 3, 'u', 'Running', 'Running')],
    [],
    TYPES,
    WINDOW,
  ).filter(({ resource }) => resource === 'pods');
  assert.equal(row?.bar, '   +─!──────────────');
  assert.deepEqual(
    row?.warnings.map(({ text }) => text),
    ['BackOff: restarting'],
  );
  assert.deepEqual(others, []);
});

test('O1 total: every object is in the tree once, whatever its references say', () => {
  const item = (name: string, owner: string) => ({
    kind: 'X',
    name,
    object: { metadata: { ownerReferences: [{ kind: 'X', name: owner }] } },
  });
  const names = (nodes: readonly Owned<unknown>[]): string[] => nodes.flatMap(({ name, children }) => [name, ...names(children)]);
  // In a circle, and its own owner.
  const tree = ownerTree([item('a', 'b'), item('b', 'c'), item('c', 'a'), item('self', 'self')]);
  assert.deepEqual(names(tree).toSorted(), ['a', 'b', 'c', 'self']);
});
