/**
 * Label selectors, as kubectl's -l takes them. Pure.
 *   in    `app=web,tier!=db,env in (a, b),track notin (canary),release,!legacy`
 *   out   requirements that an object's labels must all meet
 * Invariant (test/past/selector.test.ts):
 *   L1 same  matches what the API server's own selector matches (apimachinery, labels.Selector)
 */
import { fieldsOf } from '../diff/fields.ts';
import type { KubernetesObject } from '../events/change.ts';
import type { Requirement } from './ports.ts';

export type Selector = { readonly requirements: readonly Requirement[] } | { readonly wrong: string };

const KEY = /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/;

export function parseSelector(text: string): Selector {
  const requirements: Requirement[] = [];
  // A comma within brackets divides values, not requirements.
  for (const part of text.split(/,(?![^(]*\))/).map((one) => one.trim())) {
    if (part === '') continue;
    const requirement = parseOne(part);
    const wrong = requirement === null || !KEY.test(requirement.key) || !requirement.values.every((value) => VALUE.test(value));
    if (wrong) return { wrong: `"${part}" is no label selector: write app=web, app!=web, app in (a,b), app notin (a,b), app or !app` };
    requirements.push(requirement);
  }
  return { requirements };
}

function parseOne(part: string): Requirement | null {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set !== null)
    return { key: set[1] ?? '', operator: set[2] as 'in' | 'notin', values: (set[3] ?? '').split(',').map((value) => value.trim()) };
  const compare = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(part);
  if (compare !== null) return { key: compare[1] ?? '', operator: compare[2] === '!=' ? 'notin' : 'in', values: [compare[3] ?? ''] };
  if (part.startsWith('!')) return { key: part.slice(1).trim(), operator: 'absent', values: [] };
  return /\s/.test(part) ? null : { key: part, operator: 'exists', values: [] };
}

export function matches(requirements: readonly Requirement[], labels: Readonly<Record<string, unknown>>): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'exists':
        return value !== undefined;
      case 'absent':
        return value === undefined;
      case 'in':
        return typeof value === 'string' && values.includes(value);
      case 'notin':
        return typeof value !== 'string' || !values.includes(value);
    }
  });
}

export function labelsOf(object: KubernetesObject): Readonly<Record<string, unknown>> {
  return fieldsOf(fieldsOf(object['metadata'])['labels']);
}
