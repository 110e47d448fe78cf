import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { rendered } from '../../src/cli/check.ts';
import { failureText } from '../../src/cli/output/failure.ts';
import { KubetapeError } from '../../src/events/errors.ts';

const stdout = new Writable();

test('checks are lines with a mark; under what is not good stands what to do', () => {
  const text = rendered(
    [
      { area: 'kubernetes', name: 'api', ok: true, message: 'v1.36', remedy: 'not shown' },
      { area: 'kafka', name: 'topics', ok: false, message: '2 are missing', remedy: 'run `kubetape topics`' },
      { area: 'settings', name: 'hmacKey', ok: 'warn', message: 'is not set', remedy: 'set it' },
    ],
    1,
    { stdout },
  );
  assert.equal(
    text,
    [
      '✔ kubernetes  api: v1.36',
      '✗ kafka       topics: 2 are missing',
      '              → run `kubetape topics`',
      '⚠ settings    hmacKey: is not set',
      '              → set it',
      '✗ 1 of 3 checks failed',
      '',
    ].join('\n'),
  );
});

test('a failure is what happened and what to do; a foreign one shows nothing that could be data', () => {
  assert.equal(
    failureText(new KubetapeError('SCHEMA_MISSING', 'there is no schema k8s'), stdout),
    'error: there is no schema k8s\nRun `kubetape migrate` first.\n',
  );
  assert.equal(failureText(new SyntaxError('{"hush":1}'), stdout), 'error: SyntaxError\nThis is a defect of kubetape: please report it.\n');
});
