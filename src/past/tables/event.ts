/** Events, of events.k8s.io and of the core group. Pure. */
import { fieldsOf, numberOf, textOf } from '../../diff/fields.ts';
import { ageOf } from '../times.ts';
import { columns, type KindTable } from './table.ts';
import { nameOf } from './workload.ts';

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
  row: (event, nowMs) => {
    const about = fieldsOf(event['regarding'] ?? event['involvedObject']);
    const series = fieldsOf(event['series']);
    const first = event['deprecatedFirstTimestamp'] ?? event['firstTimestamp'] ?? event['eventTime'];
    const last = series['lastObservedTime'] ?? event['deprecatedLastTimestamp'] ?? event['lastTimestamp'] ?? first;
    const kind = (textOf(about['kind']) ?? '').toLowerCase();
    const name = textOf(about['name']);
    return [
      ageOf(last, nowMs),
      textOf(event['type']) ?? '',
      textOf(event['reason']) ?? '',
      name === undefined ? kind : `${kind}/${name}`,
      textOf(about['fieldPath']) ?? '',
      sourceText(event),
      (textOf(event['note'] ?? event['message']) ?? '').trim(),
      ageOf(first, nowMs),
      String(numberOf(series['count']) ?? (numberOf(event['deprecatedCount'] ?? event['count']) || 1)),
      nameOf(event),
    ];
  },
};

function sourceText(event: { readonly [field: string]: unknown }): string {
  const source = fieldsOf(event['deprecatedSource'] ?? event['source']);
  const component = textOf(source['component']) ?? textOf(event['reportingController']) ?? textOf(event['reportingComponent']) ?? '';
  const instance = textOf(source['host']) ?? textOf(event['reportingInstance']) ?? '';
  return instance === '' ? component : `${component}, ${instance}`;
}
