/** The manifests as kustomize renders them, in a copy that has what an installation must bring. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { BINARIES, ROOT } from '../../scripts/setup/places.mjs';

export const OVERLAYS = ['dev', 'production', 'external'] as const;
export type Overlay = (typeof OVERLAYS)[number];

/** Components that change what another one brings. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  tls: ['kafka', 'postgres'],
  ingress: ['pgadmin'],
  demo: ['kafka'],
  pgadmin: ['postgres'],
  'postgres-backup': ['postgres'],
};

export const COMPONENTS = readdirSync(path.join(ROOT, 'manifests', 'components')).toSorted();

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: Readonly<Record<string, Ref>> }[];
  readonly envFrom?: readonly { readonly configMapRef?: Ref; readonly secretRef?: Ref }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources?: { readonly requests?: Readonly<Record<string, string>>; readonly limits?: Readonly<Record<string, string>> };
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

interface Ref {
  readonly name?: string;
  readonly key?: string;
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly restartPolicy?: string;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly secret?: { readonly secretName: string; readonly items?: readonly { readonly key: string; readonly path: string }[] };
    readonly configMap?: { readonly name: string };
    readonly persistentVolumeClaim?: { readonly claimName: string };
  }[];
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface Workload {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: PodSpec;
  readonly manifest: Manifest;
}

/** A copy of manifests/, with the files of secrets and settings that git does not hold. */
export class Rendering {
  readonly folder: string;
  readonly text = new Map<string, string>();

  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'kubetape-manifests-'));
    cpSync(path.join(ROOT, 'manifests'), this.manifests, { recursive: true });
    for (const overlay of ['production', 'external']) {
      rmSync(path.join(this.overlay(overlay), 'secret.env'), { force: true });
      rmSync(path.join(this.overlay(overlay), 'settings.env'), { force: true });
    }
  }

  get manifests(): string {
    return path.join(this.folder, 'manifests');
  }

  overlay(name: string): string {
    return path.join(this.manifests, 'overlays', name);
  }

  /** What the overlays' comments ask for, before they can be rendered. */
  fillIn(): this {
    const secret = [
      'hmac-key=0123456789abcdef0123456789abcdef',
      'postgres-password=p',
      'database-url=postgres://kubetape:p@kubetape-postgres/kubetape',
    ];
    for (const overlay of ['production', 'external'])
      writeFileSync(path.join(this.overlay(overlay), 'secret.env'), `${secret.join('\n')}\n`);
    cpSync(path.join(this.overlay('external'), 'settings.env.example'), path.join(this.overlay('external'), 'settings.env'));
    return this;
  }

  /** @throws with what kustomize says */
  render(folder: string): string {
    const known = this.text.get(folder);
    if (known !== undefined) return known;
    const { status, stdout, stderr } = spawnSync(BINARIES.kubectl, ['kustomize', folder], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(stderr);
    this.text.set(folder, stdout);
    return stdout;
  }

  /** The base, with these components and those they need; further lines of the kustomization as they are given. */
  withComponents(names: readonly string[], more = 'namespace: kubetape\n', base = 'base'): string {
    const needed = names.flatMap((name) => [...(NEEDS[name] ?? []), name]);
    const all = [...new Set(needed)].filter((name) => name !== 'kafka' || !needed.includes('kafka-ha'));
    const lines = all.map((name) => `  - ../manifests/${name === 'monitoring' ? name : `components/${name}`}\n`).join('');
    return this.compose(
      `with-${base.replaceAll('/', '-')}-${all.join('-').replaceAll('/', '-')}`,
      `${more}resources:\n  - ../manifests/${base}\n${lines === '' ? '' : `components:\n${lines}`}`,
    );
  }

  /** A kustomization of the caller's own, beside manifests/. */
  compose(name: string, text: string): string {
    const folder = path.join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'kustomization.yaml'), text);
    return this.render(folder);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    return document.toJS() as Manifest;
  });
}

/** The settings of the roles: the ConfigMap of that name, whatever its hash. */
export function settingsIn(manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  return manifests.find(({ kind, data }) => kind === 'ConfigMap' && data?.['KUBETAPE_RESOURCES'] !== undefined)?.data ?? {};
}

/** Everything that makes pods, with the pods it makes. */
export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap((manifest) => {
    const spec = manifest.spec as { template?: Template; jobTemplate?: { spec: { template: Template } } } | undefined;
    const template = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(manifest.kind)
      ? spec?.template
      : manifest.kind === 'CronJob'
        ? spec?.jobTemplate?.spec.template
        : undefined;
    if (template === undefined) return [];
    return [{ name: `${manifest.kind}/${manifest.metadata.name}`, labels: template.metadata.labels, pod: template.spec, manifest }];
  });
}

interface Template {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

export function containersOf(pod: PodSpec): Container[] {
  return [...(pod.initContainers ?? []), ...pod.containers];
}

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: 'In'; readonly values: readonly string[] }[];
}

export function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key] ?? ''))
  );
}
