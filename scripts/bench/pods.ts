/**
 * Realistic pods as bytes, any number of them, from a seed: what the replay server sends and what a topic is filled with.
 * A few hundred pods of 3 to 8 KB (managedFields included) are made once as JSON; every other pod is a copy of one of
 * them with its own name, uid, resourceVersion and time patched in, at fixed places and of fixed widths. Pure.
 * Invariants (test/scripts/bench/pods.test.ts):
 *   P1 deterministic  the same seed, index and version give the same bytes
 *   P2 valid          every pod is JSON, and holds the name, uid and resourceVersion that it was asked for
 *   P3 distinct       no two indices share a uid or a name
 */
export type EventType = 'ADDED' | 'MODIFIED';

/** Of which every pod has at least this and at most that many bytes. */
export const POD_BYTES = { min: 3_000, max: 8_000 } as const;

/** Width of a resourceVersion. */
const FIRST_VERSION = 1_000_000_000;
const NAME_WIDTH = 7;
const SHAPES = 240;

const NAME = '~~name~';
const UID = '~~uid~~~-~~~~-~~~~-~~~~-~~~~~~~~~~~~';
const VERSION = '~~version~';
const TIME = '~~~~-time~~~~~~~~~~~';

export interface PodVersion {
  /** 0-based. */
  readonly index: number;
  readonly version: number;
  /** ms since 1970. */
  readonly atMs: number;
  readonly ready: boolean;
}

export class PodGenerator {
  readonly #seed: number;
  readonly #shapes: readonly { readonly ready: Template; readonly unready: Template }[];

