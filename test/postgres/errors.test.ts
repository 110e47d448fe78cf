import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOfSqlstate, sqlstateOf, storeError } from '../../src/postgres/errors.ts';

const TABLE: Readonly<Record<string, readonly string[]>> = {
  POSTGRES_UNREACHABLE: [
    '08000',
    '08006',
    '08P01',
    '53100',
    '53200',
    '53300',
    '57P01',
    '57P02',
    '57P03',
    '57014',
    '40001',
    '40P01',
    '55P03',
    '25P03',
  ],
  POSTGRES_READ_ONLY: ['25006'],
  ROW_REJECTED: ['22P05', '22P02', '22021', '22003', '22008', '23502', '23505', '23514', '54000', '54001'],
  SCHEMA_MISSING: ['42P01', '42883', '3F000'],
  POSTGRES_UNAUTHORIZED: ['28000', '28P01', '3D000', '42501'],
  POSTGRES_FAILED: ['42601', '42703', '0A000', 'XX000', '58030', 'P0001', '55000'],
  INTERNAL: ['22P03', '21000'],
};
const server = (code: string, more: object = {}): Error =>
  Object.assign(new Error('the primary message'), { severity: 'ERROR', code, ...more });

test('E1 total: every SQLSTATE has a code', () => {
  for (const [code, states] of Object.entries(TABLE)) {
    for (const state of states) {
      assert.equal(codeOfSqlstate(state), code, state);
      const failure = storeError(server(state), 'db:5432/x');
      assert.deepEqual([failure.code, sqlstateOf(failure)], [code, state]);
    }
  }
});

test('E1 total: what the driver says without a server', () => {
  const network = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
  assert.match(storeError(network, 'db:5432/x').message, /^no answer from Postgres at db:5432\/x: connect ECONNREFUSED/);
  const happyEyeballs = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
  assert.match(storeError(happyEyeballs, 'db').message, /ECONNREFUSED/);
  assert.equal(storeError(new Error('Connection terminated unexpectedly'), 'db').code, 'POSTGRES_UNREACHABLE');
  assert.equal(
    storeError(new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'db').code,
    'POSTGRES_UNAUTHORIZED',
  );
  assert.equal(storeError(new TypeError('x is not a function'), 'db').code, 'INTERNAL');
});

test('E2 silent: neither the detail, nor where, nor anything of a rejected row', () => {
  const quoting = { message: 'invalid input syntax for type uuid: "s3cret"', detail: 's3cret', where: 's3cret', hint: 's3cret' };
  for (const state of ['22P02', '23502', '54000', '42601', '57014']) {
    const failure = storeError(server(state, state.startsWith('2') ? quoting : { ...quoting, message: 'plain' }), 'db');
    assert.doesNotMatch(`${failure.message} ${failure.hint} ${JSON.stringify(failure)} ${JSON.stringify(failure.cause)}`, /s3cret/);
  }
});
