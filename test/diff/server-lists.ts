/** What the API server's OpenAPI document says of the lists in its objects: which fields identify an element. One of each. */
import type { Kube } from '../support/kube.ts';

export interface ServerList {
  /** The first kind and path at which such a list was found. */
  readonly kind: string;
  readonly path: string;
  /** `map`: elements are known by `keys`. `set`: by their value. */
  readonly type: 'map' | 'set';
  readonly keys: readonly string[];
}

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly 'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-patch-merge-key'?: string;
}

type Schemas = Readonly<Record<string, Schema>>;

const KINDS: Readonly<Record<string, readonly string[]>> = {
  'api/v1': ['core.v1.Pod', 'core.v1.Service', 'core.v1.ConfigMap', 'core.v1.Secret', 'core.v1.Node', 'core.v1.PersistentVolumeClaim'],
  'apis/apps/v1': ['apps.v1.Deployment', 'apps.v1.StatefulSet', 'apps.v1.DaemonSet', 'apps.v1.ReplicaSet'],
  'apis/batch/v1': ['batch.v1.Job', 'batch.v1.CronJob'],
  'apis/events.k8s.io/v1': ['events.v1.Event'],
  'apis/autoscaling/v2': ['autoscaling.v2.HorizontalPodAutoscaler'],
  'apis/networking.k8s.io/v1': ['networking.v1.Ingress', 'networking.v1.NetworkPolicy'],
  'apis/policy/v1': ['policy.v1.PodDisruptionBudget'],
};

export async function listsOfServer(kube: Kube): Promise<ServerList[]> {
  const lists = new Map<string, ServerList>();
  for (const [group, names] of Object.entries(KINDS)) {
    const document = await kube.call<{ components: { schemas: Schemas } }>('GET', `/openapi/v3/${group}`);
    const { schemas } = document.components;
    for (const name of names) {
      const schema = schemas[`io.k8s.api.${name}`];
      if (schema === undefined) throw new Error(`the server does not describe ${name}`);
      collect(schema, schemas, name.split('.').at(-1) ?? name, '', lists, []);
    }
  }
  return [...lists.values()];
}

function collect(
  schema: Schema,
  schemas: Schemas,
  kind: string,
  path: string,
  lists: Map<string, ServerList>,
  above: readonly string[],
): void {
  for (const part of [schema, ...(schema.allOf ?? [])]) {
    if (part.$ref !== undefined) {
      const name = part.$ref.split('/').at(-1) ?? '';
      if (!above.includes(name)) collect(schemas[name] ?? {}, schemas, kind, path, lists, [...above, name]);
    }
    for (const [field, property] of Object.entries(part.properties ?? {}))
      collect(property, schemas, kind, path === '' ? field : `${path}.${field}`, lists, above);
    if (part.items !== undefined) {
      const mergeKey = part['x-kubernetes-patch-merge-key'];
      const keys = part['x-kubernetes-list-map-keys'] ?? (mergeKey === undefined ? [] : [mergeKey]);
      const type = part['x-kubernetes-list-type'] ?? (keys.length > 0 ? 'map' : 'atomic');
      const field = path.split('.').at(-1) ?? path;
      const same = `${field} ${type} ${keys.join(',')}`;
      // An atomic list is replaced as a whole: how people see it is for us to say.
      if (type !== 'atomic' && !lists.has(same)) lists.set(same, { kind, path, type, keys });
      collect(part.items, schemas, kind, `${path}[*]`, lists, above);
    }
  }
}
