/**
 * Whatever no other file of words/ has words for: `spec.replicas 3 → 5`, `+spec.renewBefore 720h`, `spec.dnsNames
 * +api.shop.example -www.shop.example`. Custom resources are mostly told by this. Pure.
 */
import { changeOf, type Change, type Topic } from '../change.ts';
import type { Difference } from '../difference.ts';
import { shownSides } from '../masking.ts';
import { pathText, segmentText, type Path } from '../path.ts';
import { present, sign } from './concern.ts';
import { arrow, listed, nameText, said, short } from './value.ts';

const PATH_LENGTH = 80;

/** @param from how many segments of the path are known from the context and left out */
export function plainWords(differences: readonly Difference[], topic: Topic = 'rest', from = 0, prefix = ''): Change[] {
  const sets = new Map<string, Difference[]>();
  const changes: Change[] = [];
  for (const difference of differences) {
    if (!isMember(difference)) {
      changes.push(changeOf(topic, difference, `${prefix}${plain(difference, from)}`));
      continue;
    }
    const list = placeText(difference.path.slice(0, -1), from);
    const members = sets.get(list);
    if (members === undefined) sets.set(list, [difference]);
    else members.push(difference);
  }
  for (const [list, members] of sets) {
    const [first] = members;
    if (first === undefined) continue;
    const items = members.map((one) => `${sign(one)}${nameText(segmentText(one.path.at(-1)))}`);
    changes.push(changeOf(topic, first, `${prefix}${list} ${listed(items).replaceAll(', ', ' ')}`));
  }
  return changes;
}

/** An element of a set of scalars, that came or went. */
function isMember({ kind, path, before, after, secret }: Difference): boolean {
  const last = path.at(-1);
  if (secret || last === undefined || typeof last === 'string' || last.keying.by !== 'value' || kind === 'changed') return false;
  return typeof (before ?? after) !== 'object';
}

function plain(difference: Difference, from: number): string {
  const place = placeText(difference.path, from);
  const shown = shownSides(difference);
  switch (difference.kind) {
    case 'reordered':
      return `${place === '' ? 'list' : place} reordered`;
    case 'changed':
      return `${place} ${arrow(shown.before, shown.after)}`.trim();
    default: {
      const value = short(present({ ...difference, ...shown }));
      return `${sign(difference)}${place}${value === undefined ? '' : ` ${value}`}`;
    }
  }
}

function placeText(path: Path, from: number): string {
  return said(pathText(path.slice(from < path.length ? from : 0)), PATH_LENGTH);
}
