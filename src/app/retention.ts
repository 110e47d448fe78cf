/** The role `retention`, and what a sink does of it: drops the days that are older than what is to be kept. */
import { formatSpan } from '../config/kinds.ts';
import { RETENTION_KEEP_MS } from '../config/retention.ts';
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import { checkSchema } from '../postgres/migrate.ts';
import type { Database } from '../postgres/pool.ts';
import { retain, type Retention, type TableRetention } from '../postgres/retention.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { databaseOf } from './connections.ts';
import type { Out } from './out.ts';

/** How often a sink looks that was told how long to keep: a day becomes old once a day, but a sink may have been away. */
const SINK_EVERY_MS = 3_600_000;

/** @returns false when somebody held up what was to go */
export async function retention(settings: SettingsOf<'retention'>, out: Out, dryRun: boolean): Promise<boolean> {
  const database = databaseOf(settings, 'retention');
  const keepMs = settings.retentionKeep ?? RETENTION_KEEP_MS;
  try {
    await checkSchema(database);
    const went = await retain(database, keepMs, Date.now(), dryRun);
    const since = new Date(went.beforeMs).toISOString().slice(0, 10);
    for (const table of went.tables) {
      const words = tableWords(table);
      if (words !== '') out.ok(`${table.resource}: ${dryRun ? 'would go: ' : ''}${words}`);
      if (table.busy.length > 0)
        out.warn(
          `${table.resource}: ${table.busy.join(', ')} could not be dropped: somebody reads the history for longer than that can wait`,
        );
    }
    if (went.facts > 0) out.ok(`event_stream: ${dryRun ? 'would go: ' : ''}${counted(went.facts, 'fact')}`);
    out.line(`${isNothing(went) ? 'Nothing is older. ' : ''}Kept is everything since ${since} 00:00 UTC (${formatSpan(keepMs)}).`);
    return went.tables.every(({ busy }) => busy.length === 0);
  } finally {
    await database.close();
  }
}

/** Again and again, until `signal` fires. What goes wrong is told, and tried again the next time. */
export async function retaining(
  database: Database,
  keepMs: number,
  everyMs: number,
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<void> {
  const log = telemetry.log('retention');
  while (!signal.aborted) {
    try {
      const went = await retain(database, keepMs, Date.now());
      for (const table of went.tables) {
        const words = tableWords(table);
        if (words !== '') log.info(`${table.resource}: ${words}`, { resource: table.resource, days: table.days, purged: table.purged });
        if (table.busy.length > 0) log.warn(`${table.resource}: days could not be dropped`, { resource: table.resource, days: table.busy });
      }
    } catch (error) {
      if (!(error instanceof KubetapeError)) throw error;
      if (!signal.aborted) log.warn(`retention: ${error.message}`, { code: error.code });
    }
    await pause(everyMs, signal);
  }
}

/** The role with `--every`. */
export async function retainForEver(
  settings: SettingsOf<'retention'>,
  everyMs: number,
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<void> {
  const database = databaseOf(settings, 'retention');
  try {
    await retaining(database, settings.retentionKeep ?? RETENTION_KEEP_MS, everyMs, telemetry, signal);
  } finally {
    await database.close();
  }
}

/** What a sink does besides, if it was told how long to keep. */
export async function retainBesides(
  { retentionKeep, retentionEvery = SINK_EVERY_MS }: Pick<SettingsOf<'sink'>, 'retentionKeep' | 'retentionEvery'>,
  database: Database,
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<void> {
  if (retentionKeep !== undefined) await retaining(database, retentionKeep, retentionEvery, telemetry, signal);
}

function isNothing({ tables, facts }: Retention): boolean {
  return facts === 0 && tables.every((table) => tableWords(table) === '' && table.busy.length === 0);
}

/** `2 days (2026-10-19, 2026-10-20), but for 12 versions that the days after begin with; 431 deleted objects` */
function tableWords({ resource, days, purged, kept }: TableRetention): string {
  const parts: string[] = [];
  if (days.length > 0) {
    const named = days.length <= 3 ? days.join(', ') : `${days[0]} to ${days.at(-1)}`;
    const stays = kept === null || kept === 0 ? '' : `, but for ${counted(kept, 'version')} with which the days after begin`;
    parts.push(`${counted(days.length, 'day')} (${named})${stays}`);
  }
  if (purged > 0) parts.push(counted(purged, resource === 'events' ? 'old Event' : 'deleted object'));
  return parts.join('; ');
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
