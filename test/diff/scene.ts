/** The scene that record-fixtures.ts plays: what happens to a small shop's objects in a day, one step at a time. */
import { until, type Kube, type KubeObject } from '../support/kube.ts';

type Json = Record<string, unknown>;

/** Where the scene says what it is about to do, and sees what has become of it. */
interface Stage {
  step: string;
  readonly lines: ReadonlyMap<string, readonly { readonly name: string; readonly type: string; readonly object: unknown }[]>;
}

const NAMESPACE = 'shop';
const STRATEGIC = 'application/strategic-merge-patch+json';
const MERGE = 'application/merge-patch+json';

export async function play(kube: Kube, stage: Stage): Promise<void> {
  const scene = new Scene(kube, stage);
  await scene.ofPods();
  await scene.ofDeployment();
  await scene.ofStatefulSet();
  await scene.ofService();
  await scene.ofConfigMaps();
  await scene.ofSecret();
  await scene.ofEvent();
  await scene.ofCertificate();
  await scene.ofNode();
}

class Scene {
  readonly #kube: Kube;
  readonly #stage: Stage;

  constructor(kube: Kube, stage: Stage) {
    this.#kube = kube;
    this.#stage = stage;
  }

  async ofPods(): Promise<void> {
    const container = (name: string, image: string): Json => ({
      name,
      image,
      env: [{ name: 'REGION', value: 'eu' }],
      resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    });
    await this.#do('create', () =>
      this.#create('pods', 'importer', { spec: { containers: [container('main', 'registry.example/importer:v1')] } }, { app: 'importer' }),
    );
    await this.#phase('importer', 'Running');
    const crashed = (restarts: number, reason: string, exitCode: number): Json => ({
      ready: false,
      started: false,
      restartCount: restarts,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container=main pod=importer' } },
      lastState: { terminated: { exitCode, reason, startedAt: '2026-11-20T17:00:00Z', finishedAt: '2026-11-20T17:05:00Z' } },
    });
    await this.#do('killed for memory', () => this.#containers('importer', [crashed(1, 'OOMKilled', 137)], false));
    await this.#do('fails again', () => this.#containers('importer', [crashed(2, 'Error', 1)], false));
    await this.#do('recovers', () =>
      this.#containers(
        'importer',
        [{ ready: true, started: true, restartCount: 3, state: { running: { startedAt: '2026-11-20T17:06:00Z' } } }],
        true,
      ),
    );
    await this.#do('another image', () =>
      this.#patch('pods', 'importer', { spec: { containers: [{ name: 'main', image: 'registry.example/importer:v2' }] } }),
    );
    await this.#do('relabelled', () =>
      this.#patch('pods', 'importer', { metadata: { labels: { tier: 'batch' }, annotations: { owner: 'team-a' } } }),
    );
    await this.#do('delete', () => this.#kube.call('DELETE', this.#kube.path('pods', NAMESPACE, 'importer'), { gracePeriodSeconds: 1 }));
    await this.#gone('pods', 'importer');

    await this.#do('create', () =>
      this.#create('pods', 'web', {
        spec: {
          initContainers: [{ name: 'migrate', image: 'registry.example/web:v7', command: ['migrate'] }],
          containers: [container('web', 'registry.example/web:v7'), container('proxy', 'registry.example/proxy:v1')],
          tolerations: [{ key: 'spot', operator: 'Exists' }],
        },
      }),
    );
    await this.#phase('web', 'Running');
    await this.#do('proxy not ready', () => this.#containers('web', [{}, { ready: false }], false));
    await this.#do('image of the proxy missing', () =>
      this.#containers('web', [{}, { ready: false, started: false, state: { waiting: { reason: 'ImagePullBackOff' } } }], false),
    );
    await this.#do('evicted', () =>
      this.#status('pods', 'web', {
        phase: 'Failed',
        reason: 'Evicted',
        message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi.',
      }),
    );
    await this.#remove('pods', 'web');

    await this.#do('create', () =>
      this.#create('pods', 'nowhere', {
        spec: { nodeSelector: { 'example.org/gpu': 'yes' }, containers: [container('main', 'registry.example/train:v1')] },
      }),
    );
    await this.#condition('pods', 'nowhere', 'PodScheduled', 'False');
    await this.#remove('pods', 'nowhere');
  }

  async ofDeployment(): Promise<void> {
    await this.#do('create', () =>
      this.#create('deployments', 'checkout', { spec: this.#workload('checkout', 'registry.example/checkout:v42', 3) }),
    );
    await this.#ready('deployments', 'checkout', 3);
    const container = (change: Json): Json => ({ spec: { template: { spec: { containers: [{ name: 'main', ...change }] } } } });
    await this.#do('image and env', () =>
      this.#patch(
        'deployments',
        'checkout',
        container({ image: 'registry.example/checkout:v43', env: [{ name: 'FEATURE_X', value: 'on' }] }),
      ),
    );
    await this.#ready('deployments', 'checkout', 3);
    await this.#do('scale', () => this.#patch('deployments', 'checkout', { spec: { replicas: 5 } }));
    await this.#ready('deployments', 'checkout', 5);
    // Paused, so that each of the following changes is seen without the roll-out that it asks for.
    await this.#do('pause', () => this.#patch('deployments', 'checkout', { spec: { paused: true } }));
    await this.#do('resources', () =>
      this.#patch(
        'deployments',
        'checkout',
        container({ resources: { requests: { cpu: '250m' }, limits: { memory: '768Mi', cpu: '1' } } }),
      ),
    );
    await this.#do('probes', () =>
      this.#patch(
        'deployments',
        'checkout',
        container({ readinessProbe: { httpGet: { path: '/healthz' } }, livenessProbe: { httpGet: { path: '/alive', port: 80 } } }),
      ),
    );
    await this.#do('env', () =>
      this.#patch(
        'deployments',
        'checkout',
        container({
          env: [
            { name: 'REGION', value: 'us' },
            { name: 'FEATURE_X', $patch: 'delete' },
            { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } },
          ],
        }),
      ),
    );
    await this.#do('sidecar', () =>
      this.#patch('deployments', 'checkout', {
        spec: {
          template: {
            spec: {
              containers: [{ name: 'proxy', image: 'registry.example/proxy:v1', ports: [{ containerPort: 9000 }] }],
              volumes: [{ name: 'cache', emptyDir: {} }],
            },
          },
        },
      }),
    );
    await this.#do('image of the sidecar', () =>
      this.#patch('deployments', 'checkout', {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'proxy', image: 'mirror.example/proxy:v1@sha256:1f2e3d4c5b6a79880f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978' },
              ],
            },
          },
        },
      }),
    );
    await this.#do('args and mount', () =>
      this.#patch('deployments', 'checkout', container({ args: ['--verbose'], volumeMounts: [{ name: 'cache', mountPath: '/cache' }] })),
    );
    await this.#do('strategy', () => this.#patch('deployments', 'checkout', { spec: { strategy: { rollingUpdate: { maxSurge: 2 } } } }));
    await this.#do('labels', () =>
      this.#patch('deployments', 'checkout', {
        metadata: { labels: { team: 'payments' }, annotations: { 'example.org/runbook': 'https://wiki.example/checkout' } },
      }),
    );
    await this.#do('restart', () =>
      this.#patch('deployments', 'checkout', {
        spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-11-20T17:00:00Z' } } } },
      }),
    );
    await this.#do('resume', () => this.#patch('deployments', 'checkout', { spec: { paused: null } }, '', MERGE));
    await this.#ready('deployments', 'checkout', 5);
    await this.#remove('deployments', 'checkout');
  }

  async ofStatefulSet(): Promise<void> {
    await this.#do('create', () =>
      this.#create('statefulsets', 'ledger', {
        spec: { ...this.#workload('ledger', 'registry.example/ledger:v3', 2), serviceName: 'ledger' },
      }),
    );
    await this.#ready('statefulsets', 'ledger', 2);
    await this.#do('scale down', () => this.#patch('statefulsets', 'ledger', { spec: { replicas: 1 } }));
    await this.#ready('statefulsets', 'ledger', 1);
    await this.#do('partition', () =>
      this.#patch('statefulsets', 'ledger', { spec: { updateStrategy: { rollingUpdate: { partition: 1 } } } }),
    );
    await this.#do('image', () =>
      this.#patch('statefulsets', 'ledger', {
        spec: { template: { spec: { containers: [{ name: 'main', image: 'registry.example/ledger:v4' }] } } },
      }),
    );
    await this.#do('let it roll', () =>
      this.#patch('statefulsets', 'ledger', { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } }),
    );
    await until('the roll-out of ledger', async () => {
      const { status, metadata } = (await this.#get('statefulsets', 'ledger')) as { status?: Json; metadata: Json };
      return (
        status?.['currentRevision'] === status?.['updateRevision'] &&
        status?.['observedGeneration'] === metadata['generation'] &&
        status?.['readyReplicas'] === 1
      );
    });
    await this.#remove('statefulsets', 'ledger');
  }

  async ofService(): Promise<void> {
    await this.#do('create', () =>
      this.#create('services', 'checkout', { spec: { selector: { app: 'checkout' }, ports: [{ name: 'http', port: 80 }] } }),
    );
    await this.#do('another port', () =>
      this.#patch('services', 'checkout', { spec: { ports: [{ name: 'metrics', port: 9090, targetPort: 9464 }] } }),
    );
    await this.#do('other target', () => this.#patch('services', 'checkout', { spec: { ports: [{ port: 80, targetPort: 8080 }] } }));
    await this.#do('selector', () => this.#patch('services', 'checkout', { spec: { selector: { app: 'checkout', track: 'stable' } } }));
    await this.#do('node port', () => this.#patch('services', 'checkout', { spec: { type: 'NodePort' } }));
    await this.#do('load balancer', () => this.#patch('services', 'checkout', { spec: { type: 'LoadBalancer' } }));
    await this.#do('address', () => this.#status('services', 'checkout', { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } }));
    await this.#do('one port less', () => this.#patch('services', 'checkout', { spec: { ports: [{ port: 9090, $patch: 'delete' }] } }));
    await this.#do('external name', () =>
      this.#patch(
        'services',
        'checkout',
        { spec: { type: 'ExternalName', externalName: 'shop.example', clusterIP: null, clusterIPs: null } },
        '',
        MERGE,
      ),
    );
    await this.#remove('services', 'checkout');
  }

  async ofConfigMaps(): Promise<void> {
    const properties = Array.from({ length: 12 }, (_, at) => `setting.${at}=${at * 7}`);
    for (const name of ['settings', 'settings-clear']) {
      await this.#do('create', () =>
        this.#create('configmaps', name, { data: { 'log.level': 'info', 'app.properties': properties.join('\n'), greeting: 'hello' } }),
      );
      const changed = [...properties.slice(0, 5), 'setting.5=changed', ...properties.slice(6), 'setting.12=new'];
      await this.#do('change', () =>
        this.#patch(
          'configmaps',
          name,
          { data: { 'log.level': 'debug', 'app.properties': changed.join('\n'), greeting: null, farewell: 'bye' } },
          '',
          MERGE,
        ),
      );
      await this.#do('same length', () => this.#patch('configmaps', name, { data: { 'log.level': 'trace' } }, '', MERGE));
      await this.#do('binary', () => this.#patch('configmaps', name, { binaryData: { 'logo.png': 'iVBORw0KGgo=' } }, '', MERGE));
      await this.#do('immutable', () => this.#patch('configmaps', name, { immutable: true }, '', MERGE));
      await this.#remove('configmaps', name);
    }
  }

  async ofSecret(): Promise<void> {
    await this.#do('create', () => this.#create('secrets', 'database', { stringData: { username: 'shop', password: 'correct horse' } }));
    await this.#do('rotate', () => this.#patch('secrets', 'database', { stringData: { password: 'battery staple' } }, '', MERGE));
    await this.#do('keys', () =>
      this.#patch('secrets', 'database', { stringData: { url: 'postgres://shop:pw@db/shop' }, data: { username: null } }, '', MERGE),
    );
    await this.#do('label', () => this.#patch('secrets', 'database', { metadata: { labels: { rotated: 'yes' } } }, '', MERGE));
    await this.#remove('secrets', 'database');
  }

  /** The scheduler and the controllers have made some by now; this one goes on. */
  async ofEvent(): Promise<void> {
    await this.#do('create', () =>
      this.#create('events', 'importer.17a', {
        eventTime: '2026-11-20T17:00:00.000000Z',
        action: 'Restarting',
        reason: 'BackOff',
        type: 'Warning',
        note: 'Back-off restarting failed container main in pod importer_shop',
        regarding: { kind: 'Pod', namespace: NAMESPACE, name: 'importer', apiVersion: 'v1' },
        reportingController: 'kubelet',
        reportingInstance: 'node-0',
      }),
    );
    const series = (count: number, minute: number): Json => ({
      series: { count, lastObservedTime: `2026-11-20T17:0${minute}:00.000000Z` },
    });
    await this.#do('again', () => this.#patch('events', 'importer.17a', series(2, 1)));
    await this.#do('and again', () => this.#patch('events', 'importer.17a', series(6, 2)));
    await this.#do('heartbeat', () => this.#patch('events', 'importer.17a', series(6, 3)));
  }

  async ofCertificate(): Promise<void> {
    const path = `/apis/example.org/v1/namespaces/${NAMESPACE}/certificates`;
    const put = (patch: Json, sub = ''): Promise<unknown> => this.#kube.call('PATCH', `${path}/checkout${sub}`, patch, MERGE);
    await this.#do('create', () =>
      this.#kube.call('POST', path, {
        apiVersion: 'example.org/v1',
        kind: 'Certificate',
        metadata: { name: 'checkout' },
        spec: {
          dnsNames: ['shop.example', 'www.shop.example'],
          replicas: 3,
          issuerRef: { name: 'staging' },
          usages: [{ name: 'server' }, { name: 'client' }],
        },
      }),
    );
    await this.#do('spec', () =>
      put({
        spec: {
          dnsNames: ['shop.example', 'api.shop.example'],
          replicas: 5,
          issuerRef: { name: 'production', kind: 'ClusterIssuer' },
          renewBefore: '720h',
        },
      }),
    );
    const condition = (status: string, reason: string, time: string): Json => ({
      type: 'Ready',
      status,
      reason,
      message: `Certificate is ${status === 'True' ? '' : 'not '}up to date`,
      lastTransitionTime: time,
      observedGeneration: 2,
    });
    await this.#do('pending', () =>
      put({ status: { phase: 'Pending', conditions: [condition('False', 'DoesNotExist', '2026-11-20T17:00:00Z')] } }, '/status'),
    );
    await this.#do('issued', () =>
      put({ status: { phase: 'Issued', conditions: [condition('True', 'Ready', '2026-11-20T17:00:05Z')] } }, '/status'),
    );
    await this.#do('heartbeat', () =>
      put(
        {
          status: {
            conditions: [
              { ...condition('True', 'Ready', '2026-11-20T17:00:09Z'), observedGeneration: 3, lastHeartbeatTime: '2026-11-20T17:00:09Z' },
            ],
          },
        },
        '/status',
      ),
    );
    await this.#do('delete', () => this.#kube.call('DELETE', `${path}/checkout`));
  }

  /** What a kubelet says every few minutes, and once in a while. */
  async ofNode(): Promise<void> {
    const { items } = await this.#kube.call<{ items: KubeObject[] }>('GET', '/api/v1/nodes');
    const [node] = items;
    if (node === undefined) throw new Error('there is no node');
    const { name } = node.metadata;
    const status = (change: (condition: Json) => Json): Promise<unknown> => {
      const conditions = (node['status'] as { conditions: Json[] }).conditions.map((one) => ({ ...one, ...change(one) }));
      return this.#kube.call('PATCH', `/api/v1/nodes/${name}/status`, { status: { conditions } }, MERGE);
    };
    await this.#do('heartbeat', () => status(() => ({ lastHeartbeatTime: '2026-11-20T17:00:00Z' })));
    await this.#do('not ready', () =>
      status(({ type }) => (type === 'Ready' ? { status: 'False', reason: 'KubeletNotReady', message: 'container runtime is down' } : {})),
    );
  }

  #workload(app: string, image: string, replicas: number): Json {
    return {
      replicas,
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: 'main',
              image,
              ports: [{ name: 'http', containerPort: 80 }],
              env: [{ name: 'REGION', value: 'eu' }],
              resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '512Mi' } },
              readinessProbe: { httpGet: { path: '/ready', port: 80 } },
            },
          ],
        },
      },
    };
  }

  /** A step is over when the watch has shown what it did. */
  async #do(step: string, act: () => Promise<unknown>): Promise<void> {
    this.#stage.step = step;
    await act();
    await until(`the cluster's answer to "${step}"`, async () => {
      const before = this.#versions();
      // What controllers make of it comes within moments; nothing for a while means that they are done.
      await new Promise((resolve) => setTimeout(resolve, 400));
      return this.#versions() === before;
    });
  }

  #versions(): number {
    let count = 0;
    for (const [resource, lines] of this.#stage.lines) if (resource !== 'leases' && resource !== 'nodes') count += lines.length;
    return count;
  }

  #create(resource: string, name: string, object: Json, labels: Json = { app: name }): Promise<unknown> {
    return this.#kube.create(resource, { ...object, metadata: { name, namespace: NAMESPACE, labels } });
  }

  #patch(resource: string, name: string, patch: Json, sub = '', contentType = STRATEGIC): Promise<unknown> {
    const path = this.#kube.path(resource, NAMESPACE, name);
    return this.#kube.call('PATCH', sub === '' ? path : `${path}/${sub}`, patch, contentType);
  }

  #status(resource: string, name: string, status: Json): Promise<unknown> {
    return this.#patch(resource, name, { status }, 'status', MERGE);
  }

  #get(resource: string, name: string): Promise<KubeObject> {
    return this.#kube.call('GET', this.#kube.path(resource, NAMESPACE, name));
  }

  async #remove(resource: string, name: string): Promise<void> {
    await this.#do('delete', () => this.#kube.remove(resource, NAMESPACE, name));
    await this.#gone(resource, name);
  }

  #gone(resource: string, name: string): Promise<void> {
    return until(`${resource}/${name} to be gone`, () =>
      (this.#stage.lines.get(resource) ?? []).some((line) => line.name === name && line.type === 'DELETED'),
    );
  }

  /** As a kubelet would tell: changes of the containers' statuses, in their order, and of the pod's readiness. */
  async #containers(name: string, changes: readonly Json[], ready: boolean): Promise<void> {
    const { status } = (await this.#get('pods', name)) as { status?: { containerStatuses: Json[]; conditions: Json[] } };
    const containerStatuses = (status?.containerStatuses ?? []).map((one, at) => ({ ...one, ...changes[at] }));
    const conditions = (status?.conditions ?? []).map((one) => {
      if (one['type'] !== 'Ready' && one['type'] !== 'ContainersReady') return one;
      if (ready) return { type: one['type'], status: 'True', lastTransitionTime: '2026-11-20T17:06:00Z' };
      return {
        ...one,
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status',
        lastTransitionTime: '2026-11-20T17:05:00Z',
      };
    });
    await this.#status('pods', name, { containerStatuses, conditions });
  }

  #phase(name: string, phase: string): Promise<void> {
    return until(`pod ${name} to be ${phase}`, async () => ((await this.#get('pods', name))['status'] as Json)['phase'] === phase);
  }

  #condition(resource: string, name: string, type: string, value: string): Promise<void> {
    return until(`${type} of ${name} to be ${value}`, async () => {
      const { conditions } = (await this.#get(resource, name))['status'] as { conditions?: Json[] };
      return (conditions ?? []).some((one) => one['type'] === type && one['status'] === value);
    });
  }

  async #ready(resource: string, name: string, replicas: number): Promise<void> {
    await until(`${resource}/${name} to be ready`, async () => {
      const { status, metadata } = (await this.#get(resource, name)) as { status?: Json; metadata: Json };
      if (status?.['observedGeneration'] !== metadata['generation']) return false;
      return ['replicas', 'readyReplicas', 'updatedReplicas'].every((field) => status?.[field] === replicas);
    });
  }
}
