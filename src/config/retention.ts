/** Retention: how long the past is kept, and how often to look. */
import { span } from './kinds.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What `kubetape retention` keeps when nobody says otherwise; a sink deletes nothing unless it is told to. */
export const RETENTION_KEEP_MS = 30 * DAY_MS;

export const retentionShape = {
  retentionKeep: span(DAY_MS, 3_650 * DAY_MS)
    .optional()
    .meta({
      description: 'How long the past is kept, in whole days; a sink that is given it applies it every hour',
      flag: '--keep',
      defaultText: 'retention `30d`; a sink keeps everything',
    }),
  retentionEvery: span(60_000, 7 * DAY_MS)
    .optional()
    .meta({ description: 'Go on, and look so often; without it `retention` ends, and a sink looks every hour', flag: '--every' }),
};
