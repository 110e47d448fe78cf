/** Settings → what is watched: the cluster's name, the resource types, one scope per list-and-watch. */
import type { Track } from '../capture/entries.ts';
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { resourceName, type ResourceType } from '../events/resource.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { createDecoder } from '../kubernetes/decode.ts';
import { discover, resolveType, type ServedType } from '../kubernetes/discovery.ts';
import { createRedactor, type Redactor } from '../kubernetes/redact.ts';
import { parseRedactionRule } from '../kubernetes/redaction-rules.ts';
import { Reflector } from '../kubernetes/reflector.ts';
import { REFLECTOR_DEFAULTS, type Observer, type ReflectorListener } from '../kubernetes/reflector-options.ts';
import { scopeText, type Scope } from '../kubernetes/scope.ts';
import type { ListCause } from '../events/observation.ts';
import { pause } from '../flow/pause.ts';

type CollectSettings = Omit<SettingsOf<'collect'>, 'httpHost' | 'httpPort'>;

/** The setting, else the context's name, else (in a pod) the uid of kube-system. */
export async function clusterName(settings: Pick<CollectSettings, 'cluster'>, client: KubeClient, signal: AbortSignal): Promise<string> {
  if (settings.cluster !== undefined) return settings.cluster;
  // Keys are divided by slashes; some clouds have them in the names of contexts.
  if (client.contextName !== '') return client.contextName.replaceAll(/[^A-Za-z0-9._:@-]/g, '-');
  const namespace = await client.json<{ metadata?: { uid?: string } }>('/api/v1/namespaces/kube-system', {}, signal);
  const uid = namespace.metadata?.uid;
  if (uid === undefined)
    throw new KubetapeError('KUBE_PROTOCOL', 'the namespace kube-system has no uid', { hint: 'Name the cluster with --cluster.' });
  return uid;
}

export function redactorOf(settings: Pick<CollectSettings, 'hmacKey' | 'configmapData' | 'redact'>): Redactor {
  return createRedactor({
    hmacKey: settings.hmacKey === undefined ? null : Buffer.from(settings.hmacKey),
    configmapData: settings.configmapData,
    rules: settings.redact.map(parseRedactionRule),
  });
}

export interface ResolvedResource {
  /** As it was asked for. */
  readonly asked: string;
  readonly type: ServedType | null;
  /** Why it cannot be watched. */
  readonly error: KubetapeError | null;
}

export async function resolveResources(client: KubeClient, names: readonly string[], signal: AbortSignal): Promise<ResolvedResource[]> {
  const served = await discover(client, signal);
  return names.map((asked) => {
    try {
      return { asked, type: resolveType(served, asked), error: null };
    } catch (error) {
      if (!(error instanceof KubetapeError)) throw error;
      return { asked, type: null, error };
    }
  });
}

/** The names under which resources are recorded, each once. Of an unknown one, what was asked for. */
export function recordedNames(resolved: readonly ResolvedResource[]): string[] {
  return [...new Set(resolved.map(({ asked, type }) => (type === null ? asked : resourceName(type))))];
}

export interface Watch {
  readonly track: Track;
  /** Of a type that is not served (yet), a placeholder. */
  readonly scope: () => Scope;
  readonly run: (resume: string | null, cause: ListCause, observe: Observer, signal: AbortSignal) => Promise<void>;
}

export interface WatchDeps {
  readonly client: KubeClient;
  readonly cluster: string;
  readonly redact: Redactor;
  readonly listener: (resource: string, namespace: string) => ReflectorListener;
  /** Heard while a resource is not served (yet). */
  readonly unknown: (asked: string, error: KubetapeError) => void;
}

const LOOK_AGAIN_MS = 15_000;

/** One watch per resource and namespace. */
export function watchesOf(resolved: readonly ResolvedResource[], settings: CollectSettings, deps: WatchDeps): Watch[] {
  const watches: Watch[] = [];
  const names = new Set<string>();
  for (const one of resolved) {
    const resource = one.type === null ? one.asked : resourceName(one.type);
    if (names.has(resource)) continue;
    names.add(resource);
    const namespaces = one.type !== null && !one.type.namespaced ? [''] : settings.namespaces.length === 0 ? [''] : settings.namespaces;
    for (const namespace of namespaces) watches.push(watchOf(one, resource, namespace, settings, deps));
  }
  return watches;
}

function watchOf(resolved: ResolvedResource, resource: string, namespace: string, settings: CollectSettings, deps: WatchDeps): Watch {
  let type: ResourceType = resolved.type ?? placeholder(resolved.asked);
  const scope = (): Scope => ({
    type,
    resource,
    namespace,
    labelSelector: settings.labelSelector,
    fieldSelector: fieldSelectorOf(settings, type),
  });
  const track: Track = {
    cluster: deps.cluster,
    // A custom resource that is not served yet is known by its name only.
    get type() {
      return type;
    },
    resource,
    namespace,
    scope: scopeText(scope()),
    topicPrefix: settings.topicPrefix,
  };
  return {
    track,
    scope,
    run: async (resume, cause, observe, signal) => {
      let { error } = resolved;
      while (error !== null) {
        deps.unknown(resolved.asked, error);
        await pause(LOOK_AGAIN_MS, signal);
        if (signal.aborted) return;
        const [again] = await resolveResources(deps.client, [resolved.asked], signal).catch(() => [resolved]);
        error = again?.error ?? null;
        type = again?.type ?? type;
      }
      const options = {
        ...REFLECTOR_DEFAULTS,
        pageSize: settings.listPageSize,
        watchSeconds: [settings.watchMinSeconds, settings.watchMaxSeconds] as const,
        silenceMs: settings.watchSilenceSeconds * 1000,
        endBookmarkMs: Math.min(REFLECTOR_DEFAULTS.endBookmarkMs, settings.watchSilenceSeconds * 1000),
      };
      const reflector = new Reflector(
        deps.client,
        scope(),
        createDecoder(type, resource, deps.redact),
        deps.listener(resource, namespace),
        options,
      );
      await reflector.run(resume, cause, observe, signal);
    },
  };
}

/** Excluded namespaces are left out by the API server: every type knows metadata.namespace. */
function fieldSelectorOf(settings: CollectSettings, type: ResourceType): string {
  const excluded = type.namespaced ? settings.excludeNamespaces.map((namespace) => `metadata.namespace!=${namespace}`) : [];
  return [settings.fieldSelector, ...excluded].filter((text) => text !== '').join(',');
}

function placeholder(asked: string): ResourceType {
  const [plural = asked, ...group] = asked.split('.');
  return { group: group.join('.'), version: '', plural, kind: '', namespaced: true };
}
