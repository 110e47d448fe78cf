import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/file.ts';

function read(text: string): Record<string, unknown> {
  const { found, problems } = parseSettings(text, 'f.yaml');
  assert.deepEqual(problems, []);
  return Object.fromEntries([...found].map(([key, { value }]) => [key, value]));
}

function wrong(text: string): string[] {
  return parseSettings(text, 'f.yaml').problems.map(({ subject, message }) => `${subject}: ${message}`);
}

test('keys stand alone, in groups, or under the heading of their concern', () => {
  assert.deepEqual(read('kafkaBrokers: [a:1]\nlogLevel: debug'), { kafkaBrokers: ['a:1'], logLevel: 'debug' });
  assert.deepEqual(read('kafka: { brokers: [a:1], tls: { caFile: /ca }, properties: { linger.ms: 5 } }'), {
    kafkaBrokers: ['a:1'],
    kafkaTlsCaFile: '/ca',
    kafkaProperties: { 'linger.ms': 5 },
  });
  assert.deepEqual(
    read('sink: { batchMaxRows: 5, group: g }\nhttp: { port: off }\ndatabase: { url: x }\nkubernetes: { namespaces: [a] }'),
    {
      batchMaxRows: 5,
      sinkGroup: 'g',
      httpPort: 'off',
      databaseUrl: 'x',
      namespaces: ['a'],
    },
  );
  assert.deepEqual(read(''), {});
});

test('what is not known, said twice, or empty is a problem', () => {
  assert.deepEqual(wrong('kafka: { broker: x }'), ['f.yaml: kafka.broker: there is no such setting; did you mean kafkaBrokers?']);
  assert.deepEqual(wrong('kafkaBrokers: a\nkafka: { brokers: b }'), ['f.yaml: kafka.brokers: is also said as kafkaBrokers']);
  assert.deepEqual(wrong('hmacKey:'), ['f.yaml: hmacKey: has no value; leave the line out to have the default']);
  assert.deepEqual(wrong('cluster: a\ncluster: b'), ['f.yaml, line 2: a key is there twice']);
  assert.deepEqual(wrong('- a'), ['settings file f.yaml: must be a map of settings']);
  assert.deepEqual(wrong('zzz: { y: 1 }'), ['f.yaml: zzz: there is no such setting']);
});
