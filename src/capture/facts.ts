/**
 * Facts: what a change means, from the projections before and after it. Pure.
 *   in    the kind, and both projections of one object
 *   out   facts for `event-stream`, none where nothing of interest differs
 * Invariants (test/capture/facts.test.ts):
 *   F1 derived  the same two projections give the same facts, and equal ones give none
 *   F2 silent   no value of a Secret or ConfigMap, and no HMAC of one, is in a fact: keys only
 */
import type { Projection } from '../events/state.ts';

export interface DerivedFact {
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Kinds that have replicas and a pod template. */
const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']);

export function factsOf(kind: string, before: Projection, after: Projection): DerivedFact[] {
  const subject = kind.toLowerCase();
  if (WORKLOADS.has(kind)) return workloadFacts(subject, before, after);
  if (kind === 'Pod') return podFacts(before, after);
  if (kind === 'ConfigMap' || kind === 'Secret') return valueFacts(subject, before.values ?? {}, after.values ?? {});
  return [];
}

function workloadFacts(subject: string, before: Projection, after: Projection): DerivedFact[] {
  const facts: DerivedFact[] = [];
  const [from, to] = [before.images ?? [], after.images ?? []];
  if (from.join('\n') !== to.join('\n')) facts.push({ type: `${subject}.image-changed`, detail: { from, to } });
  if (before.replicas !== after.replicas)
    facts.push({ type: `${subject}.scaled`, detail: { from: before.replicas ?? null, to: after.replicas ?? null } });
  return facts;
}

function podFacts(before: Projection, after: Projection): DerivedFact[] {
  const facts: DerivedFact[] = [];
  const [from, to] = [before.restarts ?? 0, after.restarts ?? 0];
  if (to > from) facts.push({ type: 'pod.restarted', detail: { from, to, reason: after.terminated ?? after.reason ?? null } });
  if (after.reason === 'CrashLoopBackOff' && before.reason !== 'CrashLoopBackOff')
    facts.push({ type: 'pod.crash-looping', detail: { restarts: to, reason: after.terminated ?? null } });
  if (after.phase === 'Failed' && before.phase !== 'Failed')
    facts.push({ type: 'pod.failed', detail: { reason: after.reason ?? null, node: after.node ?? null } });
  return facts;
}

function valueFacts(subject: string, before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): DerivedFact[] {
  const added = Object.keys(after).filter((key) => !Object.hasOwn(before, key));
  const removed = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  const changed = Object.keys(after).filter((key) => Object.hasOwn(before, key) && before[key] !== after[key]);
  if (added.length + removed.length + changed.length === 0) return [];
  return [{ type: `${subject}.changed`, detail: { added, removed, changed } }];
}
