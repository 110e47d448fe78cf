/**
 * The data of ConfigMaps and Secrets, key by key. Pure.
 *   out   `+farewell; -greeting; ~log.level info → debug; ~app.properties (312 → 340 bytes); ~password *** (before) → *** (after)`
 */
import { changeOf } from '../change.ts';
import type { Difference } from '../difference.ts';
import { shownSides } from '../masking.ts';
import { segmentText } from '../path.ts';
import { inParts, type Concern } from './concern.ts';
import { plainWords } from './plain.ts';
import { looksSecret } from './sensitive.ts';
import { bytesOf, isRedacted, listed, nameText, short } from './value.ts';

const FIELDS: ReadonlySet<unknown> = new Set(['data', 'binaryData', 'stringData']);

export const data: Concern = {
  takes: ({ path }, { kind }) => (kind === 'ConfigMap' || kind === 'Secret') && FIELDS.has(path[0]),
  words(taken) {
    const keys: Difference[] = [];
    const others: Difference[] = [];
    for (const one of taken.flatMap((each) => (each.path.length === 1 ? inParts(each) : [each])))
      (one.path.length === 2 ? keys : others).push(one);
    const changes = plainWords(others, 'data');
    const came = keys.filter(({ kind }) => kind === 'added');
    const went = keys.filter(({ kind }) => kind === 'removed');
    if (came[0] !== undefined) changes.push(changeOf('data', came[0], `+${listed(came.map(addedText))}`));
    if (went[0] !== undefined) changes.push(changeOf('data', went[0], `-${listed(went.map(keyText))}`));
    for (const one of keys) if (one.kind !== 'added' && one.kind !== 'removed') changes.push(changeOf('data', one, `~${changedText(one)}`));
    return changes;
  },
};

function keyText({ path }: Difference): string {
  return nameText(segmentText(path.at(-1)));
}

function addedText(difference: Difference): string {
  const key = keyText(difference);
  if (difference.secret) return `${key} ${String(shownSides(difference).after)}`;
  const bytes = bytesOf(difference.after);
  return bytes === undefined ? key : `${key} (${bytes} bytes)`;
}

function changedText(difference: Difference): string {
  const key = keyText(difference);
  const { before, after } = shownSides(difference);
  if (difference.secret) return `${key} ${String(before)} → ${String(after)}`;
  if (typeof before === 'string' && typeof after === 'string' && (before.includes('\n') || after.includes('\n')))
    return `${key} (${linesText(before, after)})`;
  const [from, to] = [short(before), short(after)];
  const isShown = !isRedacted(before) && !isRedacted(after) && !looksSecret(key, before) && !looksSecret(key, after);
  if (isShown && from !== undefined && to !== undefined && from !== to) return `${key} ${from} → ${to}`;
  const [old, now] = [bytesOf(before), bytesOf(after)];
  return old === undefined || now === undefined ? key : `${key} (${old} → ${now} bytes)`;
}

/** Lines are counted, not aligned: that is linear, and a number is all that is shown. */
function linesText(before: string, after: string): string {
  const counts = new Map<string, number>();
  for (const line of before.split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1);
  let added = 0;
  for (const line of after.split('\n')) {
    const count = counts.get(line) ?? 0;
    if (count === 0) added += 1;
    else counts.set(line, count - 1);
  }
  const removed = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return added === 0 && removed === 0 ? 'lines reordered' : `+${added} -${removed} lines`;
}
