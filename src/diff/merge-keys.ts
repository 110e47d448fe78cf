/**
 * Which elements of two lists are the same thing: containers by name, ports by number and protocol, conditions by type.
 * Pure. The keys are those by which the API server itself merges lists (patchMergeKey and listMapKey in k8s.io/api; its
 * OpenAPI document repeats them), with a sensible rule for everything else.
 *   in    the name of the list's field and the two lists
 *   out   how to identify their elements; and for one list an id for each element
 * Invariants (test/diff/merge-keys.test.ts):
 *   K1 the server's  every list that the API server merges by key is identified by the same key
 *   K2 unique        no two elements of a list have the same id
 *   K3 bounded       linear in the size of the lists, whatever they hold
 * The keys go by the field's name and the elements' shape, not by the object's kind: a pod template within a custom
 * resource reads like any other.
 */
import { contentText } from './content-text.ts';

/** A field that is part of a key; `fallback` stands for an absent one, as the API server's defaults do. */
export interface KeyField {
  readonly name: string;
  readonly fallback?: string;
}

/**
 *   fields    by the values of these fields
 *   value     by all of the element: a list that is a set
 *   position  by its place
 */
export type Keying =
  | { readonly by: 'fields'; readonly fields: readonly KeyField[] }
  | { readonly by: 'value' }
  | { readonly by: 'position' };

const by = (...names: readonly string[]): Keying => ({
  by: 'fields',
  fields: names.map((name) => {
    const [field = name, fallback] = name.split('=');
    return fallback === undefined ? { name: field } : { name: field, fallback };
  }),
});
const VALUE: Keying = { by: 'value' };
const POSITION: Keying = { by: 'position' };

const NAME = by('name');
const TYPE = by('type');
const KEY = by('key');

/** Field → the keys to try, in this order. */
const KEYS: ReadonlyMap<string, readonly Keying[]> = new Map([
  ['containers', [NAME]],
  ['initContainers', [NAME]],
  ['ephemeralContainers', [NAME]],
  ['containerStatuses', [NAME]],
  ['initContainerStatuses', [NAME]],
  ['ephemeralContainerStatuses', [NAME]],
  // Names may occur twice, the later one wins: the generic rule would give up on them.
  ['env', [NAME]],
  ['httpHeaders', [NAME]],
  ['imagePullSecrets', [NAME]],
  ['volumes', [NAME]],
  ['claims', [NAME]],
  ['resourceClaims', [NAME]],
  ['resourceClaimStatuses', [NAME]],
  ['schedulingGates', [NAME]],
  ['allocatedResourcesStatus', [NAME]],
  // Several mounts share a volume's name.
  ['volumeMounts', [by('mountPath')]],
  ['volumeDevices', [by('devicePath')]],
  // A container's, then a Service's. An EndpointSlice's may have neither.
  ['ports', [by('containerPort', 'protocol=TCP'), by('port', 'protocol=TCP')]],
  ['conditions', [TYPE]],
  ['resources', [by('resourceID')]],
  ['hostAliases', [by('ip')]],
  ['hostIPs', [by('ip')]],
  ['podIPs', [by('ip')]],
  // A Node's, then whoever else lists addresses.
  ['addresses', [TYPE, by('ip')]],
  // A load balancer's.
  ['ingress', [by('ip'), by('hostname')]],
  // Names are not unique among kinds, uids are.
  ['ownerReferences', [by('uid')]],
  ['topologySpreadConstraints', [by('topologyKey', 'whenUnsatisfiable')]],
  ['readinessGates', [by('conditionType')]],
  ['resizePolicy', [by('resourceName')]],
  ['taints', [by('key', 'effect')]],
  ['subjects', [by('kind', 'namespace=', 'name')]],
  ['paths', [by('path', 'pathType=')]],
  ['managedFields', [by('manager', 'operation', 'subresource=')]],
  // Sets without a key: one that changed is another one.
  ['tolerations', [VALUE]],
  ['envFrom', [VALUE]],
  ['sources', [VALUE]],
]);

/** For all others: the first of these that every element has, each its own. */
const USUAL: readonly Keying[] = [NAME, TYPE, KEY];

type List = readonly unknown[];

export function keyingOf(field: string, before: List, after: List): Keying {
  for (const keying of KEYS.get(field) ?? []) if (fits(keying, before) && fits(keying, after)) return keying;
  if (before.every(isScalar) && after.every(isScalar)) return VALUE;
  for (const keying of USUAL) if (distinct(keying, before) && distinct(keying, after)) return keying;
  return POSITION;
}

/** An id for each element: its key, and a number behind it where the key occurs again. */
export function identify(list: List, keying: Keying): string[] {
  if (keying.by === 'position') return list.map((_, at) => String(at));
  const taken = new Set<string>();
  const times = new Map<string, number>();
  return list.map((element) => {
    const key = keyText(element, keying) ?? '';
    let id = key;
    if (taken.has(id)) {
      let time = times.get(key) ?? 1;
      // Somebody may have named an element as we do.
      do {
        time += 1;
        id = `${key}#${time}`;
      } while (taken.has(id));
      times.set(key, time);
    }
    taken.add(id);
    return id;
  });
}

function keyText(element: unknown, keying: Keying): string | undefined {
  if (keying.by !== 'fields') return contentText(element);
  if (keying.fields.length === 1) return keyField(element, keying.fields[0]);
  const texts: string[] = [];
  for (const field of keying.fields) {
    const text = keyField(element, field);
    if (text === undefined) return undefined;
    if (text !== '') texts.push(text);
  }
  return texts.join('/');
}

function keyField(element: unknown, field: KeyField | undefined): string | undefined {
  if (typeof element !== 'object' || element === null || Array.isArray(element) || field === undefined) return undefined;
  const value = Object.hasOwn(element, field.name) ? (element as { readonly [name: string]: unknown })[field.name] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return value === undefined ? field.fallback : undefined;
}

function fits(keying: Keying, list: List): boolean {
  return list.every((element) => keying.by === 'value' || keyText(element, keying) !== undefined);
}

function distinct(keying: Keying, list: List): boolean {
  const seen = new Set<string>();
  for (const element of list) {
    const key = keyText(element, keying);
    if (key === undefined || seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
