/** Random objects in the shape of Kubernetes' own, with everything odd that JSON allows, and random changes to them. */
import fc from 'fast-check';
import { seeded } from '../support/workload.ts';

type Json = { [field: string]: unknown };

/** Fields that the product knows, and names that every JavaScript object has. */
const NAMES = [
  'kind',
  'metadata',
  'spec',
  'status',
  'data',
  'stringData',
  'binaryData',
  'items',
  'template',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'deletionTimestamp',
  'uid',
  'containers',
  'initContainers',
  'volumes',
  'image',
  'env',
  'ports',
  'resources',
  'limits',
  'requests',
  'volumeMounts',
  'readinessProbe',
  'args',
  'value',
  'valueFrom',
  'conditions',
  'containerStatuses',
  'state',
  'waiting',
  'terminated',
  'running',
  'lastState',
  'restartCount',
  'ready',
  'reason',
  'message',
  'phase',
  'podIP',
  'podIPs',
  'nodeName',
  'replicas',
  'readyReplicas',
  'updatedReplicas',
  'currentRevision',
  'paused',
  'strategy',
  'selector',
  'matchLabels',
  'loadBalancer',
  'ingress',
  'clusterIP',
  'type',
  'series',
  'count',
  'note',
  'regarding',
  'name',
  'key',
  'port',
  'protocol',
  'containerPort',
  'imageID',
  'exitCode',
  'observedGeneration',
  'redacted',
  'bytes',
  'tolerations',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'a.b/c',
  'ü\n',
];
const KINDS = [
  'Pod',
  'Deployment',
  'StatefulSet',
  'Service',
  'ConfigMap',
  'Secret',
  'SecretList',
  'Event',
  'Lease',
  'Certificate',
  '__proto__',
];
const TEXTS = [
  '',
  'web',
  'proxy',
  'True',
  'False',
  'Ready',
  'Progressing',
  'Secret',
  '10.0.0.1',
  'registry:5000/a/b:v1@sha256:0123456789abcdef',
  'CrashLoopBackOff',
  '3',
  '{}',
  'two\nlines',
  '\x1B[31mred',
  'a‮b',
  'half \ud83d',
  'x'.repeat(300),
  '#2',
  'web#2',
  ' ',
  '→',
];

const scalar = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS),
  fc.constantFrom<unknown>(null, true, false, 0, 1, 2, 137, -1.5, 1e21),
  fc.string({ maxLength: 6, unit: 'binary' }),
);

/** Any JSON. `Object.fromEntries` makes any name a field's own. */
export const json = fc.letrec<{ value: unknown; fields: Json }>((tie) => ({
  value: fc.oneof({ depthSize: 'medium', withCrossShrink: true }, scalar, fc.array(tie('value'), { maxLength: 4 }), tie('fields')),
  fields: fc
    .array(fc.tuple(fc.constantFrom(...NAMES), tie('value')), { maxLength: 6 })
    .map((entries) => Object.fromEntries<unknown>(entries)),
}));

/** Like an object of the API, as far as its top goes. */
export const object: fc.Arbitrary<Json> = fc
  .tuple(
    fc.constantFrom(...KINDS),
    fc.array(fc.tuple(fc.constantFrom('metadata', 'spec', 'status', 'data', 'series', 'note'), json.fields)),
    json.fields,
  )
  .map(([kind, parts, rest]) => ({ ...rest, kind, ...Object.fromEntries(parts) }));

/** A copy with some changes, all of them from the seed. */
export function mutated<T>(value: T, seed: number, changes = 1 + (seed % 4)): T {
  const random = seeded(seed);
  const copy = structuredClone({ root: value });
  for (let at = 0; at < changes; at += 1) mutateOnce(copy, random);
  return copy.root;
}

function mutateOnce(root: Json, random: () => number): void {
  const places: (Json | unknown[])[] = [];
  collect(root, places, 0);
  const place = pick(places, random);
  if (Array.isArray(place)) mutateList(place, random);
  else mutateFields(place, random, place === root);
}

function collect(value: unknown, places: (Json | unknown[])[], depth: number): void {
  if (typeof value !== 'object' || value === null || depth > 12) return;
  places.push(value as Json);
  for (const inner of Object.values(value)) collect(inner, places, depth + 1);
}

function mutateList(list: unknown[], random: () => number): void {
  const at = Math.floor(random() * (list.length + 1));
  const turn = random();
  if (turn < 0.3) list.splice(at, 0, newValue(random));
  else if (turn < 0.5) list.splice(at, 1);
  else if (turn < 0.7) list.reverse();
  else if (turn < 0.85 && list.length > 0) list.splice(at, 0, structuredClone(list[at % list.length]));
  else if (list.length > 0) list[at % list.length] = newValue(random);
}

function mutateFields(fields: Json, random: () => number, isRoot: boolean): void {
  const names = Object.keys(fields);
  const name = names.length > 0 && random() < 0.7 ? pick(names, random) : pick(NAMES, random);
  if (!isRoot && Object.hasOwn(fields, name) && random() < 0.3) delete fields[name];
  else {
    const value = isRoot ? pick([newValue(random), fields['root']], random) : newValue(random);
    Object.defineProperty(fields, isRoot ? 'root' : name, { value, configurable: true, enumerable: true, writable: true });
  }
}

function newValue(random: () => number): unknown {
  const turn = random();
  if (turn < 0.5) return pick(TEXTS, random);
  if (turn < 0.7) return Math.floor(random() * 5);
  if (turn < 0.8) return pick([null, true, false], random);
  if (turn < 0.9) return [newValue(random), newValue(random)];
  return Object.fromEntries([0, 1].map(() => [pick(NAMES, random), newValue(random)]));
}

function pick<T>(list: readonly T[], random: () => number): T {
  const picked = list[Math.floor(random() * list.length)];
  if (picked === undefined && list.length === 0) throw new Error('nothing to pick from');
  return picked as T;
}
