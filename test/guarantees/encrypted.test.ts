/** Kafka and Postgres that let nobody in without TLS and a name: the pipeline through them, and what goes wrong at the door. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { Stack } from '../../scripts/stack/stack.ts';
import { Authority, type PemFiles } from '../support/certificates.ts';
import { Kube, until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { secureKafka, type SecureKafka } from '../support/secure-kafka.ts';
import { ownStack } from '../support/stack.ts';

const USERS = {
  admin: { name: 'kubetape', password: 'kafka-password-1' },
  stranger: { name: 'stranger', password: 'kafka-password-2' },
  certificate: 'kubetape-client',
};
const DATABASE_PASSWORD = 'postgres-password-3';
const WRONG_PASSWORD = 'mistyped-password-4';

describe('TLS and passwords', () => {
  let dir: string;
  let stack: Stack;
  let kube: Kube;
  let broker: SecureKafka;
  let authority: Authority;
  let stranger: Authority;
  let client: PemFiles;
  let installation: Installation;

  before(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'kubetape-encrypted-'));
    chmodSync(dir, 0o755);
    stack = await ownStack('encrypted');
    kube = new Kube(stack);
    authority = await Authority.create(dir, 'authority');
    stranger = await Authority.create(dir, 'another-authority');
    const server = await authority.issue('server', ['127.0.0.1']);
    client = await authority.issue(USERS.certificate, []);
    broker = await secureKafka(stack, server, authority.caFile, USERS);
    await securePostgres(server);
    installation = new Installation(stack, 'encrypted');
    await installation.createDatabase();
  });
  after(async () => {
    await installation.close();
    kube.close();
    await broker.close();
    await stack.reset();
    rmSync(dir, { recursive: true });
  });

  /** TLS for all, and a user who must give a password over it; the tests' own superuser stays as it was. */
  async function securePostgres(server: PemFiles): Promise<void> {
    const owner = statSync(path.join(stack.dir, 'postgres'));
    chownSync(server.key, owner.uid, owner.gid);
    const admin = new pg.Client({ connectionString: stack.databaseUrl });
    await admin.connect();
    await admin.query(`CREATE ROLE recorder SUPERUSER LOGIN PASSWORD '${DATABASE_PASSWORD}'`);
    await admin.query(`ALTER SYSTEM SET ssl_cert_file = '${server.cert}'`);
    await admin.query(`ALTER SYSTEM SET ssl_key_file = '${server.key}'`);
    await admin.query(`ALTER SYSTEM SET ssl_ca_file = '${authority.caFile}'`);
    await admin.query('ALTER SYSTEM SET ssl = on');
    writeFileSync(
      path.join(stack.dir, 'postgres', 'pg_hba.conf'),
      'host all postgres 127.0.0.1/32 trust\nhostssl all recorder 127.0.0.1/32 scram-sha-256\n',
    );
    await admin.query('SELECT pg_reload_conf()');
    await admin.end();
  }

  const databaseUrl = (password = DATABASE_PASSWORD): string => {
    const url = new URL(installation.databaseUrl);
    url.username = 'recorder';
    url.password = password;
    return url.toString();
  };
  const scram = (over: Record<string, string> = {}): Record<string, string> => ({
    KAFKA_BROKERS: broker.sasl,
    KUBETAPE_KAFKA_TLS: 'true',
    KUBETAPE_KAFKA_TLS_CA_FILE: authority.caFile,
    KUBETAPE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KUBETAPE_KAFKA_SASL_USERNAME: USERS.admin.name,
    KUBETAPE_KAFKA_SASL_PASSWORD: USERS.admin.password,
    DATABASE_URL: databaseUrl(),
    KUBETAPE_DATABASE_TLS: 'verify-full',
    KUBETAPE_DATABASE_TLS_CA_FILE: authority.caFile,
    ...over,
  });
  const mutual = (): Record<string, string> => ({
    KAFKA_BROKERS: broker.mutual,
    KUBETAPE_KAFKA_TLS: 'true',
    KUBETAPE_KAFKA_TLS_CA_FILE: authority.caFile,
    KUBETAPE_KAFKA_TLS_CERT_FILE: client.cert,
    KUBETAPE_KAFKA_TLS_KEY_FILE: client.key,
  });

  /** The line of `check` on an area, with its remedy; whatever it says, it says no password. */
  function checkLine(area: string, name: string, env: Record<string, string>): { ok: boolean; text: string } {
    const { stdout, stderr } = installation.once(['check', '-o', 'json'], env);
    for (const password of [USERS.admin.password, USERS.stranger.password, DATABASE_PASSWORD, WRONG_PASSWORD])
      assert.ok(!`${stdout}${stderr}`.includes(password), 'a password is in the output');
    const { checks } = JSON.parse(stdout) as { checks: { area: string; name: string; ok: boolean; message: string; remedy?: string }[] };
    const line = checks.find((one) => one.area === area && one.name === name);
    return { ok: line?.ok === true, text: `${line?.message ?? stdout} → ${line?.remedy ?? ''}` };
  }

  it('SCRAM over TLS and verify-full: topics, migrate, check and the pipeline', async () => {
    const created = installation.once(['topics'], scram());
    assert.equal(created.status, 0, created.stderr);
    const migrated = installation.once(['migrate'], scram());
    assert.equal(migrated.status, 0, migrated.stderr);
    const checked = installation.once(['check'], scram());
    assert.equal(checked.status, 0, checked.stdout);
    const running = installation.start(['run'], scram());
    await running.ready();
    await kube.namespace(installation.id);
    await kube.create('configmaps', { metadata: { name: 'through-tls', namespace: installation.id }, data: { a: 'b' } });
    await until('the row', async () => (await installation.query("SELECT FROM k8s.configmaps WHERE name = 'through-tls'")).length === 1);
    const [connection] = await installation.query<{ encrypted: boolean }>(
      "SELECT bool_and(s.ssl) AS encrypted FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'recorder'",
    );
    assert.equal(connection?.encrypted, true);
    assert.equal(await running.stop(), 0);
    assert.ok(!installation.logText().includes(USERS.admin.password) && !installation.logText().includes(DATABASE_PASSWORD));
  });

  it('PLAIN, and certificates on both sides: the policies of topics can be read and set too', () => {
    const plain = installation.once(['topics'], scram({ KUBETAPE_KAFKA_SASL_MECHANISM: 'PLAIN' }));
    assert.equal(plain.status, 0, plain.stderr);
    assert.doesNotMatch(plain.stdout + plain.stderr, /not known/);
    const certified = installation.once(['topics', '--resources', 'pods,nodes'], mutual());
    assert.equal(certified.status, 0, certified.stderr);
    assert.match(certified.stdout + certified.stderr, /k8s-nodes created/);
    assert.doesNotMatch(certified.stdout + certified.stderr, /not known/);
  });

  it('a wrong password of Kafka is named by check, and ends the roles with the remedy', async () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-512']) {
      const env = scram({ KUBETAPE_KAFKA_SASL_MECHANISM: mechanism, KUBETAPE_KAFKA_SASL_PASSWORD: WRONG_PASSWORD });
      const { ok, text } = checkLine('kafka', 'brokers', env);
      assert.ok(!ok && /authentication/i.test(text) && text.includes('SASL'), text);
    }
    const wrong = scram({ KUBETAPE_KAFKA_SASL_PASSWORD: WRONG_PASSWORD });
    const topics = installation.once(['topics'], wrong);
    assert.equal(topics.status, 1);
    assert.match(topics.stderr, /authentication/i);
    const roles = ['collect', 'sink'].map((role) => installation.start([role], wrong));
    for (const running of roles) assert.equal(await running.exited, 1);
    assert.ok(!installation.logText().includes(WRONG_PASSWORD));
  });

  it('a user without rights is told so', async () => {
    const env = scram({
      KUBETAPE_KAFKA_SASL_USERNAME: USERS.stranger.name,
      KUBETAPE_KAFKA_SASL_PASSWORD: USERS.stranger.password,
    });
    const { status, stderr } = installation.once(['topics'], env);
    assert.equal(status, 1);
    assert.match(stderr, /authoriz/i);
    assert.match(stderr, /ACL/);
  });

  it("a broker's certificate of another authority, or for another name, is refused; verify=ca and none say less", () => {
    const other = checkLine('kafka', 'brokers', scram({ KUBETAPE_KAFKA_TLS_CA_FILE: stranger.caFile }));
    assert.ok(!other.ok && /certificate/i.test(other.text), other.text);
    const name = { KAFKA_BROKERS: broker.sasl.replace('127.0.0.1', 'localhost') };
    const wrongName = checkLine('kafka', 'brokers', scram(name));
    assert.ok(!wrongName.ok && /certificate|hostname/i.test(wrongName.text), wrongName.text);
    assert.ok(checkLine('kafka', 'brokers', scram({ ...name, KUBETAPE_KAFKA_TLS_VERIFY: 'ca' })).ok);
    assert.ok(checkLine('kafka', 'brokers', scram({ KUBETAPE_KAFKA_TLS_CA_FILE: stranger.caFile, KUBETAPE_KAFKA_TLS_VERIFY: 'none' })).ok);
  });

  it('speaking plainly with a listener that wants TLS is told apart from a broker that is away', () => {
    const { ok, text } = checkLine('kafka', 'brokers', scram({ KUBETAPE_KAFKA_TLS: 'false', KUBETAPE_KAFKA_TLS_CA_FILE: '' }));
    assert.ok(!ok && /TLS|SSL/.test(text), text);
  });

  it('a wrong password of the database, and a certificate of another authority, each have a line with the remedy', () => {
    const password = checkLine('postgres', 'server', scram({ DATABASE_URL: databaseUrl(WRONG_PASSWORD) }));
    assert.ok(!password.ok && /password/.test(password.text), password.text);
    const other = checkLine('postgres', 'server', scram({ KUBETAPE_DATABASE_TLS_CA_FILE: stranger.caFile }));
    assert.ok(!other.ok && /certificate/i.test(other.text), other.text);
    const plainly = checkLine('postgres', 'server', scram({ KUBETAPE_DATABASE_TLS: 'disable' }));
    assert.ok(!plainly.ok && /no encryption|pg_hba/.test(plainly.text), plainly.text);
  });
});
