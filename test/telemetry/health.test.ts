import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from '../../src/telemetry/health.ts';

test('H1 all or not: ready is what every check agrees on; no check at all is not ready', () => {
  const health = new Health();
  assert.deepEqual(health.report(), { ready: false, checks: [{ name: 'process', ready: false, reason: 'starting' }] });
  let synced = false;
  health.register(() => ({ name: 'kafka', ready: true }));
  const away = health.register(() => [{ name: 'watch pods', ready: synced, reason: synced ? undefined : 'listing' }]);
  assert.equal(health.report().ready, false);
  synced = true;
  assert.equal(health.report().ready, true);
  synced = false;
  away();
  assert.equal(health.report().ready, true);
});

test('H2 says why: a check that is not ready has a reason, one that throws as well', () => {
  const health = new Health();
  health.register(() => ({ name: 'postgres', ready: false }));
  health.register(() => {
    throw new TypeError('x');
  });
  assert.deepEqual(health.report().checks, [
    { name: 'postgres', ready: false, reason: 'not ready' },
    { name: 'check', ready: false, reason: 'the check itself failed' },
  ]);
});

test('H3 drains first: from the first signal on nothing is ready any more', () => {
  const health = new Health();
  health.register(() => ({ name: 'kafka', ready: true }));
  health.stopping();
  assert.deepEqual(health.report(), {
    ready: false,
    checks: [
      { name: 'kafka', ready: true },
      { name: 'process', ready: false, reason: 'stopping' },
    ],
  });
});
