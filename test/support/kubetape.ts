/** The product as a user runs it: its own processes against the real servers, each test with names of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { ROOT } from '../../scripts/setup/places.mjs';
import type { Stack } from '../../scripts/stack/stack.ts';
import { topicOf } from '../../src/events/resource.ts';
import { TopicReader } from '../../src/kafka/reader.ts';
import type { LogMessage } from '../../src/capture/ports.ts';
import { until } from './kube.ts';

let count = 0;

/** Topic prefix, database and cluster name of one test, made by the product's own roles. */
export class Installation {
  readonly stack: Stack;
  readonly id: string;
  readonly cluster: string;
  readonly databaseUrl: string;
  readonly logs: string;
  readonly processes: Running[] = [];
  #pool: pg.Pool | null = null;

  constructor(stack: Stack, name: string) {
    count += 1;
    this.stack = stack;
    this.id = `${name}-${process.pid}-${count}-${Date.now().toString(36)}`;
    this.cluster = `test-${name}`;
    const url = new URL(stack.databaseUrl);
    url.pathname = `/${this.database}`;
    this.databaseUrl = url.toString();
    this.logs = path.join(tmpdir(), `kubetape-test-${this.id}`);
    mkdirSync(this.logs, { recursive: true });
  }

  get database(): string {
    return this.id.replaceAll('-', '_');
  }

  get topicPrefix(): string {
    return `${this.id}.`;
  }

  topic(resource: string): string {
    return topicOf(resource, this.topicPrefix);
  }

  /** What the roles read; nothing else of the caller's environment that could be meant for kubetape. */
  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.logs,
      ...this.stack.env,
      DATABASE_URL: this.databaseUrl,
      KUBETAPE_TOPIC_PREFIX: this.topicPrefix,
      KUBETAPE_CLUSTER: this.cluster,
      KUBETAPE_HTTP_PORT: '0',
      KUBETAPE_LOG_FORMAT: 'json',
      KUBETAPE_HMAC_KEY: 'the key of the tests',
    };
  }

  static async create(stack: Stack, name: string, resources?: string): Promise<Installation> {
    const installation = new Installation(stack, name);
    await installation.createDatabase();
    const topics = installation.once(['topics', ...(resources === undefined ? [] : ['--resources', resources])]);
    if (topics.status !== 0) throw new Error(`topics failed: ${topics.stderr}`);
    const migrated = installation.once(['migrate']);
    if (migrated.status !== 0) throw new Error(`migrate failed: ${migrated.stderr}`);
    return installation;
  }

  async createDatabase(): Promise<void> {
    const admin = new pg.Client({ connectionString: this.stack.databaseUrl });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${this.database}`);
    await admin.end();
  }

  /** Runs a verb to its end. */
  once(args: readonly string[], env: Record<string, string> = {}): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [path.join(ROOT, 'src', 'main.ts'), ...args], {
      encoding: 'utf8',
      env: { ...this.env, ...env },
      timeout: 60_000,
    });
  }

  start(args: readonly string[], env: Record<string, string> = {}): Running {
    const log = path.join(this.logs, `${args[0]}-${this.processes.length}.log`);
    const child = spawn(process.execPath, [path.join(ROOT, 'src', 'main.ts'), ...args], {
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = new Running(child, log);
    this.processes.push(running);
    return running;
  }

  async query<R extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<R[]> {
    if (this.#pool === null) {
      this.#pool = new pg.Pool({ connectionString: this.databaseUrl, max: 2 });
      // A session that is ended while nobody uses it: the next query gets another.
      this.#pool.on('error', () => undefined);
    }
    const { rows } = await this.#pool.query<R>(text, values);
    return rows;
  }

  /** Committed records of topics, in the order of each partition. */
  async read(topics: readonly string[]): Promise<LogMessage[]> {
    const messages: LogMessage[] = [];
    const reader = new TopicReader({ brokers: [this.stack.brokers], clientId: 'test' });
    await reader.readToEnd(
      topics,
      (message) => messages.push({ ...message, value: message.value === null ? null : Buffer.from(message.value) }),
      AbortSignal.timeout(60_000),
    );
    return messages;
  }

  /** All that the processes wrote. */
  logText(): string {
    return this.processes.map(({ log }) => readFileSync(log, 'utf8')).join('\n');
  }

  async close(): Promise<void> {
    for (const running of this.processes) await running.kill();
    // The end of a pool does not wait for its connections; the drop below cuts those that are left.
    this.#pool?.on('error', () => undefined);
    await this.#pool?.end();
    const admin = new pg.Client({ connectionString: this.stack.databaseUrl });
    await admin.connect();
    await admin.query(`DROP DATABASE IF EXISTS ${this.database} WITH (FORCE)`);
    await admin.end();
  }
}

export class Running {
  readonly child: ChildProcess;
  readonly log: string;
  readonly exited: Promise<number | null>;
  #url: string | null = null;

  constructor(child: ChildProcess, log: string) {
    this.child = child;
    this.log = log;
    const file = createWriteStream(log);
    child.stdout?.pipe(file, { end: false });
    child.stderr?.pipe(file, { end: false });
    this.exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The address of its port, as it says in its log. */
  async url(): Promise<string> {
    if (this.#url !== null) return this.#url;
    await until('the port of a role', () => {
      const match = /"url":"(http:[^"]+)"/.exec(readFileSync(this.log, 'utf8'));
      if (match?.[1] !== undefined) this.#url = match[1];
      if (!this.alive) throw new Error(`it ended: ${readFileSync(this.log, 'utf8').slice(-500)}`);
      return this.#url !== null;
    });
    return this.#url ?? '';
  }

  async get(pathname: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`${await this.url()}${pathname}`);
    return { status: response.status, text: await response.text() };
  }

  async ready(timeoutMs = 40_000): Promise<void> {
    let last = '';
    await until(
      'a role to be ready',
      async () => {
        if (!this.alive) throw new Error(`it ended: ${readFileSync(this.log, 'utf8').slice(-1000)}`);
        const { status, text } = await this.get('/ready');
        last = text;
        return status === 200;
      },
      timeoutMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${last}`, { cause: error.cause });
    });
  }

  /** SIGTERM, and the exit code it leads to. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }

  async kill(): Promise<void> {
    if (this.alive) this.child.kill('SIGKILL');
    await this.exited;
  }
}
