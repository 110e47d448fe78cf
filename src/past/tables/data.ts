/** ConfigMaps and Secrets: how much is in them, and nothing of what. Pure. */
import { ageText, columns, textIn, type KindTable, type Shown } from './table.ts';

export const configMapTable: KindTable = {
  columns: columns('NAME', 'DATA', 'AGE'),
  from: ['keys'],
  row: (shown, nowMs) => [shown.name, keyCount(shown), ageText(shown.createdMs, nowMs)],
};

export const secretTable: KindTable = {
  columns: columns('NAME', 'TYPE', 'DATA', 'AGE'),
  from: ['keys', 'type'],
  row: (shown, nowMs) => [shown.name, textIn(shown, 'type') ?? '', keyCount(shown), ageText(shown.createdMs, nowMs)],
};

function keyCount({ values }: Shown): string {
  const { keys } = values;
  return String(Array.isArray(keys) ? keys.length : 0);
}
