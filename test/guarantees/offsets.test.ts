/** What the sink is to go on from is not there, or not what it was: it says what to do, and never goes on with a hole. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { changeValue, uidOf } from '../sinks/fakes.ts';
import { until } from '../support/kube.ts';
import { Installation, type Running } from '../support/kubetape.ts';
import { produce } from '../support/produce.ts';
import { sharedServers } from '../support/servers.ts';
import { createTopic, deleteRecordsBefore, deleteTopic } from '../support/topics.ts';

/** The log of events has a beginning that moves: theirs is the one topic that is not compacted. */
const RESOURCES = 'pods,services,events';

describe('a position that is lost', () => {
  const servers = sharedServers();
  let installation: Installation;
  let version = 0;

  before(async () => {
    installation = await Installation.create(servers.stack, 'offsets', RESOURCES);
  });
  after(async () => installation.close());

  function sink(): Running {
    return installation.start(['sink'], { KUBETAPE_RESOURCES: RESOURCES, KUBETAPE_SINK_INSTANCE_ID: 'one' });
  }

  /** Changes of as many objects, in one partition. @returns their versions */
  async function change(resource: string, partition: number, count: number): Promise<number[]> {
    const made = Array.from({ length: count }, (_, at) => version + at + 1);
    version += count;
    const records = made.map((n) => ({ key: `k-${n}`, value: changeValue({ uid: uidOf(n), resourceVersion: n, resource }) }));
    await produce(servers.stack, installation.topic(resource), partition, records);
    return made;
  }

  async function versions(resource: string): Promise<number[]> {
    const rows = await installation.query<{ rv: number }>(`SELECT resource_version::int AS rv FROM k8s.${resource}_history ORDER BY 1`);
    return rows.map(({ rv }) => rv);
  }

  const arrived = (resource: string, wanted: readonly number[]): Promise<void> =>
    until(`versions ${wanted.join(', ')} of ${resource}`, async () => {
      const there = new Set(await versions(resource));
      return wanted.every((one) => there.has(one));
    });

  /** Waits until a partition is refused. @returns the statement that its reason recommends */
  async function refused(running: Running, name: string, why: RegExp): Promise<string> {
    let reason = '';
    await until(`${name} to be refused`, async () => {
      const { status, text } = await running.get('/ready');
      const { checks } = JSON.parse(text) as { checks: { name: string; reason?: string }[] };
      reason = checks.find((check) => check.name.endsWith(name))?.reason ?? '';
      return status === 503 && why.test(reason);
    });
    const [statement] = /(?:DELETE|UPDATE)[^;]+;/.exec(reason) ?? [];
    assert.ok(statement !== undefined, `what to do is not in: ${reason}`);
    return statement;
  }

  async function createAgain(resource: string): Promise<void> {
    await deleteTopic(servers.stack, installation.topic(resource));
    await createTopic(servers.stack, installation.topic(resource), 3);
  }

  it('D1 no silent jump: a topic that was created again while the sink was away, with offsets that look right', async () => {
    const first = sink();
    const old = await change('pods', 0, 5);
    await arrived('pods', old);
    assert.equal(await first.stop(), 0);
    await createAgain('pods');
    const fresh = await change('pods', 0, 9);
    const second = sink();
    const remedy = await refused(second, 'k8s-pods/0', /deleted and created again since offset 5 was written[^]*lost to the history/);
    const others = await change('services', 0, 3);
    await arrived('services', others);
    assert.deepEqual(await versions('pods'), old, 'nothing of the new topic before somebody decided');
    await installation.query(remedy);
    await arrived('pods', fresh);
    await second.ready();
    assert.equal(await second.stop(), 0);
  });

  it('D1 no silent jump: a topic that is created again while the sink runs', async () => {
    const running = sink();
    await running.ready();
    const old = await versions('pods');
    await createAgain('pods');
    const fresh = await change('pods', 1, 40);
    const remedy = await refused(running, 'k8s-pods/1', /created again/);
    const others = await change('services', 1, 3);
    await arrived('services', others);
    assert.deepEqual(await versions('pods'), old);
    await installation.query(remedy);
    await arrived('pods', fresh);
    await running.ready();
    assert.equal(await running.stop(), 0);
  });

  it('D1 no silent jump: retention overtook the sink while it was away', async () => {
    const lost = await change('events', 2, 6);
    const kept = await change('events', 2, 4);
    await deleteRecordsBefore(servers.stack, installation.topic('events'), 2, 6);
    const running = sink();
    const remedy = await refused(running, 'k8s-events/2', /begins at offset 6, but the database expects 0 next: 6 offsets were deleted/);
    const there = await versions('events');
    assert.ok(kept.every((one) => !there.includes(one)));
    await installation.query(remedy);
    await arrived('events', kept);
    assert.ok(!(await versions('events')).some((one) => lost.includes(one)));
    await running.ready();
    assert.equal(await running.stop(), 0);
  });

  it('D1 no silent jump: the database is ahead of this Kafka', async () => {
    const where = `topic = '${installation.topic('services')}' AND partition = 0`;
    const [stored] = await installation.query<{ n: number }>(`SELECT next_offset::int AS n FROM k8s.sink_offsets WHERE ${where}`);
    await installation.query(`UPDATE k8s.sink_offsets SET next_offset = 1000000 WHERE ${where}`);
    const running = sink();
    await refused(running, 'k8s-services/0', /ends at offset \d+, but the database has it up to 1000000[^]*another Kafka/);
    // It was a slip: a person puts it right.
    await installation.query(`UPDATE k8s.sink_offsets SET next_offset = $1 WHERE ${where}`, [stored?.n]);
    await running.ready();
    await arrived('services', await change('services', 0, 2));
    assert.equal(await running.stop(), 0);
  });

  it('G8 rebuild: the schema goes while the sink runs: it says `kubetape migrate`, and afterwards fills it from Kafka', async () => {
    const running = sink();
    await running.ready();
    const before = await installation.query("SELECT uid, resource_version, object FROM k8s.pods WHERE name <> '' ORDER BY uid");
    await installation.query('DROP SCHEMA k8s CASCADE');
    await change('pods', 0, 1);
    await until('/ready to name the remedy', async () => (await running.get('/ready')).text.includes('kubetape migrate'));
    assert.equal(installation.once(['migrate']).status, 0);
    const held = await installation.read([installation.topic('pods')]);
    await until('all that Kafka holds', async () => (await versions('pods')).length === held.length, 60_000);
    const after_ = await installation.query('SELECT uid, resource_version, object FROM k8s.pods ORDER BY uid');
    for (const row of after_.slice(0, -1)) assert.ok(before.some((one) => JSON.stringify(one) === JSON.stringify(row)));
    await running.ready();
    assert.equal(await running.stop(), 0);
  });

  it('a schema of a newer kubetape: the sink ends and says which is to be upgraded', async () => {
    await installation.query("INSERT INTO k8s.schema_migrations (version, name, checksum) VALUES (9999, 'of tomorrow', '')");
    const running = sink();
    assert.equal(await running.exited, 1);
    const words = installation.logText();
    for (const word of ['at version 9999, this kubetape knows', 'by a newer kubetape; upgrade this one'])
      assert.ok(words.includes(word), word);
    await installation.query('DELETE FROM k8s.schema_migrations WHERE version = 9999');
  });
});
