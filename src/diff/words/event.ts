/** Kubernetes Events of either API: `BackOff ×2 → ×6: Back-off restarting failed container`. Pure. */
import { changeOf, type Change } from '../change.ts';
import type { Difference, Fields } from '../difference.ts';
import { fieldsOf, numberOf, textOf } from '../fields.ts';
import type { Concern } from './concern.ts';
import { plainWords } from './plain.ts';
import { nameText, said } from './value.ts';

/** Where the API's versions keep the count and the text. */
const FIELDS: ReadonlySet<unknown> = new Set(['series', 'count', 'deprecatedCount', 'note', 'message']);

export const event: Concern = {
  takes: ({ path }, { kind }) => kind === 'Event' && FIELDS.has(path[0]),
  words(taken, { before, after }) {
    const [first] = taken;
    const [from, to] = [countOf(before), countOf(after)];
    const note = noteOf(after);
    const isOther = note !== noteOf(before);
    if (first === undefined || (from === to && !isOther)) return plainWords(taken, 'event');
    const count = from === to ? '' : ` ×${from} → ×${to}`;
    const about = textOf(after['reason']);
    return [said1(first, `${about === undefined ? 'again' : nameText(about)}${count}${note === undefined ? '' : `: ${said(note, 120)}`}`)];
  },
};

function said1(difference: Difference, words: string): Change {
  return changeOf('event', difference, words);
}

export function countOf(event: Fields): number {
  return numberOf(fieldsOf(event['series'])['count']) ?? numberOf(event['deprecatedCount']) ?? numberOf(event['count']) ?? 1;
}

/** `Warning BackOff Pod/importer ×2: Back-off restarting failed container` */
export function eventText(event: Fields): string {
  const regarding = fieldsOf(event['regarding'] ?? event['involvedObject']);
  const type = textOf(event['type']);
  const count = countOf(event);
  const parts = [
    type === undefined || type === 'Normal' ? undefined : nameText(type),
    nameText(textOf(event['reason']) ?? 'Event'),
    textOf(regarding['name']) === undefined ? undefined : nameText(`${textOf(regarding['kind']) ?? '?'}/${textOf(regarding['name'])}`),
    count === 1 ? undefined : `×${count}`,
  ].filter((part) => part !== undefined);
  const note = noteOf(event);
  return `${parts.join(' ')}${note === undefined ? '' : `: ${said(note, 160)}`}`;
}

function noteOf(event: Fields): string | undefined {
  return textOf(event['note']) ?? textOf(event['message']);
}
