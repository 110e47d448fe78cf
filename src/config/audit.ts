/** The audit: how often, how patiently, and whether it mends what it finds. */
import { span, toggle } from './kinds.ts';

const HOUR_MS = 3_600_000;

export const auditShape = {
  auditRepair: toggle()
    .default(false)
    .meta({ description: 'Where what was recorded differs, have everything of that resource said again', flag: '--repair' }),
  auditEvery: span(10_000, 168 * HOUR_MS)
    .optional()
    .meta({ description: 'Go on, and audit so often; without it there is one audit and an end', flag: '--every' }),
  auditWithin: span(0, HOUR_MS)
    .default(60_000)
    .meta({ description: 'How long a difference may take to go away by itself, as changes are always on their way', flag: '--within' }),
};
