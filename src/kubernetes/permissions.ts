/** What this user may do, asked of the API server itself. */
import type { ResourceType } from '../events/resource.ts';
import type { KubeClient } from './client.ts';

/** @param namespace '' for all namespaces @returns the verbs of list and watch that are not allowed */
export async function mayListAndWatch(client: KubeClient, type: ResourceType, namespace: string, signal: AbortSignal): Promise<string[]> {
  const missing: string[] = [];
  for (const verb of ['list', 'watch']) {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { group: type.group, version: type.version, resource: type.plural, verb, namespace } },
    };
    const answer = await client.json<{ status?: { allowed?: boolean } }>(
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      {},
      signal,
      {
        method: 'POST',
        body: JSON.stringify(review),
      },
    );
    if (answer.status?.allowed !== true) missing.push(verb);
  }
  return missing;
}
