/** Conditions of any kind: `Ready False → True (Issued)`, `Available True → False (MinimumReplicasUnavailable)`. Pure. */
import { changeOf, type Change } from '../change.ts';
import type { Difference, Fields } from '../difference.ts';
import { fieldsOf, listOf, textOf } from '../fields.ts';
import { segmentText } from '../path.ts';
import type { Concern, Pair } from './concern.ts';
import { nameText, said } from './value.ts';

export const conditions: Concern = {
  takes: ({ path }) => path[0] === 'status' && path[1] === 'conditions' && path.length > 2,
  words(taken, pair) {
    const byType = new Map<string, Difference[]>();
    for (const difference of taken) {
      const type = segmentText(difference.path[2]);
      byType.set(type, [...(byType.get(type) ?? []), difference]);
    }
    return [...byType].flatMap(([type, own]) => ofCondition(type, own, pair));
  },
};

function ofCondition(type: string, own: readonly Difference[], { before, after }: Pair): Change[] {
  const [first] = own;
  if (first === undefined || type === '') return [];
  const [old, now] = [conditionIn(before, type), conditionIn(after, type)];
  const name = nameText(type);
  if (now === undefined) return old === undefined ? [] : [changeOf('condition', first, `-${name} ${statusText(old)}`.trimEnd())];
  const [from, to] = [statusText(old), statusText(now)];
  const reason = textOf(now['reason']);
  const because = reason === undefined || reason === type ? '' : ` (${nameText(reason)})`;
  if (old === undefined) return [changeOf('condition', first, `${name} ${to}${because}`)];
  if (from !== to) return [changeOf('condition', first, `${name} ${from} → ${to}${because}`)];
  const earlier = textOf(old['reason']);
  if (reason !== earlier) return [changeOf('condition', first, `${name} ${nameText(earlier ?? 'none')} → ${nameText(reason ?? 'none')}`)];
  const message = textOf(now['message']);
  if (message === textOf(old['message'])) return [];
  return [changeOf('condition', first, `${name}: ${said(message ?? 'no message', 100)}`)];
}

function conditionIn(object: Fields, type: string): Fields | undefined {
  return listOf(fieldsOf(object['status'])['conditions'])
    .map(fieldsOf)
    .find((one) => one['type'] === type);
}

function statusText(condition: Fields | undefined): string {
  const status = condition?.['status'];
  return typeof status === 'string' ? nameText(status) : typeof status === 'boolean' ? String(status) : '?';
}
