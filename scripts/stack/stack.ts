/**
 * The local servers: real etcd, kube-apiserver, controller-manager, scheduler, KWOK, Kafka and Postgres, detached, in
 * one folder. Several folders can run side by side.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { withLock } from '../setup/artifact.mjs';
import { BINARIES } from '../setup/places.mjs';
import { freePorts } from './ports.ts';
import { endProcess, isAlive, launch, type ProcessId } from './processes.ts';
import { databaseUrlOf, javaArgs, kubeconfigOf, SERVER } from './servers.ts';
import { readState, SERVERS, writeState, type ServerName, type StackState } from './state.ts';

export type { ServerName } from './state.ts';

const READY_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 50;

export interface StackProgress {
  (server: ServerName, happened: 'starting' | 'ready', seconds: number): void;
}

export class Stack {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = path.resolve(dir);
  }

  /** Starts what does not run and waits until all of it is ready. */
  static async up(dir: string, onProgress: StackProgress = () => undefined, servers: readonly ServerName[] = SERVERS): Promise<Stack> {
    const stack = new Stack(dir);
    await withLock(path.join(stack.dir, 'lock'), async () => {
      if (readState(stack.dir) === null) {
        const [etcd = 0, etcdPeer = 0, apiserver = 0, kafka = 0, kafkaController = 0, postgres = 0] = await freePorts(6);
        const ports = { etcd, etcdPeer, apiserver, kafka, kafkaController, postgres };
        writeState({ dir: stack.dir, ports, adminToken: randomBytes(24).toString('hex'), processes: {} });
      }
      const ready = new Map<ServerName, Promise<void>>();
      for (const name of SERVERS) {
        if (!servers.includes(name)) continue;
        const before = SERVER[name].after.flatMap((other) => ready.get(other) ?? []);
        ready.set(
          name,
          Promise.all(before).then(() => stack.#ensure(name, onProgress)),
        );
      }
      const results = await Promise.allSettled(ready.values());
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    });
    return stack;
  }

  get state(): StackState {
    const state = readState(this.dir);
    if (state === null) throw new Error(`there is no stack in ${this.dir}; start it with: npm run stack -- up`);
    return state;
  }

  get kubeconfig(): string {
    return kubeconfigOf(this.state);
  }

  get apiUrl(): string {
    return `https://127.0.0.1:${this.state.ports.apiserver}`;
  }

  get caFile(): string {
    return path.join(this.dir, 'kube', 'apiserver.crt');
  }

  get adminToken(): string {
    return this.state.adminToken;
  }

  get brokers(): string {
    return `127.0.0.1:${this.state.ports.kafka}`;
  }

  get databaseUrl(): string {
    return databaseUrlOf(this.state);
  }

  get kubectl(): string {
    return BINARIES.kubectl;
  }

  /** The environment in which the roles of kubetape find these servers. */
  get env(): Record<string, string> {
    return { KUBECONFIG: this.kubeconfig, KAFKA_BROKERS: this.brokers, DATABASE_URL: this.databaseUrl };
  }

  status(): { name: ServerName; pid: number | null; running: boolean }[] {
    const { processes } = this.state;
    return SERVERS.map((name) => {
      const id = processes[name];
      return { name, pid: id?.pid ?? null, running: id !== undefined && isAlive(id) };
    });
  }

  pid(name: ServerName): number {
    const id = this.state.processes[name];
    if (id === undefined || !isAlive(id)) throw new Error(`${name} does not run`);
    return id.pid;
  }

  /** Starts one server again, on its port and its data, and waits until it is ready. */
  async start(name: ServerName): Promise<void> {
    await this.#ensure(name, () => undefined);
  }

  /** Ends one server: SIGKILL is as if its machine had failed. */
  async stop(name: ServerName, signal: NodeJS.Signals = SERVER[name].stopSignal): Promise<void> {
    const id = this.state.processes[name];
    if (id !== undefined) await endProcess(id, signal === 'SIGKILL' ? 0 : 15_000, signal);
  }

  async down(): Promise<void> {
    const state = readState(this.dir);
    if (state === null) return;
    // What depends on a server ends before it.
    const order: ServerName[][] = [
      ['kwok', 'kube-scheduler', 'kube-controller-manager'],
      ['kube-apiserver', 'kafka', 'postgres'],
      ['etcd'],
    ];
    for (const names of order) {
      await Promise.all(
        names.map(async (name) => {
          const id = state.processes[name];
          if (id !== undefined) await endProcess(id, 10_000, SERVER[name].stopSignal);
        }),
      );
    }
    writeState({ ...state, processes: {} });
  }

  /** Ends everything and forgets all data. */
  async reset(): Promise<void> {
    await this.down();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Runs a class of the Kafka distribution, its console consumer for one. */
  kafkaTool(className: string, args: readonly string[], stdio: 'pipe' | 'inherit' = 'pipe'): ChildProcess {
    return spawn('java', [...javaArgs('256m', path.join(this.dir, 'kafka')), className, ...args], { stdio: ['ignore', stdio, stdio] });
  }

  async #ensure(name: ServerName, onProgress: StackProgress): Promise<void> {
    const startedMs = Date.now();
    const server = SERVER[name];
    const running = this.state.processes[name];
    if (running === undefined || !isAlive(running)) {
      onProgress(name, 'starting', 0);
      server.prepare(this.state);
      const log = path.join(this.dir, 'logs', `${name}.log`);
      this.#remember(name, launch(server.launch(this.state), log));
    }
    while (!(await server.ready(this.state))) {
      const id = this.state.processes[name];
      if (id === undefined || !isAlive(id)) throw new Error(`${name} ended while it started:\n${this.#tail(name)}`);
      if (Date.now() - startedMs > READY_WITHIN_MS)
        throw new Error(`${name} is not ready after ${READY_WITHIN_MS / 1000} s:\n${this.#tail(name)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    onProgress(name, 'ready', (Date.now() - startedMs) / 1000);
  }

  /** No await between reading and writing: servers start side by side. */
  #remember(name: ServerName, id: ProcessId): void {
    const state = this.state;
    writeState({ ...state, processes: { ...state.processes, [name]: id } });
  }

  #tail(name: ServerName): string {
    const log = path.join(this.dir, 'logs', `${name}.log`);
    if (!existsSync(log)) return '    (it wrote no log)';
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15);
    return [...lines.map((line) => `    ${line}`), `  All of it: ${log}`].join('\n');
  }
}
