/** Objects in the forms of -o. Pure. */
import type { KubernetesObject } from '../../events/change.ts';
import { isRedactedObject, manifestOf, recordedObject } from '../../past/manifest.ts';
import { nameOfType } from '../../past/kinds.ts';
import type { RecordedType, Version } from '../../past/ports.ts';
import { labelsOf } from '../../past/selector.ts';
import { tableOfResource } from '../../past/tables/by-resource.ts';
import { labelsText } from '../../past/tables/table.ts';
import { yamlText } from '../../past/yaml-lines.ts';
import { columnsText } from './columns.ts';

export const OUTPUTS = ['table', 'wide', 'yaml', 'json', 'jsonl', 'name'] as const;
export type Output = (typeof OUTPUTS)[number];

export interface Shape {
  readonly output: Output;
  /** One object was asked for by its name: it is printed by itself, not in a list. */
  readonly single: boolean;
  readonly headers: boolean;
  /** A column with the namespace. */
  readonly namespaces: boolean;
  readonly labels: boolean;
  /** To which ages are counted. */
  readonly nowMs: number;
}

export interface OfType {
  readonly type: RecordedType;
  readonly versions: readonly Version[];
}

export function objectsText(found: readonly OfType[], shape: Shape): { readonly text: string; readonly remarks: readonly string[] } {
  const all = found.flatMap(({ versions }) => versions);
  const objects = all.flatMap(({ object }) => (object === null ? [] : [object]));
  switch (shape.output) {
    case 'yaml':
      return { text: listText(objects.map(manifestOf), shape.single, yamlText), remarks: redactedRemark(objects) };
    case 'json':
      return { text: listText(objects.map(recordedObject), shape.single, (value) => `${JSON.stringify(value, null, 4)}\n`), remarks: [] };
    case 'jsonl':
      return { text: objects.map((object) => `${JSON.stringify(recordedObject(object))}\n`).join(''), remarks: [] };
    case 'name':
      return {
        text: found.flatMap(({ type, versions }) => versions.map(({ name }) => `${nameOfType(type)}/${name}\n`)).join(''),
        remarks: [],
      };
    default: {
      const filled = found.filter(({ versions }) => versions.length > 0);
      const tables = filled.map(({ type, versions }) => {
        const { header, rows } = objectRows(type, versions, { ...shape, prefixed: found.length > 1 });
        return columnsText(shape.headers ? header : null, rows);
      });
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

/** @param shape prefixed: names with their type, where there are several */
export function objectRows(
  type: RecordedType,
  versions: readonly Version[],
  shape: Pick<Shape, 'output' | 'namespaces' | 'labels' | 'nowMs'> & { readonly prefixed: boolean },
): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const { columns, row } = tableOfResource(type.resource);
  const wide = shape.output === 'wide';
  const shown = columns.map((column) => wide || column.wide !== true);
  const nameAt = columns.findIndex(({ name }) => name === 'NAME');
  const prefix = shape.prefixed ? `${nameOfType(type)}/` : '';
  const rows = versions.flatMap(({ object, namespace }) => {
    if (object === null) return [];
    const cells = row(object, shape.nowMs, wide).map((cell, at) => (at === nameAt ? `${prefix}${cell}` : cell));
    return [
      [
        ...(shape.namespaces ? [namespace] : []),
        ...cells.filter((_, at) => shown[at] === true),
        ...(shape.labels ? [labelsText(labelsOf(object))] : []),
      ],
    ];
  });
  const header = [
    ...(shape.namespaces ? ['NAMESPACE'] : []),
    ...columns.filter((_, at) => shown[at] === true).map(({ name }) => name),
    ...(shape.labels ? ['LABELS'] : []),
  ];
  return { header, rows };
}
