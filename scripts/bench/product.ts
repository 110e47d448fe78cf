/** kubetape as its users run it, each role a process, with topics and a database of one run's own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { ROOT } from '../setup/places.mjs';
import { freePorts } from '../stack/ports.ts';
import type { Stack } from '../stack/stack.ts';
import { cpuSeconds, memoryMb } from './usage.ts';

const MAIN = path.join(ROOT, 'src', 'main.ts');
let installations = 0;

/** Topics and a database that nobody else uses. */
export class Installation {
  readonly stack: Stack;
  readonly id: string;
  readonly databaseUrl: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #logs: string;
  readonly #roles: Role[] = [];

  private constructor(stack: Stack, env: Readonly<Record<string, string>>) {
    installations += 1;
    this.stack = stack;
    this.id = `bench_${process.pid}_${installations}_${Date.now().toString(36)}`;
    const url = new URL(stack.databaseUrl);
    url.pathname = `/${this.id}`;
    this.databaseUrl = url.toString();
    this.#logs = path.join(stack.dir, 'logs', this.id);
    mkdirSync(this.#logs, { recursive: true });
    this.#env = env;
  }

  /** @param env settings of all roles, on top of what the bench needs */
  static async create(stack: Stack, env: Readonly<Record<string, string>>): Promise<Installation> {
    const installation = new Installation(stack, env);
    await withClient(stack.databaseUrl, (client) => client.query(`CREATE DATABASE ${installation.id}`));
    installation.once('topics');
    installation.once('migrate');
    return installation;
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#logs,
      ...this.stack.env,
      DATABASE_URL: this.databaseUrl,
      KUBETAPE_TOPIC_PREFIX: `${this.id}.`,
      KUBETAPE_CLUSTER: 'bench',
      KUBETAPE_RESOURCES: 'pods',
      KUBETAPE_LEADER_ELECTION: 'false',
      KUBETAPE_LOG_FORMAT: 'json',
      KUBETAPE_HMAC_KEY: 'the key of the bench',
      ...this.#env,
    };
  }

  topic(resource: string): string {
    return `${this.id}.k8s-${resource}`;
  }

  once(role: 'topics' | 'migrate'): void {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, role], { encoding: 'utf8', env: this.env, timeout: 60_000 });
    if (status !== 0) throw new Error(`kubetape ${role} failed: ${stderr}`);
  }

  /** @param options of Node, `--cpu-prof` for one */
  async start(role: 'collect' | 'sink', env: Readonly<Record<string, string>> = {}, options: readonly string[] = []): Promise<Role> {
    const [port = 0] = await freePorts(1);
    const child = spawn(process.execPath, [...options, MAIN, role], {
      env: { ...this.env, KUBETAPE_HTTP_PORT: String(port), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = new Role(child, port, path.join(this.#logs, `${role}-${this.#roles.length}.log`));
    this.#roles.push(running);
    return running;
  }

  query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return withClient(this.databaseUrl, async (client) => (await client.query<R>(text, [...values])).rows);
  }

  async close(): Promise<void> {
    for (const role of this.#roles) await role.end('SIGKILL');
    await withClient(this.stack.databaseUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${this.id} WITH (FORCE)`));
  }
}

export class Role {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #log: string;
  readonly #exited: Promise<void>;
  readonly startedMs = performance.now();

  constructor(child: ChildProcess, port: number, log: string) {
    this.#child = child;
    this.#port = port;
    this.#log = log;
    const file = createWriteStream(log);
    child.stdout?.pipe(file, { end: false });
    child.stderr?.pipe(file, { end: false });
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get cpuSeconds(): number | null {
    return cpuSeconds([this.pid]);
  }

  get memory(): { readonly peak: number | null; readonly now: number | null } {
    return memoryMb(this.pid);
  }

  /** The sum of a metric's samples whose labels hold `labels`; 0 while the process does not answer yet. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await this.#get('/metrics');
    let sum = 0;
    for (const line of text.split('\n')) {
      if (line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        sum += line.includes(labels) ? Number(line.slice(line.lastIndexOf(' ') + 1)) : 0;
    }
    return sum;
  }

  async ready(): Promise<boolean> {
    return (await this.#get('/ready')) !== '';
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    await this.#exited;
  }

  /** The body of a 200; else nothing. @throws when the process has ended */
  async #get(pathname: string): Promise<string> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      throw new Error(`kubetape ended while it was measured: ${readFileSync(this.#log, 'utf8').slice(-1000)}`);
    try {
      const response = await fetch(`http://127.0.0.1:${this.#port}${pathname}`);
      const text = await response.text();
      return response.ok ? text : '';
    } catch {
      return '';
    }
  }
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
