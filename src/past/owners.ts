/**
 * Who owns whom: Deployment > ReplicaSet > Pod. Pure.
 *   in    objects
 *   out   a tree, by kind and name; owners that are not recorded are in it by their name
 * Invariant (test/past/owners.test.ts): O1 total  every object is in the tree once, whatever its references say
 */
import type { KubernetesObject } from '../events/change.ts';
import { fieldsOf, listOf, textOf } from '../diff/fields.ts';

export interface Owned<T> {
  /** `Deployment/checkout` */
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  /** null for an owner that is only known by name. */
  readonly item: T | null;
  readonly children: readonly Owned<T>[];
}

interface Node<T> {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  item: T | null;
  parent: string | null;
  readonly children: Node<T>[];
}

export function ownerTree<T extends { readonly object: KubernetesObject | null; readonly kind: string; readonly name: string }>(
  items: readonly T[],
): Owned<T>[] {
  const nodes = new Map<string, Node<T>>();
  const nodeOf = (kind: string, name: string): Node<T> => {
    const key = `${kind}/${name}`;
    const node = nodes.get(key) ?? { key, kind, name, item: null, parent: null, children: [] };
    nodes.set(key, node);
    return node;
  };
  for (const item of items) {
    const node = nodeOf(item.kind, item.name);
    node.item = item;
    for (const [child, parent] of chainOf(item)) {
      const [above, below] = [nodeOf(parent.kind, parent.name), nodeOf(child.kind, child.name)];
      if (below.parent === null && !isBelow(above, below, nodes)) below.parent = above.key;
    }
  }
  const roots: Node<T>[] = [];
  for (const node of nodes.values()) {
    const parent = node.parent === null ? undefined : nodes.get(node.parent);
    if (parent === undefined) roots.push(node);
    else parent.children.push(node);
  }
  for (const node of nodes.values()) node.children.sort(byName);
  return roots.toSorted(byName);
}

interface Ref {
  readonly kind: string;
  readonly name: string;
}

/** The object's owner, and the owner's where its name tells: a Deployment's ReplicaSets are called after it. */
function chainOf({
  object,
  kind,
  name,
}: {
  readonly object: KubernetesObject | null;
  readonly kind: string;
  readonly name: string;
}): [Ref, Ref][] {
  const metadata = fieldsOf(object?.['metadata']);
  const owners = listOf(metadata['ownerReferences']).map(fieldsOf);
  const owner = owners.find(({ controller }) => controller === true) ?? owners[0];
  const [ownerKind, ownerName] = [textOf(owner?.['kind']), textOf(owner?.['name'])];
  if (ownerKind === undefined || ownerName === undefined) return [];
  const above = { kind: ownerKind, name: ownerName };
  const hash = textOf(fieldsOf(metadata['labels'])['pod-template-hash']);
  const own: [Ref, Ref] = [{ kind, name }, above];
  if (ownerKind !== 'ReplicaSet' || hash === undefined || !ownerName.endsWith(`-${hash}`)) return [own];
  return [own, [above, { kind: 'Deployment', name: ownerName.slice(0, -hash.length - 1) }]];
}

/** References that go in a circle must not make one here. */
function isBelow<T>(node: Node<T>, other: Node<T>, nodes: ReadonlyMap<string, Node<T>>): boolean {
  for (let at: Node<T> | undefined = node; at !== undefined; at = at.parent === null ? undefined : nodes.get(at.parent))
    if (at === other) return true;
  return false;
}

function byName<T>(a: Node<T>, b: Node<T>): number {
  return a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.name < b.name ? -1 : 1;
}
