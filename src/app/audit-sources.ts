/** Where an audit looks: the API server, `shared-state`, the tables. */
import type { AuditSources, RecordedVersion } from '../audit/ports.ts';
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { topicOf } from '../events/resource.ts';
import type { StateRecord } from '../events/state.ts';
import { SHARED_STATE } from '../events/topics.ts';
import { topicEnds } from '../kafka/admin.ts';
import { TopicReader } from '../kafka/reader.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Scope } from '../kubernetes/scope.ts';
import { listVersions } from '../kubernetes/versions.ts';
import type { Database } from '../postgres/pool.ts';
import { storedPositions, storedVersions } from '../postgres/versions.ts';
import { kafkaConnection } from './connections.ts';

export interface Audited {
  readonly settings: SettingsOf<'audit'>;
  readonly client: KubeClient;
  readonly database: Database;
  readonly cluster: string;
  /** By resource; one scope per namespace where namespaces are watched one by one. */
  readonly scopes: ReadonlyMap<string, readonly Scope[]>;
}

export function auditSources({ settings, client, database, cluster, scopes }: Audited): AuditSources {
  const connection = kafkaConnection(settings, 'audit');
  const topic = (resource: string): string => topicOf(resource, settings.topicPrefix);
  /** Of namespaces that are not watched (any more), rows may stand. */
  const isAudited = (resource: string, namespace: string): boolean => {
    const namespaces = new Set((scopes.get(resource) ?? []).map((scope) => scope.namespace));
    return (namespaces.has('') || namespaces.has(namespace)) && !settings.excludeNamespaces.includes(namespace);
  };
  return {
    cluster: async (resource, signal) => {
      const found = [];
      for (const scope of scopes.get(resource) ?? []) found.push(...(await listVersions(client, scope, signal)));
      return found;
    },
    state: async (resources, signal) => {
      const known = new Map<string, Map<string, RecordedVersion>>(resources.map((resource) => [resource, new Map()]));
      const prefix = `${cluster}/`;
      await new TopicReader(connection).readToEnd(
        [`${settings.topicPrefix}${SHARED_STATE}`],
        ({ key, value }) => {
          if (!key.startsWith(prefix)) return;
          const [resource = '', namespace = '', ...rest] = key.slice(prefix.length).split('/');
          const objects = known.get(resource);
          if (objects === undefined || !isAudited(resource, namespace)) return;
          if (value === null) {
            objects.delete(key);
            return;
          }
          const { uid, resourceVersion, epoch } = JSON.parse(value.toString('utf8')) as StateRecord;
          objects.set(key, { namespace, name: rest.join('/'), uid, resourceVersion, epoch });
        },
        signal,
      );
      // Half a memory would look like one with holes.
      if (signal.aborted) throw new KubetapeError('KAFKA_FAILED', `reading ${SHARED_STATE} was interrupted`);
      return new Map([...known].map(([resource, objects]) => [resource, [...objects.values()]]));
    },
    table: async (resource) =>
      (await storedVersions(database, cluster, resource)).filter(({ namespace }) => isAudited(resource, namespace)),
    ends: async (resource) => (await topicEnds(connection, [topic(resource)])).get(topic(resource)) ?? [],
    reached: async (resource, ends, signal) => {
      const next = await storedPositions(database, topic(resource));
      if (ends.every((end, partition) => (next[partition] ?? 0) >= end)) return true;
      // Markers of transactions take offsets too: only a record that lies there is one that was not stored.
      const enough = new AbortController();
      let reached = true;
      await new TopicReader(connection).readToEnd(
        [topic(resource)],
        ({ partition, offset }) => {
          if (offset >= (ends[partition] ?? 0)) return;
          reached = false;
          enough.abort();
        },
        AbortSignal.any([signal, enough.signal]),
        new Map([[topic(resource), next]]),
      );
      return reached;
    },
  };
}
