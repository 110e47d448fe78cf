/** The role `collect`: API server → Kafka. */
import { Collector } from '../capture/collector.ts';
import type { SettingsOf } from '../config/roles.ts';
import { isCode, KubetapeError } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import type { ListCause } from '../events/observation.ts';
import { TopicReader } from '../kafka/reader.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { LeaderElection } from '../kubernetes/lease.ts';
import type { ReflectorListener } from '../kubernetes/reflector-options.ts';
import type { Check } from '../telemetry/health.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { kafkaConnection } from './connections.ts';
import { leaseOf } from './lease.ts';
import { collectorSettings, logOf } from './log.ts';
import { untilItWorks } from './retry.ts';
import { clusterName, recordedNames, redactorOf, resolveResources, watchesOf } from './scopes.ts';

export async function collect(settings: SettingsOf<'collect'>, telemetry: Telemetry, signal: AbortSignal): Promise<void> {
  const client = KubeClient.load({ kubeconfig: settings.kubeconfig, context: settings.context });
  const watchTroubles = new Map<string, string>();
  const listCauses = new Map<string, ListCause>();
  let collector: Collector | null = null;
  let waitingFor = 'connecting to the API server';
  const standby: { holder: string | null } = { holder: null };
  const unregister = telemetry.health.register(() => {
    // A standby is what it should be; it would never be rolled out otherwise.
    if (standby.holder !== null && collector?.opened !== true) return [{ name: `standing by, ${standby.holder} leads`, ready: true }];
    return checks(collector, watchTroubles, listCauses, waitingFor);
  });
  try {
    const onRetry = (error: KubetapeError, attempt: number, delayMs: number): void => {
      waitingFor = error.message;
      telemetry.capture.reflectorError({
        resource: 'discovery',
        namespace: '',
        code: error.code,
        message: error.message,
        hint: error.hint,
        attempt,
        delayMs,
      });
    };
    const cluster = await untilItWorks(() => clusterName(settings, client, signal), signal, onRetry);
    const resolved = await untilItWorks(() => resolveResources(client, settings.resources, signal), signal, onRetry);
    const listener = (resource: string, namespace: string): ReflectorListener =>
      listenerOf(telemetry, watchTroubles, listCauses, resource, namespace);
    const unknown = (asked: string, error: KubetapeError): void => {
      watchTroubles.set(`${asked}/`, error.message);
      telemetry.capture.reflectorError({
        resource: asked,
        namespace: '',
        code: error.code,
        message: error.message,
        hint: error.hint,
        attempt: 1,
        delayMs: 15_000,
      });
    };
    const watches = watchesOf(resolved, settings, { client, cluster, redact: redactorOf(settings), listener, unknown });
    waitingFor = `taking over the log of cluster ${cluster}`;
    const log = logOf(settings, 'collect', cluster, recordedNames(resolved), telemetry, (error) => {
      waitingFor = error.message;
    });
    let hasLease = false;
    const record = async (leading: AbortSignal): Promise<void> => {
      while (!leading.aborted) {
        try {
          collector = new Collector(
            watches.map(({ track, run }) => ({ track, source: { run } })),
            collectorSettings(settings),
            {
              cluster,
              topicPrefix: settings.topicPrefix,
              log,
              reader: new TopicReader(kafkaConnection(settings, 'collect')),
              telemetry: telemetry.capture,
              version: telemetry.version,
            },
          );
          await collector.run(leading);
          return;
        } catch (error) {
          // What it remembers may not be what the log holds: that is read anew. To Kafka, a writer whose transaction took too
          // long is fenced as well; whoever still has the Lease then is the one to go on.
          if (!isCode(error, 'KAFKA_WRITER_LOST') && !(hasLease && isCode(error, 'KAFKA_FENCED'))) throw error;
          telemetry.capture.writerLost({ code: error.code, message: error.message });
          collector = null;
          waitingFor = error.message;
          await pause(WRITER_LOST_MS, leading);
          if (leading.aborted && !signal.aborted) throw error;
        }
      }
    };
    if (!settings.leaderElection) await record(signal);
    else {
      const election = new LeaderElection(client, leaseOf(settings, cluster), {
        leading: () => {
          hasLease = true;
          telemetry.capture.leadership({ leader: true });
        },
        standingBy: (holder) => {
          standby.holder = holder;
          telemetry.capture.leadership({ leader: false, holder });
        },
        unavailable: (error) =>
          telemetry.log('capture').warn(`leading without a Lease: ${error.message}`, {
            code: error.code,
            hint: 'Grant get, create and update on leases, or set --no-leader-election.',
          }),
      });
      await election.lead((leading) => {
        standby.holder = null;
        return record(leading);
      }, signal);
    }
  } catch (error) {
    if (signal.aborted && error instanceof KubetapeError && error.retryable) return;
    throw error;
  } finally {
    unregister();
    await client.close();
  }
}

/** Long enough to hear that somebody else has the Lease, where that is why. */
const WRITER_LOST_MS = 3_000;

/** Ready is: the log is ours, and every watch is complete and live. */
function checks(
  collector: Collector | null,
  troubles: ReadonlyMap<string, string>,
  listCauses: ReadonlyMap<string, ListCause>,
  waitingFor: string,
): Check[] {
  if (collector === null || !collector.opened) return [{ name: 'kafka', ready: false, reason: waitingFor }];
  const watches = collector.health().map(({ resource, namespace, synced }) => {
    const trouble = troubles.get(`${resource}/${namespace}`);
    const name = `watch ${resource}${namespace === '' ? '' : ` in ${namespace}`}`;
    if (trouble !== undefined) return { name, ready: false, reason: trouble };
    if (synced) return { name, ready: true };
    const cause = listCauses.get(`${resource}/${namespace}`) ?? 'first';
    return { name, ready: false, reason: cause === 'first' ? 'its first list is not complete' : `it is being listed anew: ${cause}` };
  });
  return [kafkaCheck(collector.unconfirmedMs), ...watches];
}

/** A commit takes some milliseconds; one that has hung for so long means that nothing is recorded. */
const UNCONFIRMED_MAX_MS = 5_000;

function kafkaCheck(unconfirmedMs: number): Check {
  if (unconfirmedMs < UNCONFIRMED_MAX_MS) return { name: 'kafka', ready: true };
  return { name: 'kafka', ready: false, reason: `a transaction has waited ${Math.round(unconfirmedMs / 1000)} s for its confirmation` };
}

function listenerOf(
  telemetry: Telemetry,
  troubles: Map<string, string>,
  listCauses: Map<string, ListCause>,
  resource: string,
  namespace: string,
): ReflectorListener {
  const { capture } = telemetry;
  const scope = { resource, namespace };
  return {
    state: (state) => capture.watchState({ ...scope, state }),
    answered: () => void troubles.delete(`${resource}/${namespace}`),
    listed: (facts) => capture.listed({ ...scope, ...facts }),
    relist: (cause) => {
      listCauses.set(`${resource}/${namespace}`, cause);
      capture.relist({ ...scope, cause });
    },
    watchEnded: ({ how, seconds }) => capture.watchEnded({ ...scope, cause: how, seconds }),
    failed: ({ error, failures, waitMs }) => {
      troubles.set(`${resource}/${namespace}`, error.message);
      capture.reflectorError({ ...scope, code: error.code, message: error.message, hint: error.hint, attempt: failures, delayMs: waitMs });
    },
  };
}
