/** Requests and limits: `memory limit 512Mi → 768Mi`, `+cpu request 250m`, `-cpu limit 1`. Pure. */
import { changeOf, type Change } from '../change.ts';
import type { Difference } from '../difference.ts';
import { segmentText } from '../path.ts';
import { inParts, present, sign } from './concern.ts';
import { plainWords } from './plain.ts';
import { arrow, nameText, short } from './value.ts';

const NOUNS: ReadonlyMap<string, string> = new Map([
  ['limits', 'limit'],
  ['requests', 'request'],
]);

/** @param from the index of `limits` or `requests` in the paths; one that ends before it is of all resources */
export function resourceWords(differences: readonly Difference[], from: number, prefix: string): Change[] {
  const whole = differences.flatMap((one) => (one.path.length === from ? inParts(one) : [one]));
  const each = whole.flatMap((one) => (one.path.length === from + 1 && isKnown(one, from) ? inParts(one) : [one]));
  const changes: Change[] = [];
  for (const difference of each) {
    const { path, kind, before, after } = difference;
    const noun = NOUNS.get(segmentText(path[from]));
    if (noun === undefined || path.length !== from + 2) {
      changes.push(...plainWords([difference], 'resources', from - 1, prefix));
      continue;
    }
    const name = `${nameText(segmentText(path[from + 1]))} ${noun}`;
    const value = short(present(difference)) ?? '';
    const words = kind === 'changed' ? `${name} ${arrow(before, after)}` : `${sign(difference)}${name} ${value}`.trimEnd();
    changes.push(changeOf('resources', difference, `${prefix}${words}`));
  }
  return changes;
}

function isKnown({ path }: Difference, from: number): boolean {
  return NOUNS.has(segmentText(path[from]));
}
