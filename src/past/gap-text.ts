/** Time that nobody watched, in words. Pure. */
import type { Gap } from './ports.ts';
import { humanDuration } from './times.ts';

const CAUSES: Readonly<Record<string, string>> = {
  expired: 'the API server had forgotten what happened',
  restored: 'etcd was restored from a backup',
  'scope-changed': 'the collector had other selectors',
  snapshot: 'between two snapshots',
  audit: 'an audit listed everything anew',
};

/** The cause of time that is not over: whether it is a gap will be known once a collector is back. */
const SILENT = 'silent';

/** `not watched for 41s (between two snapshots): changes are known by their net effect` */
export function gapText({ cause, fromMs, toMs }: Gap): string {
  const length = humanDuration(Math.max(0, toMs - fromMs));
  if (cause === SILENT) return `nothing is known of the last ${length}: no collector has been heard since`;
  return `not watched for ${length} (${CAUSES[cause] ?? cause}): changes are known by their net effect`;
}
