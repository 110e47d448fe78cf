/** The role `run`: collector and sink in one process, for a small cluster. */
import type { SettingsOf } from '../config/roles.ts';
import { isCode } from '../events/errors.ts';
import { pause } from '../flow/pause.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { collect } from './collect.ts';
import { sink } from './sink.ts';

export async function run(settings: SettingsOf<'run'>, telemetry: Telemetry, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  if (signal.aborted) stop.abort();
  signal.addEventListener('abort', onSignal, { once: true });
  // One without the other would look alive and record nothing.
  const together = [collectOrStandBy(settings, telemetry, stop.signal), sink(settings, telemetry, stop.signal)].map((role) =>
    role.finally(() => stop.abort()),
  );
  const results = await Promise.allSettled(together);
  signal.removeEventListener('abort', onSignal);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

const AGAIN_MS = 1_000;

/** Here nobody starts a collector again that was taken the Lease from, by an audit or a collector somewhere else. */
async function collectOrStandBy(settings: SettingsOf<'run'>, telemetry: Telemetry, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await collect(settings, telemetry, signal);
      return;
    } catch (error) {
      if (!settings.leaderElection || !isCode(error, 'LEASE_LOST', 'KAFKA_FENCED')) throw error;
      telemetry.log('capture').warn(`${error.message}; standing by`, { code: error.code });
      await pause(AGAIN_MS, signal);
    }
  }
}
