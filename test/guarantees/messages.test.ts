/** Topics of any JSON, and files loaded into them, on real servers: each record once, through kill -9. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Stack } from '../../scripts/stack/stack.ts';
import { TransactionalProducer } from '../../src/kafka/transactional-producer.ts';
import { until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedStack } from '../support/stack.ts';

interface Counts {
  readonly rows: number;
  readonly distinct: number;
}

describe('topics of any JSON', () => {
  let stack: Stack;
  let installation: Installation;

  before(async () => {
    stack = await sharedStack();
    installation = await Installation.create(stack, 'messages');
    const made = installation.once(['topics', '--topic', 'demo-messages', '--topic', 'demo.messages', '--partitions', '2']);
    assert.equal(made.status, 0, made.stderr);
    assert.match(made.stdout, /demo-messages created: 2 partitions/);
  });
  after(() => installation?.close());

  async function count(table: string, expression: string): Promise<Counts> {
    const [row] = await installation.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [`k8s.${table}`]);
    if (row?.exists !== true) return { rows: 0, distinct: 0 };
    const [counts] = await installation.query<Counts>(
      `SELECT count(*)::int AS rows, count(DISTINCT ${expression})::int AS distinct FROM k8s.${table}`,
    );
    return counts ?? assert.fail();
  }

  async function produce(topic: string, values: readonly (string | null)[]): Promise<void> {
    const name = `${installation.topicPrefix}${topic}`;
    const connection = { brokers: [stack.brokers], clientId: 'test' };
    const producer = new TransactionalProducer({ connection, transactionalId: `test-${name}`, topics: [name] });
    await producer.open(AbortSignal.timeout(60_000));
    await producer.commit(
      values.map((value, at) => ({ topic: name, key: `k${at % 7}`, value: value === null ? null : Buffer.from(value) })),
    );
    await producer.close();
  }

  it('a sink of a topic keeps every record once, through kill -9; what is not JSON is a dead letter', async () => {
    const values = Array.from({ length: 3_000 }, (_, id) => JSON.stringify({ id, text: 'x'.repeat(200) }));
    await produce('demo-messages', values.slice(0, 1_500));
    const flags = ['sink', '--topic', 'demo-messages', '--batch-max-rows', '100', '--writers-max', '1'];
    for (let round = 0; round < 3; round += 1) {
      const sink = installation.start(flags);
      const before = (await count('demo_messages', "value->>'id'")).rows;
      await until('some more rows', async () => (await count('demo_messages', "value->>'id'")).rows > before, 60_000);
      await sink.kill();
      if (round === 0) await produce('demo-messages', values.slice(1_500));
    }
    await produce('demo-messages', ['not JSON', '{"nul":"\\u0000"}', null, '{"id":"last"}']);
    await installation.start(flags).ready();
    await until('the last row', async () => (await count('demo_messages', "value->>'id'")).distinct === 3_001, 60_000);
    await until('the tombstone', async () => (await count('demo_messages', '1')).rows === 3_002, 60_000);
    const letters = await installation.query(
      'SELECT code, sqlstate, convert_from(value, $1) AS value FROM k8s.dead_letters ORDER BY value',
      ['UTF8'],
    );
    assert.deepEqual(letters, [
      { code: 'RECORD_INVALID', sqlstate: null, value: 'not JSON' },
      { code: 'ROW_REJECTED', sqlstate: '22P05', value: '{"nul":"\\u0000"}' },
    ]);
    const [row] = await installation.query(
      "SELECT topic, key, value, recorded_at > now() - interval '10 minutes' AS recent FROM k8s.demo_messages WHERE value->>'id' = '8' AND key = 'k1'",
    );
    const topic = `${installation.topicPrefix}demo-messages`;
    assert.deepEqual(row, { topic, key: 'k1', value: { id: 8, text: 'x'.repeat(200) }, recent: true });
  });

  it('topics whose tables would have one name have two; a topic of kubetape itself is refused', async () => {
    await produce('demo.messages', ['{"other":true}']);
    await installation.start(['sink', '--topic', 'demo.messages', '--sink-group', 'other']).ready();
    const name = async (): Promise<string | undefined> =>
      (
        await installation.query<{ table_name: string }>('SELECT table_name FROM k8s.message_topics WHERE topic = $1', [
          `${installation.topicPrefix}demo.messages`,
        ])
      )[0]?.table_name;
    await until('its table', async () => (await name()) !== undefined);
    const table = (await name()) ?? assert.fail();
    assert.match(table, /^demo_messages_[0-9a-f]{8}$/);
    await until('its row', async () => (await count(table, 'value')).rows === 1);
    const refused = installation.once(['sink', '--topic', 'k8s-pods']);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /k8s-pods is a topic of kubetape itself/);
  });
});

describe('loading a file', () => {
  let stack: Stack;
  let installation: Installation;

  before(async () => {
    stack = await sharedStack();
    installation = await Installation.create(stack, 'load');
    assert.equal(installation.once(['topics', '--topic', 'readings']).status, 0);
  });
  after(() => installation?.close());

  function file(name: string, text: string): string {
    const at = path.join(installation.logs, name);
    writeFileSync(at, text);
    return at;
  }

  async function values(): Promise<string[]> {
    const messages = await installation.read([`${installation.topicPrefix}readings`]);
    return messages.map(({ value }) => value?.toString() ?? '');
  }

  const jobs = (): Promise<object[]> =>
    installation.query('SELECT file, format, status, records::int, attempts, message FROM k8s.load_jobs ORDER BY started_at');

  it('killed as often as may be, each of its records is in the topic once; loaded again, nothing changes', async () => {
    const lines = Array.from({ length: 100_000 }, (_, id) => JSON.stringify({ id, filling: 'x'.repeat(300) }));
    const readings = file('readings.ndjson', `${lines.join('\n')}\n`);
    const args = ['load', readings, '--topic', 'readings'];
    const status = async (): Promise<string> => ((await jobs())[0] as { status: string } | undefined)?.status ?? '';
    let interrupted = 0;
    for (const attempts of [1, 2, 3]) {
      const loading = installation.start(args);
      await until('it to begin', async () => ((await jobs())[0] as { attempts: number } | undefined)?.attempts === attempts, 60_000);
      await new Promise((resolve) => setTimeout(resolve, randomInt(300 * attempts)));
      await loading.kill();
      if ((await status()) === 'running') interrupted += 1;
      else break;
    }
    assert.ok(interrupted > 0, 'it was killed in the middle');
    const before = (await values()).length;
    const done = installation.once(args);
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, before < lines.length ? /records loaded into readings, \d+ were there already/ : /nothing to do/);
    assert.deepEqual((await values()).toSorted(), lines.toSorted());

    const again = installation.once(args);
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /its 100000 records are in readings already; nothing to do/);
    assert.equal((await values()).length, lines.length);
    const [job] = await jobs();
    const { attempts, ...rest } = job as { attempts: number };
    assert.ok(attempts > interrupted);
    assert.deepEqual(rest, { file: 'readings.ndjson', format: 'ndjson', status: 'done', records: 100_000, message: null });
  });

  it('two at once: the records are there once, whoever wins', async () => {
    const before = (await values()).length;
    const args = [
      'load',
      file('twice.ndjson', Array.from({ length: 3_000 }, (_, id) => `{"twice":${id}}\n`).join('')),
      '--topic',
      'readings',
    ];
    const both = [installation.start(args), installation.start(args)];
    const codes = await Promise.all(both.map(({ exited }) => exited));
    assert.ok(codes.includes(0), `exit codes ${codes.join(' and ')}: ${installation.logText().slice(-1000)}`);
    assert.equal((await values()).length, before + 3_000);
  });

  it('CSV becomes objects by its header; a topic that is missing is named', async () => {
    const before = (await values()).length;
    const prices = file('prices.csv', 'name,price\n"Äpfel, rot",3\nBirnen,\n');
    assert.equal(installation.once(['load', prices, '--topic', 'readings']).status, 0);
    const found = (await values()).filter((value) => value.includes('"price"')).map((value) => JSON.parse(value) as object);
    assert.equal((await values()).length, before + 2);
    assert.deepEqual(
      found.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? 1 : -1)),
      [
        { name: 'Äpfel, rot', price: '3' },
        { name: 'Birnen', price: '' },
      ],
    );
    const missing = installation.once(['load', prices, '--topic', 'nowhere']);
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /has no topic .*nowhere/);
  });

  it('of a file with a mistake nothing is loaded; the line is named, and what is on it is not', async () => {
    const before = (await values()).length;
    const failed = installation.once(['load', file('bad.ndjson', '{"a":1}\n{"password": hunter2}\n'), '--topic', 'readings']);
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /bad\.ndjson: line 2 is not JSON/);
    assert.doesNotMatch(failed.stderr + JSON.stringify(await jobs()), /hunter2/);
    assert.equal((await values()).length, before);
    const job = (await jobs()).at(-1) as { status: string; records: number; message: string };
    assert.deepEqual([job.status, job.records], ['failed', 0]);
    assert.match(job.message, /line 2 is not JSON/);
    const usage = installation.once(['load', '--topic', 'readings']);
    assert.equal(usage.status, 2);
    assert.match(usage.stderr, /the file comes first/);
  });
});
