import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf } from '../../src/kafka/errors.ts';

const BROKERS = ['kafka-1:9093', 'kafka-2:9093'];
const of = (line: string) => refusalOf(line, BROKERS);

test('a refusal is told without the names of threads, states and error numbers', () => {
  const failure = of(
    '[thrd:sasl_ssl://kafka-1:9093/bootstrap]: sasl_ssl://kafka-1:9093/bootstrap: SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 (after 324ms in state AUTH_REQ, 1 identical error(s) suppressed)',
  );
  assert.equal(failure?.code, 'KAFKA_UNAUTHORIZED');
  assert.equal(
    failure.message,
    'Kafka at kafka-1:9093, kafka-2:9093: SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512',
  );
});

test('a certificate, a listener of another protocol, nobody there and an unknown host are told apart', () => {
  const certificate = of(
    '[thrd:ssl://a:1/bootstrap]: ssl://a:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified (after 4ms in state SSL_HANDSHAKE)',
  );
  assert.deepEqual([certificate?.code, certificate?.retryable], ['KAFKA_UNAUTHORIZED', false]);
  assert.match(certificate?.hint ?? '', /--kafka-tls-ca-file/);
  const protocol = of(
    '[thrd:a:1/bootstrap]: a:1/bootstrap: Disconnected: connection closed by peer: receive 0 after POLLIN (after 4ms in state APIVERSION_QUERY)',
  );
  assert.deepEqual([protocol?.code, protocol?.retryable], ['KAFKA_UNREACHABLE', true]);
  assert.match(protocol?.hint ?? '', /--kafka-tls\b/);
  const nobody = of(
    '[thrd:a:1/bootstrap]: a:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)',
  );
  assert.deepEqual([nobody?.code, nobody?.message.endsWith('Connection refused')], ['KAFKA_UNREACHABLE', true]);
  const host = of(
    "[thrd:x/bootstrap]: x:9092/bootstrap: Failed to resolve 'x:9092': Name or service not known (after 0ms in state CONNECT)",
  );
  assert.match(host?.message ?? '', /Failed to resolve/);
});

test('a line about something else is no refusal', () => {
  assert.equal(of('[thrd:app]: Selected provider SCRAM (builtin) for SASL mechanism SCRAM-SHA-512'), undefined);
});
