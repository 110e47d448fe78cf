/** Goes on with what is recorded from here on, until it is interrupted: asks the database once a second. */
import { isCode } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import type { Cursor, RecordedChange, RecordedType } from '../past/ports.ts';
import type { Asking } from './asking.ts';

const EVERY_MS = 1_000;
const INTERRUPTED = 130;

/** @returns the exit code of somebody who was interrupted */
export async function follow(
  asking: Asking,
  types: readonly RecordedType[],
  from: Cursor,
  onChange: (change: RecordedChange) => void,
): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  let cursor = from;
  let away = false;
  while (!stop.signal.aborted) {
    try {
      const next = await asking.past.since(types, asking, cursor);
      if (away) asking.remark('the database is back');
      away = false;
      cursor = next.cursor;
      for (const change of next.changes) onChange(change);
    } catch (error) {
      // A database that restarts is no reason to lose the place.
      if (!isCode(error, 'POSTGRES_UNREACHABLE')) throw error;
      if (!away) asking.remark(`${error.message}; trying again`);
      away = true;
    }
    await pause(EVERY_MS, stop.signal);
  }
  return INTERRUPTED;
}
