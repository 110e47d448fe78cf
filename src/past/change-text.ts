/**
 * A recorded change in words. Pure.
 *   in    a change with the version before it
 *   out   what happened, in one word and in one line
 * Invariant (test/past/change-text.test.ts): C1 honest  what the record does not tell is not made up
 */
import type { Op } from '../events/change.ts';
import { changesOf } from '../diff/changes.ts';
import { summarise } from '../diff/summary.ts';
import type { RecordedChange } from './ports.ts';

export const OP_WORDS: Readonly<Record<Op, string>> = { r: 'seen', c: 'create', u: 'update', d: 'delete' };
export const OP_SIGNS: Readonly<Record<Op, string>> = { r: '+', c: '+', u: '~', d: '-' };

/** @returns '' where nothing of interest has changed */
export function changeText({ op, object, before, synthetic }: Pick<RecordedChange, 'op' | 'object' | 'before' | 'synthetic'>): string {
  const old = before === null || before.op === 'd' ? null : before.object;
  if (op === 'd') {
    const last = object ?? old;
    const text = last === null ? 'deleted' : summarise(last, null);
    return synthetic ? `${text} while nobody watched` : text;
  }
  if (object === null) return '';
  if (old !== null) return summarise(old, object);
  // An update of something of which no version before is kept: the rest of the line would be a guess.
  if (op === 'u') return 'changed; the version before is not kept any more';
  return summarise(null, object, { how: op === 'r' ? 'first seen' : 'created' });
}

/** Has nobody wanted anything else than before? */
export function isStatusOnly({ op, object, before }: Pick<RecordedChange, 'op' | 'object' | 'before'>): boolean {
  if (op === 'd' || object === null || before === null || before.object === null || before.op === 'd') return false;
  return changesOf(before.object, object).every(({ path }) => path.startsWith('status'));
}
