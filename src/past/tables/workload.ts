/** Deployments and StatefulSets. Pure. */
import type { KubernetesObject } from '../../events/change.ts';
import { fieldsAt, fieldsOf, listOf, numberOf, textOf } from '../../diff/fields.ts';
import { ageOf } from '../times.ts';
import { columns, NONE, type KindTable } from './table.ts';

export const deploymentTable: KindTable = {
  columns: columns('NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE', 'wide:CONTAINERS', 'wide:IMAGES', 'wide:SELECTOR'),
  row: (object, nowMs) => {
    const status = fieldsOf(object['status']);
    return [
      nameOf(object),
      readyText(object),
      String(numberOf(status['updatedReplicas']) ?? 0),
      String(numberOf(status['availableReplicas']) ?? 0),
      createdAge(object, nowMs),
      ...containersOf(object),
      selectorText(fieldsOf(fieldsOf(object['spec'])['selector'])),
    ];
  },
};

export const statefulSetTable: KindTable = {
  columns: columns('NAME', 'READY', 'AGE', 'wide:CONTAINERS', 'wide:IMAGES'),
  row: (object, nowMs) => [nameOf(object), readyText(object), createdAge(object, nowMs), ...containersOf(object)],
};

/** Of a kind that has no table of its own. */
export const plainTable: KindTable = {
  columns: columns('NAME', 'AGE'),
  row: (object, nowMs) => [nameOf(object), createdAge(object, nowMs)],
};

export function nameOf(object: KubernetesObject): string {
  return textOf(fieldsOf(object['metadata'])['name']) ?? '';
}

export function createdAge(object: KubernetesObject, nowMs: number): string {
  return ageOf(fieldsOf(object['metadata'])['creationTimestamp'], nowMs);
}

function readyText(object: KubernetesObject): string {
  const ready = numberOf(fieldsOf(object['status'])['readyReplicas']) ?? 0;
  return `${ready}/${numberOf(fieldsOf(object['spec'])['replicas']) ?? 0}`;
}

function containersOf(object: KubernetesObject): [names: string, images: string] {
  const containers = listOf(fieldsAt(object['spec'], 'template', 'spec')['containers']).map(fieldsOf);
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
