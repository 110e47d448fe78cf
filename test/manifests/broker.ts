/** The in-cluster Kafka as its manifests describe it, started on this machine: each pod a process, on ports of its own. */
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import assert from 'node:assert/strict';
import { KAFKA_HOME } from '../../scripts/setup/places.mjs';
import { freePorts } from '../../scripts/stack/ports.ts';
import { endProcess, isAlive, launch, type ProcessId } from '../../scripts/stack/processes.ts';
import { until } from '../support/kube.ts';
import { containersOf, type Container, type Manifest, workloadsOf } from './rendering.ts';

export interface TlsFiles {
  /** Key and chain in one file. */
  readonly combined: string;
  readonly ca: string;
}

export class Brokers {
  readonly #folder: string;
  readonly #processes: ProcessId[] = [];
  readonly ports: readonly number[];

  private constructor(folder: string, ports: readonly number[]) {
    this.#folder = folder;
    this.ports = ports;
  }

  get addresses(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(',');
  }

  /** As many as the StatefulSet has replicas. */
  static async start(folder: string, manifests: readonly Manifest[], tls: TlsFiles | null): Promise<Brokers> {
    const workload = workloadsOf(manifests).find(({ name }) => name === 'StatefulSet/kubetape-kafka') ?? assert.fail('no Kafka');
    const files = manifests.find(({ kind, data }) => kind === 'ConfigMap' && data?.['server.properties'] !== undefined)?.data ?? {};
    const replicas = workload.manifest.spec?.['replicas'] as number;
    const ports = await freePorts(replicas * 2);
    const brokers = new Brokers(folder, ports.slice(0, replicas));
    const controllers = ports.slice(replicas);
    const [format, server] = containersOf(workload.pod);
    for (let id = 0; id < replicas; id += 1) {
      const dir = path.join(folder, `broker-${id}`);
      mkdirSync(dir, { recursive: true });
      const places = {
        'BROKER://:9092,CONTROLLER://:9093': `BROKER://127.0.0.1:${ports[id]},CONTROLLER://127.0.0.1:${controllers[id]}`,
        // Kafka's own reference, not one of JavaScript.
        [`\${env:KAFKA_HOST}:9092`]: `\${env:KAFKA_HOST}:${ports[id]}`,
        '/var/lib/kafka': dir,
        '/etc/kafka-tls/tls-combined.pem': tls?.combined ?? '/nowhere',
        '/etc/kafka-tls/ca.crt': tls?.ca ?? '/nowhere',
      };
      let properties = files['server.properties'] ?? '';
      for (const [from, to] of Object.entries(places)) {
        assert.ok(properties.includes(from), `server.properties has no ${from}`);
        properties = properties.replaceAll(from, to);
      }
      writeFileSync(path.join(dir, 'server.properties'), properties);
      writeFileSync(path.join(dir, 'log4j2.yaml'), files['log4j2.yaml'] ?? '');
      const voters = (text: string): string =>
        text.replaceAll(/(\d+)@[^,]+/g, (_all, voter: string) => `${voter}@127.0.0.1:${controllers[Number(voter)]}`);
      const env = environmentOf(server ?? assert.fail(), { KAFKA_NODE_ID: String(id), KAFKA_HOST: '127.0.0.1' }, dir);
      env['KAFKA_VOTERS'] = voters(env['KAFKA_VOTERS'] ?? '');
      const local = (word: string): string =>
        word.replaceAll('/etc/kafka', dir).replaceAll(/\$\((\w+)\)/g, (_all, name: string) => env[name] ?? '');
      assert.deepEqual(format?.command, ['/opt/kafka/bin/kafka-storage.sh']);
      execFileSync('java', [...java(env), 'kafka.tools.StorageTool', ...(format?.args ?? []).map(local)], {
        env: { ...process.env, ...env },
        stdio: 'ignore',
      });
      assert.deepEqual(server?.command, ['/opt/kafka/bin/kafka-server-start.sh']);
      brokers.#processes.push(
        launch({ command: 'java', args: [...java(env), 'kafka.Kafka', ...(server?.args ?? []).map(local)], env }, path.join(dir, 'log')),
      );
    }
    try {
      await brokers.#ready();
    } catch (error) {
      await brokers.close();
      throw error;
    }
    return brokers;
  }

  /** As the probe of the pods sees it: who listens has joined the quorum. */
  async #ready(): Promise<void> {
    await until(
      'the brokers',
      async () => {
        this.#processes.forEach((id, at) => {
          if (!isAlive(id)) throw new Error(`broker ${at} ended: ${this.log(at).slice(-2000)}`);
        });
        return (await Promise.all(this.ports.map(listens))).every(Boolean);
      },
      90_000,
    );
  }

  log(at: number): string {
    return readFileSync(path.join(this.#folder, `broker-${at}`, 'log'), 'utf8');
  }

  /** As if its machine had failed. */
  async kill(at: number): Promise<void> {
    const id = this.#processes[at] ?? assert.fail();
    await endProcess(id, 0, 'SIGKILL');
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((id) => endProcess(id, 0, 'SIGKILL')));
  }
}

/** A class of the Kafka distribution, run to its end. */
export function kafkaTool(className: string, args: readonly string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync('java', ['-Xmx256m', '-cp', path.join(KAFKA_HOME, 'libs', '*'), className, ...args], {
    encoding: 'utf8',
    input,
    timeout: 60_000,
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

function java(env: Readonly<Record<string, string>>): string[] {
  const words = (name: string): string[] => (env[name] ?? '').split(' ').filter((word) => word !== '');
  return [
    ...words('KAFKA_HEAP_OPTS').map((word) => word.replace(/^-X(m[sx]).*/, '-X$1256m')),
    ...words('KAFKA_LOG4J_OPTS'),
    '-cp',
    path.join(KAFKA_HOME, 'libs', '*'),
  ];
}

function environmentOf(container: Container, given: Readonly<Record<string, string>>, dir: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, value } of container.env ?? []) env[name] = given[name] ?? (value ?? '').replaceAll('/etc/kafka', dir);
  return env;
}
