/** Pods. Pure. */
import { fieldsOf, listOf, textOf } from '../../diff/fields.ts';
import { hasCondition } from '../../columns/pod.ts';
import { humanDuration } from '../times.ts';
import { ageText, columns, NONE, numberIn, textIn, type KindTable } from './table.ts';

type Fields = { readonly [field: string]: unknown };

export const podTable: KindTable = {
  columns: columns('NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'wide:IP', 'wide:NODE', 'wide:NOMINATED NODE', 'wide:READINESS GATES'),
  from: ['status', 'ready', 'restarts', 'restarted_at'],
  row: (pod, nowMs) => {
    const restarts = numberIn(pod, 'restarts') ?? 0;
    const restartedMs = numberIn(pod, 'restarted_at');
    return [
      pod.name,
      textIn(pod, 'ready') ?? '',
      textIn(pod, 'status') ?? '',
      restarts > 0 && restartedMs !== undefined ? `${restarts} (${humanDuration(nowMs - restartedMs)} ago)` : String(restarts),
      ageText(pod.createdMs, nowMs),
      ...wideCells(fieldsOf(pod.object?.['spec']), fieldsOf(pod.object?.['status'])),
    ];
  },
};

function wideCells(spec: Fields, status: Fields): string[] {
  return [
    textOf(fieldsOf(listOf(status['podIPs'])[0])['ip']) ?? NONE,
    textOf(spec['nodeName']) ?? NONE,
    textOf(status['nominatedNodeName']) ?? NONE,
    gatesText(listOf(spec['readinessGates']), status),
  ];
}

function gatesText(gates: readonly unknown[], status: Fields): string {
  if (gates.length === 0) return NONE;
  return `${gates.filter((gate) => hasCondition(status, textOf(fieldsOf(gate)['conditionType']) ?? '')).length}/${gates.length}`;
}
