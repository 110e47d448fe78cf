import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from '../../src/config/environment.ts';

test('variables that Kubernetes makes for Services called kubetape… are left alone', () => {
  const { found, problems } = readEnvironment({
    KUBETAPE_SERVICE_HOST: '10.0.0.7',
    KUBETAPE_SERVICE_PORT: '9464',
    KUBETAPE_SERVICE_PORT_METRICS: '9464',
    KUBETAPE_PORT: 'tcp://10.0.0.7:9464',
    KUBETAPE_PORT_9464_TCP: 'tcp://10.0.0.7:9464',
    KUBETAPE_PORT_9464_TCP_PROTO: 'tcp',
    KUBETAPE_PORT_9464_TCP_ADDR: '10.0.0.7',
    // A Service called kubetape-http.
    KUBETAPE_HTTP_PORT: 'tcp://10.0.0.8:80',
    KUBETAPE_SINK_SERVICE_HOST: '10.0.0.9',
  });
  assert.deepEqual([...found.keys()], []);
  assert.deepEqual(problems, []);
});

test('variables of the set-up are no settings and no errors', () => {
  const env = {
    KUBETAPE_CACHE: 'x',
    KUBETAPE_TEST_SEED: '1',
    KUBETAPE_STACK_PORT: '1',
    KUBETAPE_POSTGRES_USER: 'x',
    KUBETAPE_KEEP_STACK: '1',
    KUBETAPE_CONFIG: 'x',
  };
  assert.deepEqual(readEnvironment(env).problems, []);
});

test('an unknown KUBETAPE_ variable is wrong', () => {
  const { problems } = readEnvironment({ KUBETAPE_KAFKA_BROKER: 'x', KUBETAPE_SOMETHING_ELSE: 'x' });
  assert.deepEqual(
    problems.map(({ subject, message }) => `${subject}: ${message}`),
    [
      'environment KUBETAPE_KAFKA_BROKER: there is no such setting; did you mean KUBETAPE_KAFKA_BROKERS?',
      'environment KUBETAPE_SOMETHING_ELSE: there is no such setting',
    ],
  );
});

test('PGHOST and its companions make a URL', () => {
  const url = (env: Record<string, string>): unknown => readEnvironment(env).found.get('databaseUrl')?.value;
  assert.equal(
    url({ PGHOST: 'db', PGUSER: 'me', PGPASSWORD: 'p@ss', PGDATABASE: 'tape', PGSSLMODE: 'require' }),
    'postgres://me:p%40ss@db:5432/tape?sslmode=require',
  );
  assert.equal(
    url({ PGHOST: '/var/run/postgresql', PGPORT: '5433', PGDATABASE: 'tape' }),
    'postgres:///tape?host=%2Fvar%2Frun%2Fpostgresql&port=5433',
  );
  assert.equal(url({ PGHOST: 'db', DATABASE_URL: 'postgres://other/x' }), 'postgres://other/x');
});
