/** G5: no value of a Secret leaves the collector. A canary is searched for as bytes, wherever something could lie. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PATHS, until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedServers } from '../support/servers.ts';

/** The forms in which a value might come by: as it is, in base64 at each alignment, in hex, escaped. */
function formsOf(value: string): Buffer[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${value}`)
      .toString('base64')
      .slice(4, -4),
  );
  return [value, ...base64, Buffer.from(value).toString('hex'), encodeURIComponent(value)].map((form) => Buffer.from(form));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    return statSync(file).isDirectory() ? filesBelow(file) : [file];
  });
}

describe('G5: no value of a Secret leaves the collector', () => {
  const servers = sharedServers();
  let installation: Installation;

  before(async () => {});
  after(async () => {
    await installation?.close();
  });

  function kubectl(args: readonly string[], input: unknown): void {
    const { status, stderr } = spawnSync(servers.stack.kubectl, [`--kubeconfig=${servers.stack.kubeconfig}`, ...args], {
      input: JSON.stringify(input),
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }

  /** Everything that is not the API server's own. */
  async function everywhere(metrics: string): Promise<Map<string, Buffer>> {
    const places = new Map<string, Buffer>();
    const topics = [
      ...Object.keys(PATHS).map((resource) => installation.topic(resource)),
      `${installation.topicPrefix}shared-state`,
      `${installation.topicPrefix}event-stream`,
      `${installation.topicPrefix}kubetape-checkpoints`,
    ];
    const messages = await installation.read(topics);
    places.set('topics', Buffer.concat(messages.flatMap(({ key, value }) => [Buffer.from(key), value ?? Buffer.alloc(0)])));
    const tables = await installation.query<{ name: string }>(
      "SELECT quote_ident(relname) AS name FROM pg_class WHERE relnamespace = 'k8s'::regnamespace AND relkind = 'r'",
    );
    for (const { name } of tables)
      places.set(`table ${name}`, Buffer.from(JSON.stringify(await installation.query(`SELECT t.*::text FROM k8s.${name} AS t`))));
    places.set('logs', Buffer.from(installation.logText()));
    places.set('metrics', Buffer.from(metrics));
    return places;
  }

  async function captured(
    name: string,
    env: Record<string, string>,
    work: (namespace: string) => Promise<void>,
  ): Promise<Map<string, Buffer>> {
    installation = await Installation.create(servers.stack, name);
    await servers.kube.namespace(installation.id);
    const running = installation.start(['run', '--log-level', 'debug'], env);
    await running.ready();
    await work(installation.id);
    const { text } = await running.get('/metrics');
    await running.stop();
    return everywhere(text);
  }

  it('a Secret applied, updated and deleted with kubectl is nowhere to be found, and its change shows by its HMAC', async () => {
    const values = [randomBytes(18).toString('hex'), randomBytes(18).toString('hex'), randomBytes(18).toString('hex')];
    const [first = '', second = '', third = ''] = values;
    const configValue = randomBytes(18).toString('hex');
    const places = await captured('canary', {}, async (namespace) => {
      const secret = (data: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'canary', namespace }, ...data });
      kubectl(['apply', '-f', '-'], secret({ data: { password: Buffer.from(first).toString('base64') } }));
      kubectl(['apply', '-f', '-'], secret({ stringData: { password: second, other: third } }));
      kubectl(['apply', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'canary', namespace },
        data: { 'app.conf': configValue },
        binaryData: { raw: Buffer.from(configValue).toString('base64') },
      });
      const { metadata } = await servers.kube.call('GET', servers.kube.path('secrets', namespace, 'canary'));
      assert.ok(JSON.stringify(metadata).includes('last-applied-configuration'), 'the case that leaks elsewhere must be the case here');
      await servers.kube.remove('secrets', namespace, 'canary');
      await until(
        'the deletion',
        async () => (await installation.query("SELECT FROM k8s.secrets_history WHERE name = 'canary' AND op = 'd'")).length === 1,
      );
      await until('the ConfigMap', async () => (await installation.query("SELECT FROM k8s.configmaps WHERE name = 'canary'")).length === 1);
    });
    for (const value of [...values, configValue]) {
      for (const form of formsOf(value)) for (const [place, bytes] of places) assert.equal(bytes.indexOf(form), -1, `found in ${place}`);
    }
    // What is on disk, the whole of it: log segments and the files of the database.
    for (const folder of ['kafka/data', 'postgres']) {
      for (const file of filesBelow(path.join(servers.stack.dir, folder))) {
        const bytes = readFileSync(file);
        for (const value of values) for (const form of formsOf(value)) assert.equal(bytes.indexOf(form), -1, `found in ${file}`);
      }
    }
    const history = await installation.query<{ op: string; mark: { hmac: string; bytes: number } }>(
      "SELECT op::text AS op, object #> '{data,password}' AS mark FROM k8s.secrets_history WHERE name = 'canary' ORDER BY resource_version",
    );
    const hmacs = history.map(({ mark }) => mark.hmac);
    assert.equal(history[0]?.mark.bytes, first.length);
    assert.match(hmacs[0] ?? '', /^[0-9a-f]{64}$/);
    assert.notEqual(hmacs[0], hmacs[1], 'a changed value has another HMAC');
    assert.equal(hmacs[1], hmacs[2], 'a deletion changes no value');
    const [keys] = await installation.query<{ keys: string[] }>("SELECT keys FROM k8s.secrets WHERE name = 'canary'");
    assert.deepEqual(keys?.keys, ['other', 'password']);
    await installation.close();
  });

  it('--configmap-data=keep records ConfigMaps in clear, and Secrets still not', async () => {
    const value = randomBytes(18).toString('hex');
    const secret = randomBytes(18).toString('hex');
    const places = await captured('keep', { KUBETAPE_CONFIGMAP_DATA: 'keep' }, async (namespace) => {
      await servers.kube.create('configmaps', { metadata: { name: 'clear', namespace }, data: { a: value } });
      await servers.kube.create('secrets', { metadata: { name: 'hidden', namespace }, stringData: { a: secret } });
      await until(
        'both',
        async () =>
          (
            await installation.query(
              "SELECT FROM k8s.configmaps WHERE name = 'clear' UNION ALL SELECT FROM k8s.secrets WHERE name = 'hidden'",
            )
          ).length === 2,
      );
    });
    const [row] = await installation.query<{ value: string }>(
      "SELECT object #>> '{data,a}' AS value FROM k8s.configmaps WHERE name = 'clear'",
    );
    assert.equal(row?.value, value);
    for (const form of formsOf(secret)) for (const [place, bytes] of places) assert.equal(bytes.indexOf(form), -1, `found in ${place}`);
  });
});
