/** What an audit says of itself. */
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export type AuditTelemetry = ReturnType<typeof auditTelemetry>;

interface Drifting {
  readonly side: 'state' | 'table';
  readonly namespace: string;
  readonly name: string;
}

/** Enough to know where to look; the audit's own output has all of them. */
const NAMED_MAX = 5;

export function auditTelemetry(log: Log, metrics: Metrics) {
  const audits = metrics.counter('kubetape_audits_total', 'Audits of a resource, by outcome: equal, drift, unknown', [
    'resource',
    'outcome',
  ]);
  const objects = metrics.gauge('kubetape_audit_objects', 'Objects in the cluster at the last audit', ['resource']);
  const drifting = metrics.gauge(
    'kubetape_audit_drift_objects',
    'Objects that are recorded otherwise than they are, at the last audit: in shared-state (side state), in the tables (side table)',
    ['resource', 'side'],
  );
  const good = metrics.gauge('kubetape_audit_equal_timestamp_seconds', 'When the last audit found everything equal, since 1970', [
    'resource',
  ]);

  return {
    differs(facts: { readonly resource: string; readonly differences: number; readonly againMs: number }): void {
      log.debug('not equal at first sight; looking again', facts);
    },
    audited(facts: {
      readonly resource: string;
      readonly objects: number;
      readonly outcome: 'equal' | 'drift' | 'unknown';
      readonly drift: readonly Drifting[];
      readonly reason: string | null;
    }): void {
      const { resource, outcome, drift, reason } = facts;
      audits.inc({ resource, outcome });
      if (outcome === 'unknown') {
        log.warn(`${resource} could not be audited: ${reason ?? ''}`, { resource, reason });
        return;
      }
      objects.set({ resource }, facts.objects);
      for (const side of ['state', 'table'] as const) drifting.set({ resource, side }, drift.filter((one) => one.side === side).length);
      if (outcome === 'equal') {
        good.set({ resource }, Date.now() / 1000);
        log.info('what is recorded is what there is', { resource, objects: facts.objects });
        return;
      }
      const named = [...new Set(drift.map(({ namespace, name }) => (namespace === '' ? name : `${namespace}/${name}`)))];
      log.warn(`${named.length} of ${resource} are recorded otherwise than they are`, { resource, named: named.slice(0, NAMED_MAX) });
    },
    /** Everything of these resources is said again, in an epoch of its own. */
    repairing(facts: { readonly resources: readonly string[] }): void {
      log.warn(`everything of ${facts.resources.join(', ')} is said again`, facts);
    },
    failed(facts: { readonly code: string; readonly message: string; readonly hint: string }): void {
      audits.inc({ resource: '', outcome: 'unknown' });
      log.error(`the audit could not be made: ${facts.message}`, facts);
    },
  };
}