  constructor(seed: number, options: { readonly managedFields: boolean } = { managedFields: true }) {
    this.#seed = seed;
    this.#shapes = Array.from({ length: SHAPES }, (_, at) => {
      const random = randomOf(seed * 7919 + at);
      const shape = shapeOf(random);
      const template = (ready: boolean): Template => new Template(JSON.stringify(podOf(shape, ready, options.managedFields)));
      return { ready: template(true), unready: template(false) };
    });
  }

  /** The resourceVersion of a list of `objects`: those of its items lie below. */
  listVersion(objects: number): number {
    return FIRST_VERSION + objects;
  }

  /** The pod as it is in the first list. */
  listed(index: number): PodVersion {
    return { index, version: FIRST_VERSION + index, atMs: Date.UTC(2026, 0, 1) + (index % 86_400) * 1000, ready: true };
  }

  /** The `event`th change after a list of `objects`: of one of them, chosen by the seed. */
  changed(event: number, objects: number): PodVersion {
    const version = this.listVersion(objects) + 1 + event;
    return {
      index: mixed(event ^ this.#seed) % objects,
      version,
      atMs: Date.UTC(2026, 0, 2) + event * 10,
      ready: mixed(event + this.#seed) % 8 !== 0,
    };
  }

  bytesOf(pod: PodVersion): number {
    return this.#templateOf(pod).bytes;
  }

  /** Writes the pod at `at`; returns where it ends. */
  write(pod: PodVersion, out: Buffer, at: number): number {
    return this.#templateOf(pod).write(out, at, nameOf(pod.index), this.uidOf(pod.index), pod.version, pod.atMs);
  }

  pod(pod: PodVersion): Buffer {
    const out = Buffer.allocUnsafe(this.bytesOf(pod));
    this.write(pod, out, 0);
    return out;
  }

  /** Spread over the whole range, as uids of version 4 are; distinct by its last part. */
  uidOf(index: number): string {
    const a = hex(mixed(index ^ this.#seed), 8);
    const b = hex(mixed(index + 0x9e3779b9 + this.#seed), 8);
    return `${a}-${b.slice(0, 4)}-4${b.slice(4, 7)}-8${hex(mixed(index + 7) & 0xfff, 3)}-${hex(index, 12)}`;
  }

  #templateOf({ index, ready }: PodVersion): Template {
    const shape = this.#shapes[index % this.#shapes.length];
    if (shape === undefined) throw new RangeError('there are no shapes');
    return ready ? shape.ready : shape.unready;
  }
}

/** JSON text with the places that differ from pod to pod. */
class Template {
  readonly #text: Buffer;
  readonly #names: readonly number[];
  readonly #uids: readonly number[];
  readonly #versions: readonly number[];
  readonly #times: readonly number[];

  constructor(json: string) {
    this.#text = Buffer.from(json);
    this.#names = placesOf(this.#text, NAME);
    this.#uids = placesOf(this.#text, UID);
    this.#versions = placesOf(this.#text, VERSION);
    this.#times = placesOf(this.#text, TIME);
  }

  get bytes(): number {
    return this.#text.length;
  }

  write(out: Buffer, at: number, name: string, uid: string, version: number, atMs: number): number {
    this.#text.copy(out, at);
    for (const place of this.#names) out.write(name, at + place, 'latin1');
    for (const place of this.#uids) out.write(uid, at + place, 'latin1');
    const digits = String(version);
    if (digits.length !== VERSION.length) throw new RangeError('resourceVersions have ten digits here');
    for (const place of this.#versions) out.write(digits, at + place, 'latin1');
    const time = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
    for (const place of this.#times) out.write(time, at + place, 'latin1');
    return at + this.#text.length;
  }
}

function placesOf(text: Buffer, word: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) places.push(at);
  return places;
}

function nameOf(index: number): string {
  return index.toString(36).padStart(NAME_WIDTH, '0');
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}

/** A 32-bit mixer: the seed's successor in a sequence that looks random. */
function mixed(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

type Random = (below: number) => number;

function randomOf(seed: number): Random {
  let state = mixed(seed);
  return (below) => {
    state = mixed(state + 0x9e3779b9);
    return state % below;
  };
}

const APPS = ['checkout', 'payments', 'catalog', 'search', 'ledger', 'gateway', 'mailer', 'reports', 'stock', 'session'];
const NAMESPACES = ['shop', 'backoffice', 'data', 'platform', 'web', 'batch', 'ml', 'edge'];

interface Shape {
  readonly app: string;
  readonly namespace: string;
  readonly hash: string;
  readonly containers: number;
  readonly environment: number;
  readonly annotations: number;
  readonly volumes: number;
  readonly probed: boolean;
  readonly tolerates: boolean;
  /** Does it mount the token of its ServiceAccount? */
  readonly account: boolean;
  readonly node: string;
}

function shapeOf(random: Random): Shape {
  const containers = 1 + (random(3) === 0 ? 1 : 0);
  return {
    app: APPS[random(APPS.length)] ?? 'app',
    namespace: NAMESPACES[random(NAMESPACES.length)] ?? 'default',
    hash: hex(random(0x7fffffff), 9).slice(0, 9),
    containers,
    environment: random(containers === 1 ? 8 : 3),
    annotations: random(3),
    volumes: random(3),
    probed: random(3) > 0,
    tolerates: random(2) > 0,
    account: random(2) > 0,
    node: `ip-10-20-${random(250)}-${random(250)}.eu-central-1.compute.internal`,
  };
}

function podOf(shape: Shape, ready: boolean, managedFields: boolean): object {
  const { app, namespace, hash, node } = shape;
  const names = Array.from({ length: shape.containers }, (_, at) => (at === 0 ? app : `sidecar-${at}`));
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-${hash}`, uid: `5d6f2c1e-0b7a-4c55-9f00-${hash}000` };
  const metadata = {
    name: `${app}-${hash}-${NAME}`,
    generateName: `${app}-${hash}-`,
    namespace,
    uid: UID,
    resourceVersion: VERSION,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {
      'app.kubernetes.io/name': app,
      'pod-template-hash': hash,
    },
    annotations: {
      'checksum/config': hash.repeat(7).slice(0, 64),
      ...Object.fromEntries(
        Array.from({ length: shape.annotations }, (_, at) => [`example.org/note-${at}`, `rolled out with revision ${hash}`]),
      ),
    },
    ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    ...(managedFields ? { managedFields: managersOf(shape, names) } : {}),
  };
  return { kind: 'Pod', apiVersion: 'v1', metadata, spec: specOf(shape, names, node), status: statusOf(names, ready, hash) };
}

function specOf(shape: Shape, names: readonly string[], node: string): object {
  const volumes = Array.from({ length: shape.volumes }, (_, at) => ({
    name: `config-${at}`,
    configMap: { name: `${shape.app}-${at}`, defaultMode: 420 },
  }));
  const token = 'kube-api-access-x7k2p';
  return {
    volumes: [...volumes, ...(shape.account ? [tokenVolume(token)] : [])],
    containers: names.map((name) => ({
      name,
      image: `registry.example.org/shop/${name}:v${shape.hash.slice(0, 3)}`,
      ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
      env: Array.from({ length: shape.environment }, (_, at) => ({
        name: `SETTING_NUMBER_${at}`,
        value: `https://${shape.app}.${shape.namespace}.svc:${8000 + at}/`,
      })),
      resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
      volumeMounts: [
        ...volumes.map(({ name: volume }) => ({ name: volume, readOnly: true, mountPath: `/etc/${volume}` })),
        ...(shape.account ? [{ name: token, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] : []),
      ],
      ...(shape.probed
        ? {
            readinessProbe: {
              httpGet: { path: '/ready', port: 8080, scheme: 'HTTP' },
              timeoutSeconds: 1,
              periodSeconds: 10,
              failureThreshold: 3,
            },
          }
        : {}),
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: 'IfNotPresent',
    })),
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: shape.app,
    nodeName: node,
    securityContext: { runAsNonRoot: true, runAsUser: 65532 },
    schedulerName: 'default-scheduler',
    tolerations: (shape.tolerates ? ['not-ready', 'unreachable'] : ['not-ready']).map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    })),
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
  };
}

