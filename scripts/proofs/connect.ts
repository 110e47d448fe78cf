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
import { onDemand } from '../setup/on-demand.mjs';
import { ROOT } from '../setup/places.mjs';
import { freePorts } from '../stack/ports.ts';
import { endProcess, isAlive, launch, type ProcessId } from '../stack/processes.ts';
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
  let worker: ProcessId | null = null;
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
    await arrived(folder, worker, async () => (await rows()).length === 10);
    assert.deepEqual(await rows(), expected);
    process.stdout.write('  10 rows in a table that the connector made\n');

    assert.match(kubetape('load', MESSAGES, '--topic', TOPIC), /nothing to do/);
    await endProcess(worker, 20_000);
    // As if it had forgotten how far it was.
    rmSync(path.join(folder, 'offsets'), { force: true });
    const more = path.join(folder, 'more.ndjson');
    writeFileSync(more, '{"id":11,"sensor":"sensor-2","kind":"humidity","value":50.5,"at":"2026-01-01T00:11:00Z"}\n');
    kubetape('load', more, '--topic', TOPIC);
    worker = await start(home, folder, stack);
    await arrived(folder, worker, async () => (await rows()).length > 10);
    assert.deepEqual(await rows(), [...expected, { sensor: 'sensor-2', value: 50.5 }]);
    process.stdout.write('  after a restart one more, and none twice\n');
  } finally {
    await client?.end();
    if (worker !== null) await endProcess(worker, 20_000);
    // Of a stack that did not come up, too, some servers run.
    await new Stack(servers).reset();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function start(home: string, folder: string, stack: Stack): Promise<ProcessId> {
  const [port = 0] = await freePorts(1);
  const url = new URL(stack.databaseUrl);
  writeFileSync(
    path.join(folder, 'worker.properties'),
    [
      `bootstrap.servers=${stack.brokers}`,
      'config.providers=env',
      'config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider',
      'key.converter=org.apache.kafka.connect.storage.StringConverter',
      'value.converter=org.apache.kafka.connect.json.JsonConverter',
      `offset.storage.file.filename=${path.join(folder, 'offsets')}`,
      'offset.flush.interval.ms=1000',
      `listeners=http://127.0.0.1:${port}`,
      'consumer.auto.offset.reset=earliest',
      'consumer.isolation.level=read_committed',
      '',
    ].join('\n'),
  );
  const env = { TOPIC, JDBC_URL: `jdbc:postgresql://${url.host}${url.pathname}`, JDBC_USER: url.username, JDBC_PASSWORD: url.password };
  const args = ['worker.properties', 'connector.properties'].map((name) => path.join(folder, name));
  return launch(
    {
      command: 'java',
      args: ['-Xmx512m', '-cp', path.join(home, 'libs', '*'), 'org.apache.kafka.connect.cli.ConnectStandalone', ...args],
      env,
    },
    path.join(folder, 'connect.log'),
  );
}

async function arrived(folder: string, worker: ProcessId, isSo: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + 180_000;
  while (Date.now() < untilMs) {
    if (await isSo()) return;
    if (!isAlive(worker)) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`the rows did not arrive: ${readFileSync(path.join(folder, 'connect.log'), 'utf8').slice(-3000)}`);
}
