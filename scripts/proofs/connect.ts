/**
 * Kafka Connect as the other way into Postgres: the connector of manifests/connect, as it is, in a standalone worker. The demo's
 * messages arrive in a table that the connector makes; loaded again, or after a restart of the worker, nothing changes.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { ConnectWorker } from '../connect/worker.ts';
import { onDemand } from '../setup/on-demand.mjs';
import { ROOT } from '../setup/places.mjs';
import { Stack } from '../stack/stack.ts';

const TOPIC = 'demo-messages';
const CONNECTOR = path.join(ROOT, 'manifests', 'connect', 'demo-messages.properties');
const MESSAGES = path.join(ROOT, 'manifests', 'components', 'demo', 'messages.ndjson');

export async function prove(): Promise<void> {
  const home = await onDemand('connect');
  const folder = mkdtempSync(path.join(tmpdir(), 'kubetape-connect-'));
  // Postgres runs as another user.
  chmodSync(folder, 0o755);
  const servers = path.join(folder, 'stack');
  let worker: ConnectWorker | null = null;
  let client: pg.Client | null = null;
  try {
    const stack = await Stack.up(servers, undefined, ['kafka', 'postgres']);
    const database = new pg.Client({ connectionString: stack.databaseUrl });
    client = database;
    await database.connect();
    const kubetape = (...args: string[]): string => {
      const env = { PATH: process.env['PATH'] ?? '', HOME: folder, KAFKA_BROKERS: stack.brokers, DATABASE_URL: stack.databaseUrl };
      const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'src', 'main.ts'), ...args], {
        encoding: 'utf8',
        env,
      });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    kubetape('migrate');
    kubetape('topics');
    kubetape('topics', '--topic', TOPIC);
    kubetape('load', MESSAGES, '--topic', TOPIC);

    copyFileSync(CONNECTOR, path.join(folder, 'connector.properties'));
    worker = await start(home, folder, stack);
    const rows = async (): Promise<{ sensor: string; value: number }[]> => {
      const { rows: found } = await database.query<{ there: boolean }>("SELECT to_regclass('demo_messages_connect') IS NOT NULL AS there");
      if (found[0]?.there !== true) return [];
      return (await database.query<{ sensor: string; value: number }>('SELECT sensor, value FROM demo_messages_connect ORDER BY id')).rows;
    };
    const expected = readFileSync(MESSAGES, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { sensor: string; value: number })
      .map(({ sensor, value }) => ({ sensor, value }));
    assert.equal(expected.length, 10);
    await arrived(worker, async () => (await rows()).length === 10);
    assert.deepEqual(await rows(), expected);
    process.stdout.write('  10 rows in a table that the connector made\n');

    assert.match(kubetape('load', MESSAGES, '--topic', TOPIC), /nothing to do/);
    await worker.end();
    // As if it had forgotten how far it was.
    rmSync(path.join(folder, 'offsets'), { force: true });
    const more = path.join(folder, 'more.ndjson');
    writeFileSync(more, '{"id":11,"sensor":"sensor-2","kind":"humidity","value":50.5,"at":"2026-01-01T00:11:00Z"}\n');
    kubetape('load', more, '--topic', TOPIC);
    worker = await start(home, folder, stack);
    await arrived(worker, async () => (await rows()).length > 10);
    assert.deepEqual(await rows(), [...expected, { sensor: 'sensor-2', value: 50.5 }]);
    process.stdout.write('  after a restart one more, and none twice\n');
  } finally {
    await client?.end();
    await worker?.end();
    // Of a stack that did not come up, too, some servers run.
    await new Stack(servers).reset();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(home: string, folder: string, stack: Stack): Promise<ConnectWorker> {
  const url = new URL(stack.databaseUrl);
  const env = { TOPIC, JDBC_URL: `jdbc:postgresql://${url.host}${url.pathname}`, JDBC_USER: url.username, JDBC_PASSWORD: url.password };
  return ConnectWorker.start(stack, { home, folder, connectors: [path.join(folder, 'connector.properties')], env });
}

async function arrived(worker: ConnectWorker, isSo: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + 180_000;
  while (!(await isSo())) {
    await worker.check('kubetape-demo-messages');
    if (Date.now() > untilMs) throw new Error('the rows did not arrive');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
