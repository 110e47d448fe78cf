/** The observer of what the API server emits: a raw watch over plain HTTP. */
import type { Kube, KubeObject } from './kube.ts';
import { StreamWitness, type Recorded } from './witness.ts';

export async function watchRaw(kube: Kube, resource: string): Promise<StreamWitness> {
  const { metadata, items } = await kube.list(resource);
  const { resourceVersion } = metadata;
  const query = `watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=3600`;
  const response = await kube.open('GET', `${kube.path(resource)}?${query}`, undefined, undefined, 1);
  if (response.statusCode !== 200) throw new Error(`the recorder's watch of ${resource} was answered ${response.statusCode}`);
  const initial = items.map((object) => recorded('ADDED', object));
  return new StreamWitness({ resource, from: resourceVersion, initial }, response, told);
}

function told(line: unknown): Recorded[] {
  const { type, object } = line as { type: string; object: KubeObject };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw new Error(`the recorder received ${type}`);
  return [recorded(type, object)];
}

function recorded(type: Recorded['type'], object: KubeObject): Recorded {
  const { uid = '', resourceVersion = '', namespace = '', name } = object.metadata;
  return { type, uid, resourceVersion, namespace, name };
}
