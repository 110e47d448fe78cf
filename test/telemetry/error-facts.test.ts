import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubetapeError } from '../../src/events/errors.ts';
import { errorFacts } from '../../src/telemetry/error-facts.ts';

test('E1 whitelist: text of a foreign error is kept only where its kind never quotes data', () => {
  const hush = (extra: object, name = 'Error'): string | undefined => errorFacts(Object.assign(new Error('hush'), { name }, extra)).message;
  assert.equal(hush({}), undefined);
  assert.equal(hush({}, 'SyntaxError'), undefined);
  assert.equal(hush({}, 'AssertionError'), undefined);
  assert.equal(hush({ severity: 'ERROR', code: '22P02' }), undefined);
  assert.equal(hush({ severity: 'ERROR', code: '23505' }), undefined);
  assert.equal(hush({ code: 'ERR_INVALID_ARG_VALUE' }), undefined);

  assert.equal(hush({ severity: 'FATAL', code: '28P01' }), 'hush');
  assert.equal(hush({ syscall: 'connect', code: 'ECONNREFUSED' }), 'hush');
  assert.equal(hush({ code: -195, origin: 'local' }), 'hush');
  assert.equal(hush({}, 'TypeError'), 'hush');
});

test('our own errors say everything, their causes what they may', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9092'), { code: 'ECONNREFUSED', syscall: 'connect' });
  const facts = errorFacts(
    new KubetapeError('KAFKA_UNREACHABLE', 'no broker answers', { cause: new AggregateError([refused]), hint: 'look' }),
  );
  assert.deepEqual(facts, {
    name: 'KubetapeError',
    code: 'KAFKA_UNREACHABLE',
    message: 'no broker answers',
    hint: 'look',
    cause: { name: 'AggregateError', message: 'connect ECONNREFUSED 127.0.0.1:9092' },
  });
  assert.deepEqual(errorFacts('thrown text'), { name: 'string' });
});

test('causes in a circle end', () => {
  const a = new Error('a');
  a.cause = a;
  assert.ok(JSON.stringify(errorFacts(a)).length < 1000);
});
