/** Kafka Connect, one worker by itself, with connectors from files. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePorts } from '../stack/ports.ts';
import { endProcess, isAlive, launch, type ProcessId } from '../stack/processes.ts';
import type { Stack } from '../stack/stack.ts';

export interface ConnectSettings {
  /** Where Connect's libraries are. */
  readonly home: string;
  /** Gets its settings, its offsets and connect.log. */
  readonly folder: string;
  /** Property files of connectors. */
  readonly connectors: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly heapMb?: number;
  /** Further settings of the worker, as `name=value`. */
  readonly worker?: readonly string[];
}

export class ConnectWorker {
  readonly #process: ProcessId;
  readonly #url: string;
  readonly #log: string;

  private constructor(process: ProcessId, url: string, log: string) {
    this.#process = process;
    this.#url = url;
    this.#log = log;
  }

  static async start(stack: Stack, settings: ConnectSettings): Promise<ConnectWorker> {
    const { home, folder, connectors, env, heapMb = 512, worker = [] } = settings;
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const file = path.join(folder, 'worker.properties');
    const lines = [
      `bootstrap.servers=${stack.brokers}`,
      'config.providers=env',
      'config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider',
      'key.converter=org.apache.kafka.connect.storage.StringConverter',
      'value.converter=org.apache.kafka.connect.json.JsonConverter',
      `offset.storage.file.filename=${path.join(folder, 'offsets')}`,
      'offset.flush.interval.ms=1000',
      `listeners=${url}`,
      'consumer.auto.offset.reset=earliest',
      'consumer.isolation.level=read_committed',
      ...worker,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const args = [
      `-Xmx${heapMb}m`,
      '-cp',
      path.join(home, 'libs', '*'),
      'org.apache.kafka.connect.cli.ConnectStandalone',
      file,
      ...connectors,
    ];
    const log = path.join(folder, 'connect.log');
    return new ConnectWorker(launch({ command: 'java', args, ...(env === undefined ? {} : { env }) }, log), url, log);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** @throws when it has ended, or a task of the connector has failed: Connect itself goes on then, without a word */
  async check(connector: string): Promise<void> {
    if (!isAlive(this.#process)) throw new Error(`Kafka Connect ended: ${readFileSync(this.#log, 'utf8').slice(-3000)}`);
    const status = await fetch(`${this.#url}/connectors/${connector}/status`).catch(() => null);
    if (status?.ok !== true) return;
    const { tasks = [] } = (await status.json()) as { tasks?: readonly { state: string; trace?: string }[] };
    const failed = tasks.find(({ state }) => state === 'FAILED');
    if (failed === undefined) return;
    const causes = (failed.trace ?? '').split('\n').filter((line) => !line.startsWith('\tat '));
    throw new Error(`the connector ${connector} failed: ${causes.join(' ')}`);
  }

  end(): Promise<void> {
    return endProcess(this.#process, 20_000);
  }
}
