/** ConfigMaps and Secrets: how much is in them, and nothing of what. Pure. */
import { fieldsOf, textOf } from '../../diff/fields.ts';
import { columns, type KindTable } from './table.ts';
import { createdAge, nameOf } from './workload.ts';

export const configMapTable: KindTable = {
  columns: columns('NAME', 'DATA', 'AGE'),
  row: (object, nowMs) => [nameOf(object), String(count(object['data']) + count(object['binaryData'])), createdAge(object, nowMs)],
};

export const secretTable: KindTable = {
  columns: columns('NAME', 'TYPE', 'DATA', 'AGE'),
  row: (object, nowMs) => [nameOf(object), textOf(object['type']) ?? '', String(count(object['data'])), createdAge(object, nowMs)],
};

function count(data: unknown): number {
  return Object.keys(fieldsOf(data)).length;
}
