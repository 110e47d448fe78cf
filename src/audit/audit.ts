/**
 * One audit: does what was recorded equal what there is? Looks again while it does not, as changes are always on their
 * way; what still differs in the end, in the same way as in the beginning, is drift.
 * Invariants (test/audit/audit.test.ts):
 *   A4 patient    nothing is called drift before the time is over
 *   A5 fair       tables that have not yet been given what lay in the topic at the beginning are not called wrong
 *   A6 whole      a resource that cannot be looked at keeps no other from being audited
 */
import { KubetapeError } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import type { AuditSources, AuditTelemetry, RecordedVersion } from './ports.ts';
import { driftOf, hashOf, lasting, type Drift } from './sets.ts';

export interface Finding {
  readonly resource: string;
  readonly outcome: 'equal' | 'drift' | 'unknown';
  /** In the cluster. */
  readonly objects: number;
  /** Of the cluster's set; the others have the same when nothing differs. */
  readonly hash: string;
  readonly drift: readonly Drift[];
  /** Why nothing could be found out. */
  readonly reason: string | null;
}

export interface AuditTimes {
  /** How long a difference may take to go away by itself. */
  readonly withinMs: number;
  readonly lookEveryMs: number;
}

/** What one look at a resource showed. */
interface Look {
  readonly objects: number;
  readonly hash: string;
  readonly drift: readonly Drift[];
}

export async function audit(
  resources: readonly string[],
  sources: AuditSources,
  times: AuditTimes,
  telemetry: AuditTelemetry,
  signal: AbortSignal,
): Promise<Finding[]> {
  const startedMs = performance.now();
  const findings = new Map<string, Finding>();
  const firsts = new Map<string, { readonly look: Look; readonly ends: readonly number[] }>();
  const found = (finding: Finding): void => {
    findings.set(finding.resource, finding);
    telemetry.audited(finding);
  };

  for (;;) {
    const leftMs = times.withinMs - (performance.now() - startedMs);
    const state = await sources.state(
      resources.filter((resource) => !findings.has(resource)),
      signal,
    );
    for (const resource of resources) {
      if (findings.has(resource) || signal.aborted) continue;
      try {
        const ends = firsts.get(resource)?.ends ?? (await sources.ends(resource));
        const look = await lookAt(resource, sources, state.get(resource) ?? [], signal);
        const first = firsts.get(resource) ?? { look, ends };
        firsts.set(resource, first);
        if (look.drift.length === 0) found(equal(resource, look));
        else if (leftMs <= 0) found(await judged(resource, sources, look, lasting(first.look.drift, look.drift), ends, signal));
        else telemetry.differs({ resource, differences: look.drift.length, againMs: Math.min(times.lookEveryMs, leftMs) });
      } catch (error) {
        if (!(error instanceof KubetapeError)) throw error;
        if (leftMs <= 0 || !error.retryable) found(unknown(resource, `${error.message}. ${error.hint}`));
      }
    }
    if (findings.size === resources.length || signal.aborted) break;
    await pause(Math.min(times.lookEveryMs, Math.max(0, leftMs)), signal);
  }
  return resources.map((resource) => findings.get(resource) ?? unknown(resource, 'it was interrupted'));
}

/** The recorded sides are read before the cluster: what they miss then is at worst on its way. */
async function lookAt(resource: string, sources: AuditSources, state: readonly RecordedVersion[], signal: AbortSignal): Promise<Look> {
  const table = await sources.table(resource);
  const cluster = await sources.cluster(resource, signal);
  const drift = [...driftOf('state', cluster, state), ...driftOf('table', cluster, table)];
  return { objects: cluster.length, hash: hashOf(cluster), drift };
}

async function judged(
  resource: string,
  sources: AuditSources,
  look: Look,
  drift: readonly Drift[],
  ends: readonly number[],
  signal: AbortSignal,
): Promise<Finding> {
  if (drift.length === 0) return equal(resource, look);
  if (drift.every(({ side }) => side === 'table') && !(await sources.reached(resource, ends, signal)))
    return unknown(resource, 'the tables have not been given yet what lay in the topic when the audit began. Is a sink running?');
  return { ...equal(resource, look), outcome: 'drift', drift };
}

function equal(resource: string, { objects, hash }: Look): Finding {
  return { resource, outcome: 'equal', objects, hash, drift: [], reason: null };
}

function unknown(resource: string, reason: string): Finding {
  return { resource, outcome: 'unknown', objects: 0, hash: '', drift: [], reason };
}
