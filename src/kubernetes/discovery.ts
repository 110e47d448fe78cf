/**
 * Which resource types a cluster serves, and which one a person means by `deploy` or `certificates.cert-manager.io`.
 * Uses aggregated discovery (two requests), and the older one group at a time where a server has none.
 */
import { KubetapeError } from '../events/errors.ts';
import { resourceName, type ResourceType } from '../events/resource.ts';
import type { KubeClient } from './client.ts';

export interface ServedType extends ResourceType {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly verbs: readonly string[];
}

/** Every type the cluster serves in its preferred version. @throws KubetapeError KUBE_* */
export async function discover(client: KubeClient, signal: AbortSignal): Promise<ServedType[]> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const roots = await Promise.all(['/api', '/apis'].map((path) => client.json<AggregatedList | LegacyRoot>(path, {}, signal, { accept })));
  const types: ServedType[] = [];
  for (const root of roots) {
    if (isAggregated(root)) types.push(...root.items.flatMap(typesOfGroup));
    else types.push(...(await legacyTypes(client, root, signal)));
  }
  return types;
}

/**
 * The type that `name` means: plural, plural.group, singular, short name or kind, as kubectl takes them.
 * @throws KubetapeError KUBE_NOT_FOUND, with the nearest names
 */
export function resolveType(types: readonly ServedType[], name: string): ServedType {
  const wanted = name.toLowerCase();
  const candidates = types.filter((type) => namesOf(type).includes(wanted));
  const best = candidates.toSorted((a, b) => rank(a, wanted) - rank(b, wanted))[0];
  if (best === undefined) {
    const near = nearest(wanted, [...new Set(types.flatMap((type) => [type.plural, resourceName(type)]))]);
    const hint = near.length === 0 ? undefined : `Did you mean ${near.join(' or ')}? \`kubectl api-resources\` lists all.`;
    throw new KubetapeError('KUBE_NOT_FOUND', `the cluster serves no resource "${name}"`, hint === undefined ? {} : { hint });
  }
  if (!best.verbs.includes('list') || !best.verbs.includes('watch')) {
    throw new KubetapeError('KUBE_NOT_FOUND', `the resource "${name}" cannot be listed and watched`, {
      hint: 'Leave it out of --resources.',
    });
  }
  return best;
}

function namesOf(type: ServedType): string[] {
  const plain = [type.plural, type.singular, ...type.shortNames, type.kind.toLowerCase()];
  const group = type.group === '' ? [] : [`${type.plural}.${type.group}`, `${type.plural}.${type.version}.${type.group}`];
  return [...plain, ...group, resourceName(type)];
}

/** Events lie in two groups as the same objects: the newer one says more. Then Kubernetes' own groups, then custom ones. */
function rank(type: ServedType, wanted: string): number {
  const exact = type.plural === wanted || resourceName(type) === wanted ? 0 : 10;
  if (type.group === 'events.k8s.io') return exact;
  return exact + (resourceName(type) === type.plural ? 1 : 2);
}

/** Names within two edits, nearest first; at most three. */
export function nearest(wanted: string, names: readonly string[]): string[] {
  const limit = wanted.length <= 3 ? 1 : 2;
  return names
    .map((name) => ({ name, distance: editDistance(wanted, name) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

interface AggregatedList {
  readonly items: readonly AggregatedGroup[];
}
interface AggregatedGroup {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly {
    readonly version: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly responseKind?: { readonly kind?: string };
      readonly scope: string;
      readonly singularResource?: string;
      readonly shortNames?: readonly string[];
      readonly verbs: readonly string[];
    }[];
  }[];
}
interface LegacyRoot {
  readonly versions?: readonly string[];
  readonly groups?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly version: string }[];
    readonly preferredVersion?: { readonly version: string };
  }[];
}
interface LegacyResources {
  readonly resources?: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs: readonly string[];
    readonly shortNames?: readonly string[];
  }[];
}

function isAggregated(root: AggregatedList | LegacyRoot): root is AggregatedList {
  return Array.isArray((root as AggregatedList).items);
}

/** Versions come most preferred first; a type counts in the first that has it. */
function typesOfGroup(group: AggregatedGroup): ServedType[] {
  const types = new Map<string, ServedType>();
  for (const { version, resources } of group.versions ?? []) {
    for (const resource of resources ?? []) {
      if (types.has(resource.resource)) continue;
      types.set(resource.resource, {
        group: group.metadata?.name ?? '',
        version,
        plural: resource.resource,
        kind: resource.responseKind?.kind ?? '',
        namespaced: resource.scope === 'Namespaced',
        singular: resource.singularResource ?? '',
        shortNames: resource.shortNames ?? [],
        verbs: resource.verbs,
      });
    }
  }
  return [...types.values()];
}

async function legacyTypes(client: KubeClient, root: LegacyRoot, signal: AbortSignal): Promise<ServedType[]> {
  const groups =
    root.groups === undefined
      ? (root.versions ?? []).slice(0, 1).map((version) => ({ group: '', version, path: `/api/${version}` }))
      : root.groups.flatMap(({ name, versions, preferredVersion }) => {
          const version = preferredVersion?.version ?? versions[0]?.version;
          return version === undefined ? [] : [{ group: name, version, path: `/apis/${name}/${version}` }];
        });
  const types: ServedType[] = [];
  for (const { group, version, path } of groups) {
    const { resources } = await client.json<LegacyResources>(path, {}, signal);
    for (const one of resources ?? []) {
      if (one.name.includes('/')) continue;
      types.push({
        group,
        version,
        plural: one.name,
        kind: one.kind,
        namespaced: one.namespaced,
        singular: one.singularName ?? '',
        shortNames: one.shortNames ?? [],
        verbs: one.verbs,
      });
    }
  }
  return types;
}
