/** Events, of events.k8s.io and of the core group. Pure. */
import { firstSeenText } from '../../columns/event.ts';
import type { KubernetesObject } from '../../events/change.ts';
import { fieldsOf, numberOf, textOf } from '../../diff/fields.ts';
import { ageOf } from '../times.ts';
import { ageText, columns, numberIn, textIn, type KindTable } from './table.ts';

export const eventTable: KindTable = {
  columns: columns(
    'LAST SEEN',
    'TYPE',
    'REASON',
    'OBJECT',
    'wide:SUBOBJECT',
    'wide:SOURCE',
    'MESSAGE',
    'wide:FIRST SEEN',
    'wide:COUNT',
    'wide:NAME',
  ),
  from: ['last_seen', 'type', 'reason', 'regarding', 'note'],
  row: (shown, nowMs) => {
    const event = shown.object ?? {};
    const series = fieldsOf(event['series']);
    return [
      ageText(numberIn(shown, 'last_seen'), nowMs),
      textIn(shown, 'type') ?? '',
      textIn(shown, 'reason') ?? '',
      aboutText(textIn(shown, 'regarding') ?? ''),
      textOf(fieldsOf(event['regarding'] ?? event['involvedObject'])['fieldPath']) ?? '',
      sourceText(event),
      (textIn(shown, 'note') ?? '').trim(),
      ageOf(firstSeenText(event), nowMs),
      String(numberOf(series['count']) ?? (numberOf(event['deprecatedCount'] ?? event['count']) || 1)),
      shown.name,
    ];
  },
};

/** `Pod/web-1` → `pod/web-1` */
function aboutText(regarding: string): string {
  const at = regarding.indexOf('/');
  const [kind, name] = [regarding.slice(0, at).toLowerCase(), regarding.slice(at + 1)];
  return name === '' ? kind : `${kind}/${name}`;
}

function sourceText(event: KubernetesObject): string {
  const source = fieldsOf(event['deprecatedSource'] ?? event['source']);
  const component = textOf(source['component']) ?? textOf(event['reportingController']) ?? textOf(event['reportingComponent']) ?? '';
  const instance = textOf(source['host']) ?? textOf(event['reportingInstance']) ?? '';
  return instance === '' ? component : `${component}, ${instance}`;
}
