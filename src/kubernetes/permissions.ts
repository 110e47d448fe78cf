/** What this user may do, asked of the API server itself. */
import type { ResourceType } from '../events/resource.ts';
import type { KubeClient } from './client.ts';

/** @returns those of the verbs that are not allowed; an empty namespace stands for all of them */
export async function missingVerbs(
  client: KubeClient,
  { group, version, plural }: Pick<ResourceType, 'group' | 'version' | 'plural'>,
  verbs: readonly string[],
  object: { readonly namespace: string; readonly name?: string },
  signal: AbortSignal,
): Promise<string[]> {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const missing: string[] = [];
  for (const verb of verbs) {
    const resourceAttributes = { group, version, resource: plural, verb, ...object };
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
    const options = { method: 'POST', body: JSON.stringify(review) } as const;
    const answer = await client.json<{ status?: { allowed?: boolean } }>(path, {}, signal, options);
    if (answer.status?.allowed !== true) missing.push(verb);
  }
  return missing;
}