function tokenVolume(name: string): object {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode: 420,
    },
  };
}

function statusOf(names: readonly string[], ready: boolean, hash: string): object {
  const conditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
    type,
    status: type.endsWith('Ready') && !ready ? 'False' : 'True',
    lastTransitionTime: TIME,
  }));
  return {
    phase: 'Running',
    conditions,
    hostIP: '10.20.30.40',
    podIP: '10.244.17.93',
    podIPs: [{ ip: '10.244.17.93' }],
    startTime: '2026-01-01T00:00:00Z',
    containerStatuses: names.map((name) => ({
      name,
      state: { running: { startedAt: '2026-01-01T00:00:02Z' } },
      lastState: {},
      ready,
      restartCount: 0,
      image: `registry.example.org/shop/${name}:v${hash.slice(0, 3)}`,
      imageID: `registry.example.org/shop/${name}@sha256:${hash.repeat(8).slice(0, 64)}`,
      containerID: `containerd://${hash.repeat(8).slice(0, 64)}`,
      started: true,
    })),
    qosClass: 'Burstable',
  };
}

/** Who owns which field, as the API server keeps it: close to half of a pod's bytes. */
function managersOf(shape: Shape, names: readonly string[]): object[] {
  const labels = ['.', 'f:app.kubernetes.io/name', 'f:pod-template-hash'];
  const container = (name: string): [string, object] => [
    `k:{"name":"${name}"}`,
    {
      ...emptied(['.', 'f:image', 'f:imagePullPolicy', 'f:name', 'f:terminationMessagePath', 'f:terminationMessagePolicy']),
      'f:env': {
        '.': {},
        ...Object.fromEntries(
          Array.from({ length: shape.environment }, (_, at) => [`k:{"name":"SETTING_NUMBER_${at}"}`, emptied(['.', 'f:name', 'f:value'])]),
        ),
      },
      'f:ports': { '.': {}, 'k:{"containerPort":8080,"protocol":"TCP"}': emptied(['.', 'f:containerPort', 'f:name', 'f:protocol']) },
      ...(shape.probed
        ? {
            'f:readinessProbe': {
              ...emptied(['.', 'f:failureThreshold', 'f:periodSeconds', 'f:timeoutSeconds']),
              'f:httpGet': emptied(['.', 'f:path', 'f:port', 'f:scheme']),
            },
          }
        : {}),
      'f:resources': { '.': {}, 'f:limits': emptied(['.', 'f:cpu', 'f:memory']), 'f:requests': emptied(['.', 'f:cpu', 'f:memory']) },
    },
  ];
  const created = {
    'f:metadata': { 'f:annotations': emptied(['.', 'f:checksum/config']), 'f:generateName': {}, 'f:labels': emptied(labels) },
    'f:spec': {
      'f:containers': Object.fromEntries(names.map(container)),
      ...emptied(['f:dnsPolicy', 'f:enableServiceLinks', 'f:restartPolicy', 'f:schedulerName', 'f:terminationGracePeriodSeconds']),
    },
  };
  const condition = (type: string): [string, object] => [
    `k:{"type":"${type}"}`,
    emptied(['.', 'f:lastTransitionTime', 'f:status', 'f:type']),
  ];
  const status = {
    'f:status': {
      'f:conditions': Object.fromEntries(['ContainersReady', 'Initialized', 'PodReadyToStartContainers', 'Ready'].map(condition)),
      ...emptied(['f:containerStatuses', 'f:hostIP', 'f:phase', 'f:podIP', 'f:startTime']),
      'f:podIPs': { '.': {}, 'k:{"ip":"10.244.17.93"}': emptied(['.', 'f:ip']) },
    },
  };
  return [
    {
      manager: 'kube-controller-manager',
      operation: 'Update',
      apiVersion: 'v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: created,
    },
    {
      manager: 'kubelet',
      operation: 'Update',
      apiVersion: 'v1',
      time: TIME,
      fieldsType: 'FieldsV1',
      fieldsV1: status,
      subresource: 'status',
    },
  ];
}

function emptied(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
