/** Records that no table takes: each a dead letter with its reason, and the partition goes on; and what people do with them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { changeValue, uidOf } from '../sinks/fakes.ts';
import { until } from '../support/kube.ts';
import { Installation, type Running } from '../support/kubetape.ts';
import { times } from '../support/length.ts';
import { produce } from '../support/produce.ts';
import { sharedServers } from '../support/servers.ts';

interface LetterRow {
  readonly id: string;
  readonly offset: number;
  readonly code: string;
  readonly sqlstate: string | null;
  readonly message: string;
}

const PASSWORD = 'hunter2-which-nobody-may-see';

describe('poison', () => {
  const servers = sharedServers();
  let installation: Installation;
  let sink: Running;

  before(async () => {
    installation = await Installation.create(servers.stack, 'poison');
    await servers.kube.namespace(installation.id);
    sink = startSink();
    await sink.ready();
  });
  after(async () => installation.close());

  /** Under its name it has its partitions back at once. */
  const startSink = (): Running => installation.start(['sink'], { KUBETAPE_SINK_INSTANCE_ID: 'poisoned' });
  const letters = (topic: string): Promise<LetterRow[]> =>
    installation.query<LetterRow>(
      'SELECT id::text, "offset"::int, code, sqlstate, message FROM k8s.dead_letters WHERE topic = $1 ORDER BY dead_letters.id',
      [topic],
    );
  const versions = async (resource: string, uid: string): Promise<number[]> =>
    (
      await installation.query<{ rv: number }>(
        `SELECT resource_version::int AS rv FROM k8s.${resource}_history WHERE uid = $1 ORDER BY resource_version`,
        [uid],
      )
    ).map(({ rv }) => rv);
  const present = async (resource: string, uid: string): Promise<number | undefined> =>
    (await installation.query<{ rv: number }>(`SELECT resource_version::int AS rv FROM k8s.${resource} WHERE uid = $1`, [uid]))[0]?.rv;
  const dlq = (...args: string[]) => installation.once(['dlq', ...args]);
  const idsIn = (topic: string): Promise<string[]> => letters(topic).then((all) => all.map(({ id }) => id));

  it('from the API server: U+0000 in a ConfigMap is a dead letter, a ConfigMap of 1.4 MB is a row, and what follows is too', async () => {
    const namespace = installation.id;
    const collector = installation.start(['collect'], {
      KUBETAPE_RESOURCES: 'configmaps',
      KUBETAPE_NAMESPACES: namespace,
      KUBETAPE_CONFIGMAP_DATA: 'keep',
      KUBETAPE_LEADER_ELECTION: 'false',
    });
    await collector.ready();
    // A byte in the cluster, two in JSON.
    const big = '"'.repeat(400_000) + 'x'.repeat(640_000);
    await servers.kube.create('configmaps', { metadata: { name: 'nul', namespace }, data: { text: 'before\u0000after' } });
    await servers.kube.create('configmaps', { metadata: { name: 'big', namespace }, data: { big } });
    // Whatever partition they are in, one of these comes after them.
    for (let n = 0; n < 12; n += 1) await servers.kube.create('configmaps', { metadata: { name: `after-${n}`, namespace }, data: {} });
    await until('all that can be rows', async () => {
      const rows = await installation.query('SELECT FROM k8s.configmaps WHERE namespace = $1 AND (name = $2 OR name LIKE $3)', [
        namespace,
        'big',
        'after-%',
      ]);
      return rows.length === 13;
    });
    const [row] = await installation.query<{ big: string; bytes: number }>(
      "SELECT object #>> '{data,big}' AS big, length(object::text) AS bytes FROM k8s.configmaps WHERE namespace = $1 AND name = 'big'",
      [namespace],
    );
    assert.ok(row?.big === big && row.bytes > 1_400_000, 'it is whole');
    const [letter, ...more] = await letters(installation.topic('configmaps'));
    assert.deepEqual([letter?.code, letter?.sqlstate, more.length], ['ROW_REJECTED', '22P05', 0]);
    assert.match(letter?.message ?? '', /U\+0000/);
    assert.equal(await collector.stop(), 0);
  });

  it('from anybody: what is no change record is a dead letter, a tombstone without a deletion is nothing, and the partition goes on', async () => {
    const topic = installation.topic('pods');
    const good = (n: number) => changeValue({ op: 'c', uid: uidOf(n), resourceVersion: n });
    const invalid = Buffer.concat([good(900).subarray(0, -3), Buffer.from([0xc3, 0x28]), Buffer.from('"}}')]);
    const [offset = 0] = await produce(servers.stack, topic, 0, [
      { key: 'test/shop/one', value: good(1) },
      { key: 'test/shop/utf8', value: invalid },
      { key: 'test/shop/nothing', value: null },
      { key: 'test/shop/text', value: Buffer.from('this is not JSON') },
      { key: 'test/shop/other', value: Buffer.from('{"hello":"world"}') },
      { key: 'test/shop/uid', value: changeValue({ uid: 'no uuid', resourceVersion: 2 }) },
      { key: 'test/shop/huge', value: changeValue({ uid: uidOf(3), resourceVersion: '99999999999999999999' }) },
      { key: 'test/shop/two', value: good(2) },
    ]);
    await until('the last of them', async () => (await present('pods', uidOf(2))) === 2);
    assert.equal(await present('pods', uidOf(1)), 1);
    const found = await letters(topic);
    assert.deepEqual(
      found.map((letter) => [letter.offset - offset, letter.code]),
      [1, 3, 4, 5, 6].map((at) => [at, 'RECORD_INVALID']),
    );
    const reasons = ['not valid JSON in UTF-8', 'not valid JSON', 'no integer field "v"', 'not a UUID', 'not a number of 63 bits'];
    for (const [at, reason] of reasons.entries()) assert.ok(found[at]?.message.includes(reason), `${found[at]?.message}: ${reason}`);
    await sink.ready();
  });

  it('G2: a letter and the position change together: kill -9 among poison neither loses one nor keeps one twice', async () => {
    const topic = installation.topic('services');
    const bad: number[] = [];
    let version = 0;
    for (let kill = 0; kill < times(4, 40); kill += 1) {
      const records = Array.from({ length: 60 }, () => {
        version += 1;
        const object = version % 7 === 0 ? { kind: 'Service', spec: { note: '\0' } } : { kind: 'Service' };
        return { key: 'k', value: changeValue({ uid: uidOf(version), resourceVersion: version, resource: 'services', object }) };
      });
      const first = version - records.length + 1;
      const offsets = await produce(servers.stack, topic, 1, records);
      bad.push(...offsets.filter((_, at) => (first + at) % 7 === 0));
      await until('some of it to be set aside', async () => (await letters(topic)).length > Math.max(0, bad.length - 9));
      await sink.kill();
      sink = startSink();
    }
    await until('the last of them', async () => (await present('services', uidOf(version))) === version, 60_000);
    assert.deepEqual(
      (await letters(topic)).map(({ offset }) => offset),
      bad,
    );
    const [row] = await installation.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.services_history');
    assert.equal(row?.n, version - bad.length);
  });

  it('a record of a newer kubetape is no dead letter: its partition stops and says so, the others go on, and an upgrade finds it', async () => {
    const topic = installation.topic('statefulsets');
    const of = (n: number) => ({ key: 'k', value: changeValue({ uid: uidOf(n), resourceVersion: n, resource: 'statefulsets' }) });
    const newer = { key: 'k', value: Buffer.from(of(7).value.toString().replace('"v":1', '"v":2')) };
    const [, offset = 0] = await produce(servers.stack, topic, 0, [of(1), newer, of(2)]);
    await produce(servers.stack, topic, 1, [of(3)]);
    await until('the other partition to go on', async () => (await present('statefulsets', uidOf(3))) === 3);
    await until('its own to stop, with a remedy', async () => {
      const { status, text } = await sink.get('/ready');
      return status === 503 && /version 2, this binary knows 1[^"]*Upgrade the sinks/.test(text);
    });
    assert.equal(await present('statefulsets', uidOf(1)), 1, 'what came before it is written');
    assert.equal(await present('statefulsets', uidOf(2)), undefined, 'nothing is left out');
    assert.deepEqual(await letters(topic), []);
    // Instead of an upgrade, here a person passes it over.
    await installation.query('UPDATE k8s.sink_offsets SET next_offset = $2 WHERE topic = $1 AND partition = 0', [topic, offset + 1]);
    await until('it to go on', async () => (await present('statefulsets', uidOf(2))) === 2, 60_000);
    await sink.ready();
  });

  it('dlq list and show: what, where and why; as a table and as JSON', async () => {
    const table = dlq('list', '--resource', 'pods');
    assert.equal(table.status, 0, table.stderr);
    const [header = '', ...rows] = table.stdout.trimEnd().split('\n');
    assert.match(header, /^ID +AGE +RESOURCE +NAMESPACE +NAME +CODE +REASON$/);
    assert.equal(rows.length, 5);
    assert.ok(rows.every((row) => row.indexOf('RECORD_INVALID') === header.indexOf('CODE')));
    assert.match(rows[0] ?? '', /pods +shop +utf8 +RECORD_INVALID +the record is not valid JSON in UTF-8/);
    const { items } = JSON.parse(dlq('list', '--since', '1h', '-o', 'json').stdout) as { items: { resource: string }[] };
    assert.ok(items.some(({ resource }) => resource === 'pods') && items.some(({ resource }) => resource === 'configmaps'));
    assert.match(dlq('list', '--since', '2099-01-01T00:00:00Z').stderr, /No dead letters/);
    const [id = ''] = await idsIn(installation.topic('configmaps'));
    const shown = dlq('show', id);
    assert.equal(shown.status, 0, shown.stderr);
    for (const word of ['SQLSTATE:  22P05', 'U+0000', `${installation.topic('configmaps')}, partition`, '"name": "nul"'])
      assert.ok(shown.stdout.includes(word), `${word} is not in ${shown.stdout}`);
    const text = dlq('show', (await idsIn(installation.topic('pods')))[1] ?? '');
    assert.match(text.stdout, /this is not JSON/);
  });

  it('G5: the dead letter of a Secret shows no value, whoever wrote it and in whatever form', async () => {
    const topic = installation.topic('secrets');
    const object = {
      kind: 'Secret',
      metadata: { annotations: { note: '\0', 'kubectl.kubernetes.io/last-applied-configuration': PASSWORD } },
      data: { password: Buffer.from(PASSWORD).toString('base64') },
      stringData: { password: PASSWORD },
    };
    const embedded = { kind: 'Pod', note: '\0', items: [{ kind: 'Secret', stringData: { password: PASSWORD } }] };
    await produce(servers.stack, topic, 0, [
      { key: 'test/shop/whole', value: changeValue({ uid: uidOf(1), resourceVersion: 1, resource: 'secrets', object }) },
      { key: 'test/shop/text', value: Buffer.from(`password: ${PASSWORD}`) },
      { key: 'test/shop/other', value: Buffer.from(JSON.stringify({ password: PASSWORD })) },
    ]);
    await produce(servers.stack, installation.topic('pods'), 0, [
      { key: 'test/shop/embedded', value: changeValue({ uid: uidOf(50), resourceVersion: 50, object: embedded }) },
    ]);
    await until('the letters', async () => (await letters(topic)).length === 3 && (await letters(installation.topic('pods'))).length === 6);
    const ids = [...(await idsIn(topic)), (await idsIn(installation.topic('pods'))).at(-1) ?? ''];
    const asked = [
      ...ids.flatMap((id) => [
        ['show', id],
        ['show', id, '-o', 'json'],
      ]),
      ['list'],
      ['list', '-o', 'json'],
      ['retry', ...ids],
    ];
    for (const args of asked) {
      const { stdout, stderr } = dlq(...args);
      for (const value of [PASSWORD, Buffer.from(PASSWORD).toString('base64')])
        assert.ok(!stdout.includes(value) && !stderr.includes(value), `dlq ${args.join(' ')} shows a value`);
    }
    const [whole = ''] = await idsIn(topic);
    assert.match(dlq('show', whole).stdout, /"redacted": true/);
    assert.ok(!installation.logText().includes(PASSWORD));
  });

  it('dlq retry: once its cause is gone it is written where it belongs, and never over a newer state', async () => {
    const topic = installation.topic('deployments');
    const of = (uid: string, rv: number) => ({
      key: `test/shop/d-${uid.slice(-2)}`,
      value: changeValue({ uid, resourceVersion: rv, resource: 'deployments' }),
    });
    const [overtaken, alone] = [uidOf(61), uidOf(62)];
    await installation.query('ALTER TABLE k8s.deployments ADD CONSTRAINT odd CHECK (resource_version % 2 = 0) NOT VALID');
    await produce(servers.stack, topic, 0, [of(overtaken, 2), of(overtaken, 3), of(overtaken, 4), of(alone, 5)]);
    await until('both letters', async () => (await letters(topic)).length === 2);
    const [first = '', second = ''] = await idsIn(topic);
    const refused = dlq('retry', first, second);
    assert.equal(refused.status, 1);
    assert.match(refused.stdout, /✔ \d+ .*written to the history; a newer version is the present/);
    assert.match(refused.stdout, /✗ \d+ .*refused: the record was rejected[^\n]*23514/);

    await installation.query('ALTER TABLE k8s.deployments DROP CONSTRAINT odd');
    const tried = dlq('retry', '--all', '--dry-run');
    assert.match(tried.stdout, new RegExp(`✔ ${second} .*would be: written\\n`));
    assert.equal(await present('deployments', alone), undefined, 'a dry run writes nothing');
    const done = dlq('retry', second);
    assert.deepEqual([done.status, done.stderr], [0, '']);
    assert.deepEqual([await present('deployments', alone), await versions('deployments', alone)], [5, [5]]);
    assert.deepEqual([await present('deployments', overtaken), await versions('deployments', overtaken)], [4, [2, 3, 4]]);
    assert.match(dlq('retry', second).stdout, /was written by a retry before/);
    assert.deepEqual(await versions('deployments', alone), [5], 'twice is once');
    const open = JSON.parse(dlq('list', '-o', 'json').stdout) as { items: { id: string }[] };
    assert.ok(!open.items.some(({ id }) => id === first || id === second));
    assert.match(dlq('list', '--retried', '--resource', 'deployments').stdout, /written by a retry/);
    await sink.ready();
  });

  it('dlq: a wrong id, no id and a wrong flag each say what to do: exit 1, 2, 2', () => {
    const unknown = dlq('show', '999999');
    assert.deepEqual([unknown.status, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /no dead letter 999999[^]*dlq list/);
    const nothing = dlq('retry', '999999', '999998');
    assert.equal(nothing.status, 1);
    assert.match(nothing.stderr, /999999, 999998/);
    for (const args of [
      ['show'],
      ['show', 'seven'],
      ['retry'],
      ['retry', '7', '--all'],
      ['list', '--since', 'yesterday'],
      ['list', '--colour'],
    ])
      assert.equal(dlq(...args).status, 2, args.join(' '));
    assert.match(dlq('show', 'seven').stderr, /"seven"[^]*dlq list/);
    assert.equal(dlq('--help').status, 0);
  });
});
