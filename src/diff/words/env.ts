/**
 * Environment variables: `+env FEATURE_X`, `-env OLD`, `env LOG_LEVEL info → debug`, `env PASSWORD → secret db/password`. Pure.
 * Values are only shown when they change, are short, and neither redacted nor of the look of a password.
 */
import { changeOf, type Change } from '../change.ts';
import type { Difference, Fields } from '../difference.ts';
import { fieldsOf, textOf } from '../fields.ts';
import { segmentText } from '../path.ts';
import { inParts, sign } from './concern.ts';
import { plainWords } from './plain.ts';
import { looksSecret } from './sensitive.ts';
import { arrow, isRedacted, listed, nameText, said } from './value.ts';

/** @param from the index of the variable in the paths; one that ends before it is of the whole list */
export function envWords(differences: readonly Difference[], from: number, prefix: string): Change[] {
  const changes: Change[] = [];
  const changed = new Map<string, Difference[]>();
  const came: Difference[] = [];
  const went: Difference[] = [];
  for (const difference of differences.flatMap((one) => (one.path.length === from ? inParts(one) : [one]))) {
    const { path, kind } = difference;
    const name = segmentText(path[from]);
    if (kind === 'reordered' && path.length === from) changes.push(changeOf('env', difference, `${prefix}env reordered`));
    else if (path.length <= from || name === '') changes.push(...plainWords([difference], 'env', from - 1, prefix));
    else if (path.length === from + 1 && kind === 'added') came.push(difference);
    else if (path.length === from + 1 && kind === 'removed') went.push(difference);
    else changed.set(name, [...(changed.get(name) ?? []), difference]);
  }
  for (const group of [came, went]) {
    const [first] = group;
    const names = group.map(({ path }) => nameText(segmentText(path[from])));
    if (first !== undefined) changes.push(changeOf('env', first, `${prefix}${sign(first)}env ${listed(names)}`));
  }
  for (const [name, parts] of changed) {
    const [first] = parts;
    if (first !== undefined) changes.push(changeOf('env', first, `${prefix}env ${nameText(name)} ${changedText(name, parts, from)}`));
  }
  return changes;
}

/** A literal that becomes a reference is one thing removed and another added. */
function changedText(name: string, parts: readonly Difference[], from: number): string {
  const value = parts.find(({ path }) => path.length === from + 2 && path[from + 1] === 'value');
  const source = parts.find(({ path }) => path[from + 1] === 'valueFrom');
  if (source !== undefined) {
    const to = source.path.length === from + 2 && source.kind !== 'removed' ? sourceText(fieldsOf(source.after)) : undefined;
    return to === undefined ? (source.kind === 'removed' ? '→ a value' : 'source changed') : `→ ${to}`;
  }
  if (value === undefined || value.kind !== 'changed') return 'changed';
  const { before, after } = value;
  if (isRedacted(before) || isRedacted(after)) return arrow(before, after);
  return looksSecret(name, before) || looksSecret(name, after) ? 'changed' : arrow(before, after);
}

function sourceText(source: Fields): string | undefined {
  for (const [field, noun, keyField] of [
    ['secretKeyRef', 'secret', 'key'],
    ['configMapKeyRef', 'configmap', 'key'],
    ['fieldRef', 'field', 'fieldPath'],
    ['resourceFieldRef', 'resource', 'resource'],
  ] as const) {
    const reference = fieldsOf(source[field]);
    const parts = [textOf(reference['name']), textOf(reference[keyField])].filter((part) => part !== undefined);
    if (parts.length > 0) return said(`${noun} ${parts.join('/')}`, 64);
  }
  return undefined;
}
