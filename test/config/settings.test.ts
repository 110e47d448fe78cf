import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Role } from '../../src/config/roles.ts';
import { settings, type Inputs } from '../../src/config/settings.ts';
import { sourceText } from '../../src/config/sources.ts';
import { KubetapeError } from '../../src/events/errors.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'kubetape-config-'));
const DATABASE_URL = 'postgres://me:hush@db/kubetape';

function fileOf(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}

function messageOf(inputs: Inputs, role: Role = 'run'): string {
  try {
    settings(role, inputs);
  } catch (error) {
    assert.ok(error instanceof KubetapeError);
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.message;
  }
  return assert.fail('the settings are accepted');
}

test('C1 precedence: flag, environment, file, default: the first that says something counts', () => {
  const file = fileOf('precedence.yaml', 'batchMaxRows: 30\nwritersMax: 3\npartitions: 9\n');
  const { settings: values, sources } = settings('run', {
    argv: ['--config', file, '--batch-max-rows', '10'],
    env: { DATABASE_URL, KUBETAPE_BATCH_MAX_ROWS: '20', KUBETAPE_WRITERS_MAX: '5' },
  });
  assert.deepEqual([values.batchMaxRows, values.writersMax, values.partitions, values.batchMaxWaitMs], [10, 5, 9, 50]);
  assert.deepEqual(
    ['batchMaxRows', 'writersMax', 'partitions', 'batchMaxWaitMs', 'databaseUrl'].map((key) =>
      sourceText(sources.get(key) ?? { from: 'default' }),
    ),
    ['flag --batch-max-rows', 'environment KUBETAPE_WRITERS_MAX', `${file}: partitions`, 'default', 'environment DATABASE_URL'],
  );
});

test('C1 precedence: our own name wins over the well-known one, and an empty variable says nothing', () => {
  const env = { KAFKA_BROKERS: 'known:1', KUBETAPE_KAFKA_BROKERS: 'own:1', KUBETAPE_TOPIC_PREFIX: '' };
  assert.deepEqual(settings('collect', { env }).settings.kafkaBrokers, ['own:1']);
  assert.deepEqual(settings('collect', { env: { ...env, KUBETAPE_KAFKA_BROKERS: '' } }).settings.kafkaBrokers, ['known:1']);
});

test('C1 precedence: a file with a secret, named by a flag, wins over the secret in the environment', () => {
  const file = fileOf('url', 'postgres://file@db/x\n');
  const { settings: values, sources } = settings('sink', { argv: ['--database-url-file', file], env: { DATABASE_URL } });
  assert.equal(values.databaseUrl, 'postgres://file@db/x');
  assert.match(sourceText(sources.get('databaseUrl') ?? { from: 'default' }), /^content of .*url, flag --database-url-file$/);
});

test('C2 all at once: one message names every wrong setting, its source, its value and what is allowed', () => {
  const file = fileOf('wrong.yaml', 'kafka:\n  brokrs: [a]\nring_max: 3\nlogLevel: loud\nhttp:\n  port: 99999\n');
  const text = messageOf({
    argv: [
      '--config',
      file,
      '--batch-max-rows',
      'many',
      '--kafka-broker=x',
      'stray',
      '--resources',
      'Pods',
      '--database-tls-ca-file',
      '/no/such/file',
      '--http-host',
    ],
    env: { KUBETAPE_LEADER_ELECTION: 'perhaps', KUBETAPE_BATCH_MAX_ROW: '3', KUBETAPE_HMAC_KEY: 'too-short' },
  });
  const lines = text.split('\n');
  assert.equal(lines[0], '14 settings are wrong:');
  for (const part of [
    'batchMaxRows = "many" (flag --batch-max-rows): must be a whole number from 1 to 100,000',
    '--kafka-broker: there is no such flag; did you mean --kafka-brokers?',
    'argument "stray": is not expected here',
    'resources = ["Pods"] (flag --resources): must be names like pods',
    'databaseTlsCaFile = "/no/such/file" (flag --database-tls-ca-file): must be the path of a readable file',
    '--http-host: needs a value',
    'leaderElection = "perhaps" (environment KUBETAPE_LEADER_ELECTION): must be true or false',
    'environment KUBETAPE_BATCH_MAX_ROW: there is no such setting; did you mean KUBETAPE_BATCH_MAX_ROWS?',
    'hmacKey = *** (environment KUBETAPE_HMAC_KEY): must be text of at least 16 characters',
    `${file}: kafka.brokrs: there is no such setting; did you mean kafkaBrokers?`,
    `${file}: ring_max: there is no such setting`,
    `logLevel = "loud" (${file}: logLevel): must be one of trace, debug`,
    `httpPort = 99999 (${file}: http.port): must be a port`,
    'databaseUrl: is needed',
  ]) {
    assert.ok(
      lines.some((line) => line.startsWith(`  ${part}`)),
      `${part}\nis not in\n${text}`,
    );
  }
});

