import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findType, nameOfType, shortName, singularOf, typeWords } from '../../src/past/kinds.ts';
import type { RecordedType } from '../../src/past/ports.ts';

const type = (resource: string, group: string, kind: string): RecordedType => ({
  resource,
  table: resource.replaceAll('.', '_'),
  group,
  kind,
  columns: [],
});

const TYPES = [
  type('pods', '', 'Pod'),
  type('services', '', 'Service'),
  type('deployments', 'apps', 'Deployment'),
  type('statefulsets', 'apps', 'StatefulSet'),
  type('networkpolicies', 'networking.k8s.io', 'NetworkPolicy'),
  type('ingresses', 'networking.k8s.io', 'Ingress'),
  type('events', 'events.k8s.io', 'Event'),
  type('certificates.cert-manager.io', 'cert-manager.io', 'Certificate'),
  type('databases.db.example', 'db.example', 'Database'),
  type('databases.other.example', 'other.example', 'Database'),
];

const found = (word: string): string => {
  const outcome = findType(word, TYPES);
  return 'type' in outcome ? outcome.type.resource : `${outcome.wrong}. ${outcome.hint}`;
};

test('K1 kubectl: plural, singular, kind and short name, in any case, with a group or the beginning of it', () => {
  for (const word of ['pods', 'pod', 'po', 'Pod', 'PODS']) assert.equal(found(word), 'pods', word);
  for (const word of ['deploy', 'deployment', 'Deployments', 'deployments.apps', 'deployments.v1.apps', 'deploy.apps'])
    assert.equal(found(word), 'deployments', word);
  for (const [word, resource] of [
    ['sts', 'statefulsets'],
    ['svc', 'services'],
    ['netpol', 'networkpolicies'],
    ['networkpolicy', 'networkpolicies'],
    ['ing', 'ingresses'],
    ['ingress', 'ingresses'],
    ['ev', 'events'],
    ['event.events.k8s.io', 'events'],
  ] as const)
    assert.equal(found(word), resource, word);
});

test('K2 custom: by plural, kind and group; of one name in two groups neither is guessed', () => {
  for (const word of [
    'certificates',
    'certificate',
    'Certificate',
    'certificates.cert-manager.io',
    'certificates.cert-manager',
    'certificate.cert-manager.io',
  ])
    assert.equal(found(word), 'certificates.cert-manager.io', word);
  assert.equal(found('databases.db.example'), 'databases.db.example');
  assert.equal(found('database.other'), 'databases.other.example');
  assert.match(found('database'), /^there is no resource type "database"/);
});

test('what is not recorded is told from what does not exist', () => {
  assert.match(found('nodes'), /^nodes are not recorded\. Recorded are certificates\.cert-manager\.io, databases/);
  assert.match(found('podz'), /did you mean pods\?/);
  assert.doesNotMatch(found('foo'), /did you mean/);
  assert.doesNotMatch(found('deploy.other'), /did you mean deploy\?/);
});

test('names of types: as -o name has them, and the shortest that people know', () => {
  assert.deepEqual(TYPES.slice(0, 3).map(nameOfType), ['pod', 'service', 'deployment.apps']);
  assert.deepEqual(TYPES.map(shortName).slice(0, 8), ['po', 'svc', 'deploy', 'sts', 'netpol', 'ing', 'ev', 'certificate']);
  assert.deepEqual(['endpoints', 'ingressclasses', 'policies', 'pods', 'statuses'].map(singularOf), [
    'endpoints',
    'ingressclass',
    'policy',
    'pod',
    'statuse',
  ]);
  assert.ok(typeWords(TYPES).includes('deploy'));
});
