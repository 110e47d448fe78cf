/**
 * One list of each resource, compared with what was said and written as a run of its own: what `snapshot` and the
 * repair of an audit have in common. Whoever calls it holds the Lease, or knows that there is none.
 */
import { Collector, type Watched } from '../capture/collector.ts';
import type { Stranger } from '../capture/memory.ts';
import type { SettingsOf } from '../config/roles.ts';
import { isCode, KubetapeError } from '../events/errors.ts';
import type { ListCause, Observation } from '../events/observation.ts';
import { compareResourceVersions } from '../events/resource-version.ts';
import { TopicReader } from '../kafka/reader.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { ReflectorListener } from '../kubernetes/reflector-options.ts';
import { latestVersion } from '../kubernetes/versions.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { kafkaConnection } from './connections.ts';
import { collectorSettings, logOf } from './log.ts';
import { recordedNames, redactorOf, watchesOf, type ResolvedResource, type Watch } from './scopes.ts';

export interface Once {
  readonly settings: Omit<SettingsOf<'collect'>, 'httpHost' | 'httpPort'>;
  readonly role: string;
  readonly client: KubeClient;
  readonly cluster: string;
  readonly resolved: readonly ResolvedResource[];
  readonly telemetry: Telemetry;
  /** `audit` has everything said again; `snapshot` what differs. */
  readonly cause: 'snapshot' | 'audit';
  /** By resource. */
  readonly strangers?: ReadonlyMap<string, readonly Stranger[]>;
}

export interface ListedOnce {
  readonly resource: string;
  /** '' for all namespaces. */
  readonly namespace: string;
  readonly objects: number;
  /** Why it could not be listed. */
  readonly error: KubetapeError | null;
}

export interface OnceOutcome {
  readonly lists: readonly ListedOnce[];
  /** Resource → op → changes written. */
  readonly changes: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Failures in a row after which a resource is left for the next time: about a minute and a half. */
const FAILURES_MAX = 7;

/** @throws KubetapeError KAFKA_FENCED: somebody else has taken over; KAFKA_UNAUTHORIZED, KAFKA_TOPIC_MISSING */
export async function listOnce(once: Once, signal: AbortSignal): Promise<OnceOutcome> {
  const { settings, role, client, cluster, resolved, telemetry } = once;
  const lists: ListedOnce[] = resolved.flatMap(({ asked, error }) =>
    error === null ? [] : [{ resource: asked, namespace: '', objects: 0, error }],
  );
  const ends = new Map<string, List>();
  const watches = watchesOf(
    resolved.filter(({ error }) => error === null),
    settings,
    {
      client,
      cluster,
      redact: redactorOf(settings),
      listener: (resource, namespace) => listenerOf(ends, `${resource}/${namespace}`),
      unknown: () => undefined,
    },
  );
  const watched = watches.map((watch): Watched => {
    const { resource, namespace } = watch.track;
    const list = new List();
    ends.set(`${resource}/${namespace}`, list);
    const strangers = (once.strangers?.get(resource) ?? []).filter((one) => namespace === '' || one.namespace === namespace);
    return { track: watch.track, strangers, source: { run: (...args) => runOnce(once, watch, list, ...args) } };
  });
  const changes = new Map<string, Map<string, number>>();
  const collector = new Collector(
    watched,
    { ...collectorSettings(settings), once: true },
    {
      cluster,
      topicPrefix: settings.topicPrefix,
      log: logOf(settings, role, cluster, recordedNames(resolved), telemetry),
      reader: new TopicReader(kafkaConnection(settings, role)),
      telemetry: {
        ...telemetry.capture,
        changes: (facts) => {
          const ops = changes.get(facts.resource) ?? new Map<string, number>();
          changes.set(facts.resource, ops.set(facts.op, (ops.get(facts.op) ?? 0) + facts.count));
          telemetry.capture.changes(facts);
        },
        // Between two snapshots nobody looks: that is no news.
        gap: (facts) => (facts.cause === 'snapshot' ? undefined : telemetry.capture.gap(facts)),
      },
      version: telemetry.version,
    },
  );
  await collector.run(signal);
  for (const { track } of watched) {
    const { objects, error } = ends.get(`${track.resource}/${track.namespace}`) ?? new List();
    lists.push({ resource: track.resource, namespace: track.namespace, objects, error });
  }
  return { lists, changes };
}

/** One list on its way. */
class List {
  readonly stop = new AbortController();
  objects = 0;
  error: KubetapeError | null = null;
}

async function runOnce(once: Once, watch: Watch, list: List, ...[resume, cause, observe, signal]: Parameters<Watch['run']>): Promise<void> {
  const onSignal = (): void => list.stop.abort();
  signal.addEventListener('abort', onSignal, { once: true });
  if (signal.aborted) list.stop.abort();
  try {
    const why = once.cause === 'audit' ? 'audit' : await causeOf(once, watch, resume, cause, list.stop.signal);
    const observed = (observation: Observation): void | Promise<void> => {
      if (observation.type === 'list-started') list.objects = 0;
      if (observation.type === 'listed') list.objects += 1;
      if (observation.type === 'list-ended') list.stop.abort();
      return observe(observation);
    };
    await watch.run(null, why, observed, list.stop.signal);
  } catch (error) {
    // One resource that cannot be had keeps no other from being recorded.
    if (!(error instanceof KubetapeError) || !error.code.startsWith('KUBE_')) throw error;
    list.error = error;
  } finally {
    signal.removeEventListener('abort', onSignal);
  }
}

/** @param resume where the last run ended; a server whose resourceVersions are behind that has another history */
async function causeOf(once: Once, watch: Watch, resume: string | null, cause: ListCause, signal: AbortSignal): Promise<ListCause> {
  if (resume === null) return cause;
  const latest = await latestVersion(once.client, watch.scope(), signal);
  return compareResourceVersions(latest, resume) < 0 ? 'restored' : 'snapshot';
}

function listenerOf(lists: ReadonlyMap<string, List>, key: string): ReflectorListener {
  return {
    state: () => undefined,
    answered: () => undefined,
    listed: () => undefined,
    relist: () => undefined,
    watchEnded: () => undefined,
    failed: ({ error, failures }) => {
      const list = lists.get(key);
      if (list === undefined) return;
      if (failures < FAILURES_MAX && !isCode(error, 'KUBE_FORBIDDEN', 'KUBE_NOT_FOUND')) return;
      list.error = error;
      list.stop.abort();
    },
  };
}
