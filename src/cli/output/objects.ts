/** Objects in the forms of -o. Pure. */
import { tableFor } from '../../columns/columns.ts';
import type { TableColumn } from '../../columns/table.ts';
import type { KubernetesObject } from '../../events/change.ts';
import { isRedactedObject, manifestOf, recordedObject } from '../../past/manifest.ts';
import { nameOfType } from '../../past/kinds.ts';
import type { Listed, RecordedType, Version } from '../../past/ports.ts';
import { labelsOf } from '../../past/selector.ts';
import { tableOfResource } from '../../past/tables/by-resource.ts';
import { labelsText, shownOf } from '../../past/tables/table.ts';
import { yamlText } from '../../past/yaml-lines.ts';
import { columnsText } from './columns.ts';

export const OUTPUTS = ['table', 'wide', 'yaml', 'json', 'jsonl', 'name'] as const;
export type Output = (typeof OUTPUTS)[number];

export interface Shape {
  readonly output: Output;
  /** One object was asked for by its name: it is printed by itself, not in a list. */
  readonly single: boolean;
  readonly headers: boolean;
  /** Names with their type, where there are several. */
  readonly prefixed: boolean;
  /** A column with the namespace. */
  readonly namespaces: boolean;
  readonly labels: boolean;
  /** To which ages are counted. */
  readonly nowMs: number;
}

/** What is found of one type. */
export interface OfType<T> {
  readonly type: RecordedType;
  readonly found: readonly T[];
}

/** Are whole objects needed for this form, or will the columns of the tables do? */
export function columnsFor(type: RecordedType, { output, labels }: Pick<Shape, 'output' | 'labels'>): readonly TableColumn[] | null {
  if (output === 'name') return [];
  const { from } = tableOfResource(type.resource);
  if (output !== 'table' || labels || from === null || !from.every((name) => type.columns.includes(name))) return null;
  const { columns } = tableFor(type.resource, type.group, type.kind);
  return from.flatMap((name) => columns.find((column) => column.name === name) ?? []);
}

export function foundText(all: readonly OfType<Listed>[], shape: Shape): { readonly text: string; readonly remarks: readonly string[] } {
  const objects = all.flatMap(({ found }) => found.flatMap(({ object }) => (object === null ? [] : [object])));
  switch (shape.output) {
    case 'yaml':
      return { text: listText(objects.map(manifestOf), shape.single, yamlText), remarks: redactedRemark(objects) };
    case 'json':
      return { text: listText(objects.map(recordedObject), shape.single, (value) => `${JSON.stringify(value, null, 4)}\n`), remarks: [] };
    case 'jsonl':
      return { text: objects.map((object) => `${JSON.stringify(recordedObject(object))}\n`).join(''), remarks: [] };
    case 'name':
      return { text: all.flatMap(({ type, found }) => found.map(({ name }) => `${nameOfType(type)}/${name}\n`)).join(''), remarks: [] };
    default: {
      const tables = all.filter(({ found }) => found.length > 0).map((one) => tableText(one, shape));
      // As kubectl has it: without their headers, tables follow each other.
      return { text: tables.join(shape.headers ? '\n' : ''), remarks: [] };
    }
  }
}

function listText(objects: readonly KubernetesObject[], single: boolean, print: (value: unknown) => string): string {
  if (single) return objects.map(print).join('');
  return print({ apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } });
}

function redactedRemark(objects: readonly KubernetesObject[]): string[] {
  const count = objects.filter(isRedactedObject).length;
  return count === 0
    ? []
    : [
        `Values are redacted in ${count === 1 ? 'an object' : `${count} objects`}: kubectl will not apply ${count === 1 ? 'it' : 'them'} as printed.`,
      ];
}

function tableText({ type, found }: OfType<Listed>, shape: Shape): string {
  const { columns, row } = tableOfResource(type.resource);
  const wide = shape.output === 'wide';
  const shown = columns.map((column) => wide || column.wide !== true);
  const nameAt = columns.findIndex(({ name }) => name === 'NAME');
  const prefix = shape.prefixed ? `${nameOfType(type)}/` : '';
  const rows = found.map((one) => {
    const { object, namespace } = one;
    const cells = row(object === null ? one : shownOf(type.resource, object), shape.nowMs, wide);
    return [
      ...(shape.namespaces ? [namespace] : []),
      ...cells.map((cell, at) => (at === nameAt ? `${prefix}${cell}` : cell)).filter((_, at) => shown[at] === true),
      ...(shape.labels ? [labelsText(object === null ? {} : labelsOf(object))] : []),
    ];
  });
  const header = [
    ...(shape.namespaces ? ['NAMESPACE'] : []),
    ...columns.filter((_, at) => shown[at] === true).map(({ name }) => name),
    ...(shape.labels ? ['LABELS'] : []),
  ];
  return columnsText(shape.headers ? header : null, rows);
}

/** Of a whole object everything else is made anew. */
export function listedOf({ namespace, name, object }: Version): Listed[] {
  return object === null ? [] : [{ namespace, name, createdMs: null, values: {}, object }];
}
