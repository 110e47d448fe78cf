/** The role `snapshot`: one list, the difference to what was recorded, and an end: for a CronJob where nothing may run for ever. */
import type { SettingsOf } from '../config/roles.ts';
import type { KubetapeError } from '../events/errors.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { LeaderElection } from '../kubernetes/lease.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { leaseOf } from './lease.ts';
import { listOnce, type OnceOutcome } from './once.ts';
import type { Out } from './out.ts';
import { untilItWorks } from './retry.ts';
import { clusterName, resolveResources } from './scopes.ts';

const WORDS = [
  ['r', 'recorded first'],
  ['c', 'created'],
  ['u', 'updated'],
  ['d', 'deleted'],
] as const;

/** @returns false when some resource could not be listed */
export async function snapshot(settings: SettingsOf<'snapshot'>, telemetry: Telemetry, out: Out, signal: AbortSignal): Promise<boolean> {
  const client = KubeClient.load({ kubeconfig: settings.kubeconfig, context: settings.context });
  try {
    const onRetry = (error: KubetapeError): void => out.warn(`${error.message}; trying again`);
    const cluster = await untilItWorks(() => clusterName(settings, client, signal), signal, onRetry);
    const resolved = await untilItWorks(() => resolveResources(client, settings.resources, signal), signal, onRetry);
    let outcome: OnceOutcome | null = null;
    const work = async (leading: AbortSignal): Promise<void> => {
      outcome = await listOnce({ settings, role: 'snapshot', client, cluster, resolved, telemetry, cause: 'snapshot' }, leading);
    };
    if (!settings.leaderElection) await work(signal);
    else {
      let holder = '';
      const election = new LeaderElection(client, leaseOf(settings, cluster), {
        leading: () => undefined,
        standingBy: (other) => (holder = other),
        unavailable: (error) => out.warn(`going on without a Lease: ${error.message}`),
      });
      if (!(await election.lead(work, signal, 'if-free'))) {
        out.ok(`the collector ${holder} records ${cluster} already; there is nothing to do`);
        return true;
      }
    }
    return outcome === null ? !signal.aborted : tell(outcome, out);
  } finally {
    await client.close();
  }
}

function tell({ lists, changes }: OnceOutcome, out: Out): boolean {
  for (const { resource, namespace, objects, error } of lists) {
    const name = `${resource}${namespace === '' ? '' : ` in ${namespace}`}`;
    if (error !== null) {
      out.fail(`${name}: ${error.message}`, error.hint);
      continue;
    }
    const ops = changes.get(resource);
    const said = WORDS.flatMap(([op, word]) => (ops?.has(op) === true ? [`${ops.get(op)} ${word}`] : []));
    // With several namespaces, the changes are counted for the resource as a whole.
    out.ok(`${name}: ${objects} objects${namespace === '' ? `, ${said.length === 0 ? 'nothing new' : said.join(', ')}` : ''}`);
  }
  return lists.every(({ error }) => error === null);
}
