/** A full list in pages: for servers without streaming lists. Never more than one page in memory. */
import { KubetapeError } from '../events/errors.ts';
import { isResourceVersion } from '../events/resource-version.ts';
import type { KubeClient, OpenOptions } from './client.ts';
import type { Json } from './redact.ts';
import { pathOf, selectorQuery, type Scope } from './scope.ts';

interface ListPage {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly Json[] | null;
}

export interface Page {
  readonly items: readonly Json[];
  /** Of the snapshot that all pages show. */
  readonly resourceVersion: string;
}

/**
 * Yields the items page by page, all of one snapshot; at least one page.
 * @throws KubetapeError; an expired continue token has the verdict `expired` as its cause
 */
export async function* listPages(
  client: KubeClient,
  scope: Scope,
  limit: number,
  signal: AbortSignal,
  timeouts: Pick<OpenOptions, 'headersTimeoutMs' | 'bodyTimeoutMs'>,
): AsyncGenerator<Page, void, void> {
  let token = '';
  let snapshot: string | undefined;
  do {
    const query = { ...selectorQuery(scope), limit, continue: token };
    const page: ListPage = await client.json<ListPage>(pathOf(scope), query, signal, timeouts);
    snapshot ??= page.metadata?.resourceVersion;
    if (!isResourceVersion(snapshot)) throw new KubetapeError('KUBE_PROTOCOL', `a list of ${scope.resource} has no resourceVersion`);
    yield { items: page.items ?? [], resourceVersion: snapshot };
    token = page.metadata?.continue ?? '';
  } while (token !== '');
}
