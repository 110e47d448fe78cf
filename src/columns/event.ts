/** When an Event was seen: of events.k8s.io and of the core group. Pure. */
import type { KubernetesObject } from '../events/change.ts';
import { fieldsOf, textOf } from '../diff/fields.ts';

export function firstSeenText(event: KubernetesObject): string | undefined {
  return textOf(event['deprecatedFirstTimestamp'] ?? event['firstTimestamp'] ?? event['eventTime']);
}

/** @returns ms since 1970, or null */
export function lastSeenOf(event: KubernetesObject): number | null {
  const last = fieldsOf(event['series'])['lastObservedTime'] ?? event['deprecatedLastTimestamp'] ?? event['lastTimestamp'];
  const ms = Date.parse(textOf(last) ?? firstSeenText(event) ?? '');
  return Number.isNaN(ms) ? null : ms;
}
