/** The role `audit`: compares what was recorded with what there is, and has it said again where they differ. */
import { audit, type Finding } from '../audit/audit.ts';
import type { AuditSources } from '../audit/ports.ts';
import type { Stranger } from '../capture/memory.ts';
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { resourceName } from '../events/resource.ts';
import { pause } from '../flow/pause.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { LeaderElection } from '../kubernetes/lease.ts';
import { checkSchema } from '../postgres/migrate.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { auditSources } from './audit-sources.ts';
import { databaseOf } from './connections.ts';
import { leaseOf } from './lease.ts';
import { listOnce } from './once.ts';
import { clusterName, redactorOf, resolveResources, watchesOf, type ResolvedResource } from './scopes.ts';

export interface AuditOutcome {
  readonly cluster: string;
  readonly findings: readonly Finding[];
  /** Resources of which everything was said again; the findings are of the audit after it. */
  readonly repaired: readonly string[];
}

/** How a person hears of what takes its time. */
export interface AuditListener {
  differs(resource: string, differences: number, withinMs: number): void;
  repairing(resources: readonly string[]): void;
}

const LOOK_EVERY_MS = 3_000;

/** The API server forgets Events after an hour, and the tables do not: there is nothing to compare. */
const FORGOTTEN = 'events';

/** @throws KubetapeError whatever keeps all of it from being audited */
export async function auditOnce(
  settings: SettingsOf<'audit'>,
  telemetry: Telemetry,
  listener: AuditListener,
  signal: AbortSignal,
): Promise<AuditOutcome> {
  const client = KubeClient.load({ kubeconfig: settings.kubeconfig, context: settings.context });
  const database = databaseOf(settings, 'audit');
  try {
    await checkSchema(database);
    const cluster = await clusterName(settings, client, signal);
    const resolved = await resolveResources(client, settings.resources, signal);
    const unserved = resolved.flatMap(({ asked, error }): Finding[] =>
      error === null
        ? []
        : [{ resource: asked, outcome: 'unknown', objects: 0, hash: '', drift: [], reason: `${error.message}. ${error.hint}` }],
    );
    const audited = resolved.filter(({ type }) => type !== null && resourceName(type) !== FORGOTTEN);
    const scopes = scopesOf(settings, client, cluster, audited);
    const sources = auditSources({ settings, client, database, cluster, scopes });
    const times = { withinMs: settings.auditWithin, lookEveryMs: LOOK_EVERY_MS };
    const told = new Set<string>();
    const differing = {
      ...telemetry.audit,
      differs: (facts: Parameters<typeof telemetry.audit.differs>[0]) => {
        telemetry.audit.differs(facts);
        if (!told.has(facts.resource)) listener.differs(facts.resource, facts.differences, settings.auditWithin);
        told.add(facts.resource);
      },
    };
    const look = (names: readonly string[]): Promise<Finding[]> => audit(names, sources, times, differing, signal);

    const findings = await look([...scopes.keys()]);
    const drifting = findings.filter(({ outcome }) => outcome === 'drift');
    const repaired = drifting.map(({ resource }) => resource);
    if (!settings.auditRepair || drifting.length === 0 || signal.aborted)
      return { cluster, findings: [...findings, ...unserved], repaired: [] };
    listener.repairing(repaired);
    telemetry.audit.repairing({ resources: repaired });
    const toMend = audited.filter(({ type }) => type !== null && repaired.includes(resourceName(type)));
    const strangers = await strangersOf(drifting, sources);
    await repair(settings, telemetry, client, cluster, toMend, strangers, signal);
    const again = new Map((await look(repaired)).map((finding) => [finding.resource, finding]));
    return { cluster, findings: [...findings.map((finding) => again.get(finding.resource) ?? finding), ...unserved], repaired };
  } finally {
    await client.close();
    await database.close();
  }
}

/** Audits until `signal` fires; what keeps an audit from being made is told and met again at the next one. */
export async function auditing(settings: SettingsOf<'audit'>, telemetry: Telemetry, everyMs: number, signal: AbortSignal): Promise<void> {
  let reason: string | null = 'the first audit is under way';
  const unregister = telemetry.health.register(() => [{ name: 'audit', ready: reason === null, ...(reason === null ? {} : { reason }) }]);
  try {
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await auditOnce(settings, telemetry, { differs: () => undefined, repairing: () => undefined }, signal);
        reason = null;
      } catch (error) {
        if (!(error instanceof KubetapeError)) throw error;
        reason = error.message;
        if (!signal.aborted) telemetry.audit.failed({ code: error.code, message: error.message, hint: error.hint });
      }
      await pause(Math.max(0, everyMs - (performance.now() - startedMs)), signal);
    }
  } finally {
    unregister();
  }
}

function scopesOf(settings: SettingsOf<'audit'>, client: KubeClient, cluster: string, resolved: readonly ResolvedResource[]) {
  const silent = {
    state: () => undefined,
    listed: () => undefined,
    relist: () => undefined,
    answered: () => undefined,
    watchEnded: () => undefined,
    failed: () => undefined,
  };
  const watches = watchesOf(resolved, settings, {
    client,
    cluster,
    redact: redactorOf(settings),
    listener: () => silent,
    unknown: () => undefined,
  });
  return Map.groupBy(
    watches.map((watch) => watch.scope()),
    ({ resource }) => resource,
  );
}

/**
 * What the tables hold otherwise than it is. The list that mends them is told of these, so that those which are gone
 * are said to be gone, in an epoch that is newer than whatever stands in the tables.
 */
async function strangersOf(findings: readonly Finding[], sources: AuditSources): Promise<Map<string, readonly Stranger[]>> {
  const strangers = new Map<string, readonly Stranger[]>();
  for (const { resource, drift } of findings) {
    const uids = new Set(drift.filter(({ side }) => side === 'table').map(({ uid }) => uid));
    strangers.set(
      resource,
      (await sources.table(resource)).filter(({ uid }) => uids.has(uid)),
    );
  }
  return strangers;
}

/** Takes the log over for one list. The collector that had it ends, and stands by again once it is started again. */
async function repair(
  settings: SettingsOf<'audit'>,
  telemetry: Telemetry,
  client: KubeClient,
  cluster: string,
  resolved: readonly ResolvedResource[],
  strangers: ReadonlyMap<string, readonly Stranger[]>,
  signal: AbortSignal,
): Promise<void> {
  const say = async (leading: AbortSignal): Promise<void> => {
    const { lists } = await listOnce({ settings, role: 'audit', client, cluster, resolved, telemetry, cause: 'audit', strangers }, leading);
    for (const { error } of lists) if (error !== null) throw error;
  };
  if (!settings.leaderElection) {
    await say(signal);
    return;
  }
  const listener = { leading: () => undefined, standingBy: () => undefined, unavailable: () => undefined };
  await new LeaderElection(client, leaseOf(settings, cluster), listener).lead(say, signal, 'take');
}
