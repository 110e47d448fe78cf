/** Which objects there are, and in which version: without their content, so that a big collection costs little. */
import { KubetapeError } from '../events/errors.ts';
import { isResourceVersion } from '../events/resource-version.ts';
import type { KubeClient } from './client.ts';
import { pathOf, selectorQuery, type Scope } from './scope.ts';

export interface ObjectVersion {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

interface MetadataList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly { readonly metadata?: { namespace?: string; name?: string; uid?: string; resourceVersion?: string } }[] | null;
}

const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const PAGE = 1000;

/** Where the resourceVersions are now. @throws KubetapeError KUBE_* */
export async function latestVersion(client: KubeClient, scope: Scope, signal: AbortSignal): Promise<string> {
  const page = await client.json<MetadataList>(pathOf(scope), { ...selectorQuery(scope), limit: 1 }, signal, { accept: METADATA_ONLY });
  const latest = page.metadata?.resourceVersion;
  if (!isResourceVersion(latest)) throw new KubetapeError('KUBE_PROTOCOL', `a list of ${scope.resource} has no resourceVersion`);
  return latest;
}

/** All objects of a scope, in one snapshot. @throws KubetapeError KUBE_* */
export async function listVersions(client: KubeClient, scope: Scope, signal: AbortSignal): Promise<ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  let token = '';
  do {
    const query = { ...selectorQuery(scope), limit: PAGE, continue: token };
    const page: MetadataList = await client.json<MetadataList>(pathOf(scope), query, signal, { accept: METADATA_ONLY });
    for (const { metadata } of page.items ?? []) {
      const { namespace = '', name, uid, resourceVersion } = metadata ?? {};
      if (name === undefined || uid === undefined || resourceVersion === undefined)
        throw new KubetapeError('KUBE_PROTOCOL', `a list of ${scope.resource} holds an object without name, uid or resourceVersion`);
      found.push({ namespace, name, uid, resourceVersion });
    }
    token = page.metadata?.continue ?? '';
  } while (token !== '');
  return found;
}
