import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubetapeError } from '../../src/events/errors.ts';
import { listen } from './listen.ts';

test('metrics, health and readiness are served under all their names', async (t) => {
  const { telemetry } = listen();
  const server = await telemetry.serve({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${server.url}${path}`, init);

  const metrics = await get('/metrics');
  assert.equal(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await metrics.text(), /^kubetape_build_info\{version="1\.2\.3",role="test",node="24\./m);

  for (const path of ['/health', '/healthz', '/livez']) {
    const response = await get(path);
    assert.equal(response.status, 200);
    assert.equal(((await response.json()) as { status: string }).status, 'ok');
  }
  for (const path of ['/ready', '/readyz']) assert.equal((await get(path)).status, 503);
  telemetry.health.register(() => ({ name: 'kafka', ready: true }));
  const ready = await get('/readyz?verbose');
  assert.equal(ready.status, 200);
  assert.deepEqual(await ready.json(), { ready: true, checks: [{ name: 'kafka', ready: true }] });
  assert.match(await (await get('/metrics')).text(), /^kubetape_ready 1$/m);

  assert.equal((await get('/nothing')).status, 404);
  assert.equal((await get('/metrics', { method: 'POST' })).status, 405);
  assert.equal(await (await get('/health', { method: 'HEAD' })).text(), '');
  assert.match(await (await get('/')).text(), /\/metrics/);
});

test('`::` answers on IPv4 too', async (t) => {
  const server = await listen().telemetry.serve({ host: '::', port: 0 });
  t.after(() => server.close());
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/health`)).status, 200);
});

test('a port that is taken is a wrong setting', async (t) => {
  const first = await listen().telemetry.serve({ host: '127.0.0.1', port: 0 });
  t.after(() => first.close());
  await assert.rejects(listen().telemetry.serve({ host: '127.0.0.1', port: first.port }), (error: unknown) => {
    assert.ok(error instanceof KubetapeError && error.code === 'CONFIG_INVALID');
    assert.match(error.message, /port \d+: the port is taken/);
    return true;
  });
});
