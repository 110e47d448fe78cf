/** Deployments and StatefulSets. Pure. */
import type { KubernetesObject } from '../../events/change.ts';
import { fieldsAt, fieldsOf, listOf, textOf } from '../../diff/fields.ts';
import { ageText, columns, NONE, numberIn, type KindTable, type Shown } from './table.ts';

export const deploymentTable: KindTable = {
  columns: columns('NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'wide:CONTAINERS', 'wide:IMAGES', 'wide:SELECTOR'),
  from: ['available', 'ready', 'replicas', 'updated'],
  row: (shown, nowMs) => [
    shown.name,
    readyText(shown),
    String(numberIn(shown, 'updated') ?? 0),
    String(numberIn(shown, 'available') ?? 0),
    ageText(shown.createdMs, nowMs),
    ...containersOf(shown.object),
    selectorText(fieldsOf(fieldsOf(shown.object?.['spec'])['selector'])),
  ],
};

export const statefulSetTable: KindTable = {
  columns: columns('NAME', 'READY', 'AGE', 'wide:CONTAINERS', 'wide:IMAGES'),
  from: ['ready', 'replicas'],
  row: (shown, nowMs) => [shown.name, readyText(shown), ageText(shown.createdMs, nowMs), ...containersOf(shown.object)],
};

/** Of a kind that has no table of its own. */
export const plainTable: KindTable = {
  columns: columns('NAME', 'AGE'),
  from: [],
  row: (shown, nowMs) => [shown.name, ageText(shown.createdMs, nowMs)],
};

function readyText(shown: Shown): string {
  return `${numberIn(shown, 'ready') ?? 0}/${numberIn(shown, 'replicas') ?? 0}`;
}

function containersOf(object: KubernetesObject | null): [names: string, images: string] {
  const containers = listOf(fieldsAt(object?.['spec'], 'template', 'spec')['containers']).map(fieldsOf);
  const texts = (field: string): string => containers.map((one) => textOf(one[field]) ?? '').join(',');
  return [texts('name'), texts('image')];
}

/** @see apimachinery, metav1.LabelSelectorAsSelector */
function selectorText(selector: { readonly [field: string]: unknown }): string {
  const equal = Object.entries(fieldsOf(selector['matchLabels'])).map(([key, value]): [string, string] => [key, `${key}=${String(value)}`]);
  const others = listOf(selector['matchExpressions'])
    .map(fieldsOf)
    .map((one): [string, string] => {
      const key = textOf(one['key']) ?? '';
      const values = listOf(one['values']).map(String).toSorted().join(',');
      switch (one['operator']) {
        case 'In':
          return [key, `${key} in (${values})`];
        case 'NotIn':
          return [key, `${key} notin (${values})`];
        case 'Exists':
          return [key, key];
        default:
          return [key, `!${key}`];
      }
    });
  const all = [...equal, ...others].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return all.length === 0 ? NONE : all.map(([, text]) => text).join(',');
}
