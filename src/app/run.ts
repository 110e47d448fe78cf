/** The role `run`: collector and sink in one process, for a small cluster. */
import type { SettingsOf } from '../config/roles.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { collect } from './collect.ts';
import { sink } from './sink.ts';

export async function run(settings: SettingsOf<'run'>, telemetry: Telemetry, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  if (signal.aborted) stop.abort();
  signal.addEventListener('abort', onSignal, { once: true });
  // One without the other would look alive and record nothing.
  const together = [collect(settings, telemetry, stop.signal), sink(settings, telemetry, stop.signal)].map((role) =>
    role.finally(() => stop.abort()),
  );
  const results = await Promise.allSettled(together);
  signal.removeEventListener('abort', onSignal);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
