import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { isCode } from '../../src/events/errors.ts';
import { tlsOf } from '../../src/postgres/tls.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'kubetape-tls-'));
after(() => rmSync(dir, { recursive: true }));
const caFile = path.join(dir, 'ca.pem');
writeFileSync(caFile, 'CA');
const URL_ = 'postgres://u:p@db.example:5432/k';
const ssl = (url: string, settings = {}, env = {}) => tlsOf(url, settings, env).ssl;

test('the modes mean what they mean to libpq', () => {
  assert.equal(ssl(URL_, { mode: 'disable' }), false);
  assert.deepEqual(ssl(URL_, { mode: 'require' }), { rejectUnauthorized: false });
  assert.deepEqual(ssl(URL_, { mode: 'verify-full', caFile }), { ca: 'CA' });
  const checked = ssl(URL_, { mode: 'verify-ca', caFile });
  assert.ok(checked !== false && checked.checkServerIdentity !== undefined && checked.rejectUnauthorized !== false);
  const required = ssl(URL_, { mode: 'require', caFile });
  assert.ok(required !== false && required.rejectUnauthorized !== false, 'with an authority, require verifies it');
});

test('settings before the URL before the environment; by default TLS where the server has it', () => {
  const url = `${URL_}?sslmode=disable&application_name=x`;
  assert.deepEqual(ssl(url, { mode: 'require' }, { PGSSLMODE: 'verify-full' }), { rejectUnauthorized: false });
  assert.equal(ssl(url, {}, { PGSSLMODE: 'require' }), false);
  assert.deepEqual(ssl(URL_, {}, { PGSSLMODE: 'require' }), { rejectUnauthorized: false });
  const byDefault = tlsOf(URL_, {}, {});
  assert.deepEqual([byDefault.ssl, byDefault.optional], [{ rejectUnauthorized: false }, true]);
  assert.equal(tlsOf(url, {}, {}).url, `${URL_}?application_name=x`, 'the rest of the query stays');
});

test('a socket file has no TLS', () => {
  assert.equal(tlsOf(undefined, {}, { PGHOST: '/var/run/postgresql' }).ssl, false);
});

test('what cannot work is said before anything is connected', () => {
  assert.throws(
    () => tlsOf(URL_, { mode: 'verify-ca' }, {}),
    (error) => isCode(error, 'CONFIG_INVALID'),
  );
  assert.throws(
    () => tlsOf(URL_, { caFile: path.join(dir, 'none.pem') }, {}),
    (error) => isCode(error, 'CONFIG_INVALID') && /none\.pem.*ENOENT/.test(error.message),
  );
});
