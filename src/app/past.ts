/** A question about the past: the database it is put to, and the cluster it is about. */
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { nearest } from '../config/nearest.ts';
import type { Past, RecordedType } from '../past/ports.ts';
import { PostgresPast } from '../postgres/past.ts';
import { databaseOf } from './connections.ts';

export interface AskedPast {
  readonly past: Past;
  readonly cluster: string;
  readonly types: readonly RecordedType[];
}

/**
 * @param context name of the kubeconfig's context, which is also the name of its cluster unless somebody named it otherwise
 * @throws KubetapeError SCHEMA_*, POSTGRES_*; NOT_RECORDED: nothing is recorded, or not of this cluster;
 *   QUESTION_INVALID: several clusters are recorded, and none is named
 */
export async function openPast(settings: SettingsOf<'ask'>, context: () => Promise<string>): Promise<AskedPast> {
  const past = new PostgresPast(databaseOf(settings, 'cli'));
  try {
    const { clusters, types } = await past.survey();
    return { past, types, cluster: chosen(clusters, settings.cluster) ?? byContext(clusters, await context()) };
  } catch (error) {
    await past.close();
    throw error;
  }
}

function chosen(clusters: readonly string[], named: string | undefined): string | undefined {
  if (clusters.length === 0)
    throw new KubetapeError('NOT_RECORDED', 'nothing is recorded in this database yet', {
      hint: 'Do a collector and a sink run? `kubetape check` tells; `kubetape run` is both in one.',
    });
  if (named === undefined) return clusters.length === 1 ? clusters[0] : undefined;
  if (clusters.includes(named)) return named;
  const near = nearest(named, clusters);
  throw new KubetapeError('NOT_RECORDED', `there is no cluster ${named}${near === undefined ? '' : `; did you mean ${near}?`}`, {
    hint: `Recorded are ${clusters.join(', ')}.`,
  });
}

function byContext(clusters: readonly string[], context: string): string {
  if (clusters.includes(context)) return context;
  throw new KubetapeError('QUESTION_INVALID', `several clusters are recorded: ${clusters.join(', ')}`, {
    hint: 'Say which with --cluster, KUBETAPE_CLUSTER or --context.',
  });
}
