/** Sample workloads that keep changing, the way a busy cluster does: rollouts, scaling, a crash loop, settings, deletions. */
import { spawn } from 'node:child_process';

const NAMESPACE = 'kubetape-demo';

type Json = Record<string, unknown>;

export class Workloads {
  readonly #kubectl: string;
  readonly #kubeconfig: string;
  readonly #crashes: boolean;
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #turn = 0;

  /** @param crashes whether pods' states may be written: only where no kubelet does */
  constructor(kubectl: string, kubeconfig: string, crashes: boolean) {
    this.#kubectl = kubectl;
    this.#kubeconfig = kubeconfig;
    this.#crashes = crashes;
  }

  /** @throws Error when the first objects cannot be created */
  async start(): Promise<void> {
    await this.#run(
      ['apply', '-f', '-'],
      [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
        deployment('checkout', 'registry.example/checkout:v41', 3),
        deployment('cart', 'registry.example/cart:v7', 2),
        {
          ...deployment('ledger', 'registry.example/ledger:v3', 2),
          kind: 'StatefulSet',
          spec: { ...(deployment('ledger', 'registry.example/ledger:v3', 2)['spec'] as Json), serviceName: 'ledger' },
        },
        { apiVersion: 'v1', kind: 'Service', metadata: meta('checkout'), spec: { selector: { app: 'checkout' }, ports: [{ port: 80 }] } },
        configmap(0),
        secret(0),
        { apiVersion: 'v1', kind: 'Pod', metadata: meta('importer'), spec: podSpec('registry.example/importer:v1') },
      ],
    );
    this.#loop = this.#keepChanging();
  }

  /** @param cleanUp removes what was created */
  async stop(cleanUp: boolean): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    if (cleanUp) await this.#run(['delete', 'namespace', NAMESPACE, '--wait=false']).catch(() => undefined);
  }

  async #keepChanging(): Promise<void> {
    const turns: (() => Promise<void>)[] = [
      () =>
        this.#patch('deployment/checkout', {
          spec: { template: { spec: { containers: [{ name: 'main', image: `registry.example/checkout:v${42 + this.#turn}` }] } } },
        }),
      () => this.#crash(),
      () => this.#run(['scale', 'deployment/cart', `--replicas=${2 + (this.#turn % 3)}`, '-n', NAMESPACE]),
      () => this.#run(['apply', '-f', '-'], [configmap(this.#turn)]),
      () => this.#crash(),
      () => this.#run(['apply', '-f', '-'], [secret(this.#turn)]),
      () => this.#run(['delete', 'pod', '-n', NAMESPACE, '-l', 'app=cart', '--wait=false']),
      () => this.#patch('service/checkout', { metadata: { labels: { revision: String(this.#turn) } } }),
      () => this.#run(['scale', 'statefulset/ledger', `--replicas=${1 + (this.#turn % 2)}`, '-n', NAMESPACE]),
    ];
    while (!this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1200);
        this.#stop.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
      });
      if (this.#stop.signal.aborted) return;
      // What fails now succeeds at its next turn: the cluster may be restarting.
      await turns[this.#turn % turns.length]?.().catch(() => undefined);
      this.#turn += 1;
    }
  }

  /** The importer's container ends again and again, as its kubelet would tell. */
  async #crash(): Promise<void> {
    if (!this.#crashes) return;
    const restarts = Math.floor(this.#turn / 4) + 1;
    const terminated = { exitCode: 137, reason: 'OOMKilled' };
    const status = {
      containerStatuses: [
        {
          name: 'main',
          image: 'registry.example/importer:v1',
          imageID: '',
          ready: false,
          restartCount: restarts,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated },
        },
      ],
    };
    await this.#run(['patch', 'pod/importer', '-n', NAMESPACE, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
  }

  #patch(what: string, patch: Json): Promise<void> {
    return this.#run(['patch', what, '-n', NAMESPACE, '--type=strategic', '-p', JSON.stringify(patch)]);
  }

  #run(args: readonly string[], objects?: readonly Json[]): Promise<void> {
    const child = spawn(this.#kubectl, [`--kubeconfig=${this.#kubeconfig}`, ...args], {
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.on('error', () => undefined);
    child.stdin.end(objects === undefined ? '' : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`kubectl ${args[0]}: ${stderr.trim()}`))));
    });
  }
}

function meta(name: string): Json {
  return { name, namespace: NAMESPACE, labels: { app: name } };
}

function podSpec(image: string): Json {
  return {
    containers: [{ name: 'main', image, env: [{ name: 'REGION', value: 'eu' }], resources: { requests: { cpu: '100m', memory: '64Mi' } } }],
  };
}

function deployment(app: string, image: string, replicas: number): Json {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(app),
    spec: { replicas, selector: { matchLabels: { app } }, template: { metadata: { labels: { app } }, spec: podSpec(image) } },
  };
}

function configmap(turn: number): Json {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: meta('checkout-settings'),
    data: { 'log.level': turn % 2 === 0 ? 'info' : 'debug', 'feature.x': String(turn) },
  };
}

function secret(turn: number): Json {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: meta('checkout-database'),
    stringData: { username: 'checkout', password: `rotated-${turn}-${Math.random().toString(36).slice(2)}` },
  };
}
