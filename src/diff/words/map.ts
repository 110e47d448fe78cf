/** Maps of short texts: labels, annotations, selectors. `+label team=payments`, `-labels a, b`, `label tier web → api`. Pure. */
import { changeOf, type Change, type Topic } from '../change.ts';
import type { Difference } from '../difference.ts';
import { shownSides } from '../masking.ts';
import { segmentText } from '../path.ts';
import { arrow, listed, nameText, short } from './value.ts';

/** @param differences of the map's fields, not of the map as a whole */
export function mapWords(noun: string, topic: Topic, differences: readonly Difference[]): Change[] {
  const changes: Change[] = [];
  const add = (kind: 'added' | 'removed', sign: string, text: (difference: Difference) => string): void => {
    const own = differences.filter((one) => one.kind === kind);
    const [first] = own;
    if (first !== undefined) changes.push(changeOf(topic, first, `${sign}${noun}${own.length > 1 ? 's' : ''} ${listed(own.map(text))}`));
  };
  add('added', '+', pairText);
  add('removed', '-', keyText);
  for (const one of differences) {
    if (one.kind === 'added' || one.kind === 'removed') continue;
    const { before, after } = shownSides(one);
    changes.push(changeOf(topic, one, `${noun} ${keyText(one)} ${arrow(before, after)}`));
  }
  return changes;
}

function keyText({ path }: Difference): string {
  return nameText(segmentText(path.at(-1)));
}

function pairText(difference: Difference): string {
  const value = short(shownSides(difference).after);
  return `${keyText(difference)}${value === undefined || value === '""' ? '' : `=${value}`}`;
}