test('C2 all at once: what is wrong between settings is named with the rest', () => {
  const text = messageOf({
    argv: [
      '--kafka-sasl-mechanism',
      'PLAIN',
      '--ring-max-bytes',
      '1MiB',
      '--namespaces',
      'a,b',
      '--exclude-namespaces=b',
      '--kafka-property',
      'acks=1',
      '--batch-max-rows',
      '0',
    ],
    env: { DATABASE_URL },
  });
  assert.match(text, /^6 settings are wrong:/);
  assert.match(text, /kafkaSaslUsername: is needed for PLAIN/);
  assert.match(text, /kafkaSaslPassword: is needed for PLAIN/);
  assert.match(text, /transactionMaxBytes: must not be more than ringMaxBytes \(1048576\)/);
  assert.match(text, /excludeNamespaces \(flag --exclude-namespaces\): excludes b/);
  assert.match(text, /kafkaProperties \(flag --kafka-property\): must leave acks to kubetape/);
  assert.match(text, /batchMaxRows = "0"/);
});

test('C3 masked: no secret is in a message', () => {
  const hush = 'H4sh-h4sh';
  const file = fileOf('hush.yaml', `kafkaProperties: "sasl.password ${hush}"\nhmacKey: { a: ${hush} }\nkafkaTlsKeyPassword: [${hush}]\n`);
  const text = messageOf({
    argv: ['--config', file, '--database-url', `mysql://me:${hush}@db/x`, `--hmac-key`, hush],
    env: { KUBETAPE_KAFKA_SASL_PASSWORD: '', PGPASSWORD: hush },
  });
  assert.doesNotMatch(text, new RegExp(hush));
  assert.match(text, /--hmac-key: a secret is not given as a flag.*KUBETAPE_HMAC_KEY or --hmac-key-file/);
});

test('C3 masked: YAML that does not parse is not quoted', () => {
  const text = messageOf({ argv: ['--config', fileOf('broken.yaml', 'a: 1\nhmacKey: "secret\n  - x: [')], env: { DATABASE_URL } });
  assert.match(text, /broken\.yaml, line \d: it is not valid YAML/);
  assert.doesNotMatch(text, /secret/);
});

test('a setting of another role is an error as a flag, and shared as a variable or in a file', () => {
  const file = fileOf('shared.yaml', 'batchMaxRows: 7\n');
  const env = { KUBETAPE_WRITERS_MAX: '2', KUBETAPE_CONFIG: file };
  assert.equal(Object.hasOwn(settings('collect', { env }).settings, 'writersMax'), false);
  assert.match(
    messageOf({ argv: ['--writers-max', '3'] }, 'collect'),
    /--writers-max: is no setting of `collect`, but of sink, run, check/,
  );
});

test('the values are frozen all the way down', () => {
  const { settings: values } = settings('collect', { argv: ['--kafka-property', 'a.b=c'] });
  assert.ok(Object.isFrozen(values) && Object.isFrozen(values.resources) && Object.isFrozen(values.kafkaProperties));
});

test('defaults know the role and the pod', () => {
  assert.equal(settings('collect', {}).settings.httpPort, 9464);
  assert.equal(settings('sink', { env: { DATABASE_URL } }).settings.httpPort, 9465);
  assert.equal(settings('run', { env: { DATABASE_URL } }).settings.httpPort, 9466);
  assert.equal(settings('collect', {}).settings.httpHost, '127.0.0.1');
  assert.equal(settings('collect', { env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }).settings.httpHost, '::');
});

test('a settings file that cannot be read is one problem, and the rest is still named', () => {
  const text = messageOf({ argv: ['--config', '/no/such.yaml', '--batch-max-rows', 'x'], env: { DATABASE_URL } });
  assert.match(text, /settings file \/no\/such\.yaml: cannot be read \(ENOENT\)/);
  assert.match(text, /batchMaxRows/);
});

test('a file of a secret that is not there is one complaint', () => {
  const text = messageOf({ argv: ['--database-url-file', '/no/such/file'] }, 'migrate');
  assert.match(text, /^1 setting is wrong:\n {2}databaseUrlFile = "\/no\/such\/file"/);
});

test('an empty file of a secret is a wrong secret', () => {
  const text = messageOf({ argv: ['--hmac-key-file', fileOf('empty', '\n')] }, 'collect');
  assert.match(text, /hmacKey = \*\*\* \(content of .*empty, flag --hmac-key-file\): must be text of at least 16 characters/);
});
