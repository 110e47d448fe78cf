/**
 * The life of a long-running role: its port first, then its work; a signal, a drain, an exit code.
 *   in    the work, as a function that ends once its signal fires and everything under way is finished
 *   out   an exit code: 0 drained, 1 failed or not drained in time, 2 a wrong setting; 130 on a second signal
 * Invariants (test/cli/lifecycle.test.ts):
 *   L1 drains        the first SIGTERM or SIGINT fires the signal and waits for the work, ten seconds in all
 *   L2 obeys         a second signal ends the process at once
 *   L3 crashes well  whatever is thrown becomes one message, with the stack at debug level only
 */
import process from 'node:process';
import type { HttpServer } from '../telemetry/http.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { watchClock } from './clock.ts';
import { exitCodeOf } from './exit-code.ts';

export interface Life {
  readonly telemetry: Telemetry;
  /** Port -1 serves nothing. */
  readonly http: { readonly host: string; readonly port: number };
  readonly work: (signal: AbortSignal) => Promise<void>;
  readonly drainMs?: number;
}

/** What a process in the background tells the one that started it; see detach.ts. */
export interface StartedMessage {
  readonly kubetape: 'started';
  readonly url: string | null;
}

/** Below the ten seconds that are promised: the exit itself takes time too. */
const DRAIN_MS = 9_000;
/** A terminal and a parent process both pass Ctrl-C on: two signals so close together are one. */
const SAME_SIGNAL_MS = 500;
const READINESS_MS = 1000;

export async function live({ telemetry, http, work, drainMs = DRAIN_MS }: Life): Promise<number> {
  const startedMs = performance.now();
  const stop = new AbortController();
  const drained = Promise.withResolvers<'late'>();
  let signalledMs: number | undefined;
  let deadline: NodeJS.Timeout | undefined;

  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalledMs !== undefined) {
      if (performance.now() - signalledMs > SAME_SIGNAL_MS) process.exit(130);
      return;
    }
    signalledMs = performance.now();
    telemetry.health.stopping();
    telemetry.process.signalled({ signal, drainMs });
    deadline = setTimeout(() => drained.resolve('late'), drainMs);
    stop.abort();
  };
  const onCrash = (error: unknown): void => {
    telemetry.process.failed({ error });
    process.exit(exitCodeOf(error));
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal).on('uncaughtException', onCrash).on('unhandledRejection', onCrash);

  let server: HttpServer | undefined;
  const watching = [watchReadiness(telemetry), watchClock((step) => telemetry.process.clockStepped(step))];
  try {
    telemetry.process.starting();
    if (http.port >= 0) {
      server = await telemetry.serve(http);
      telemetry.process.listening({ url: server.url });
    }
    process.send?.({ kubetape: 'started', url: server?.url ?? null } satisfies StartedMessage);
    if (!stop.signal.aborted) {
      const outcome = await Promise.race([work(stop.signal), drained.promise]);
      if (outcome === 'late') {
        telemetry.process.drainTimedOut({ drainMs });
        return 1;
      }
    }
    telemetry.process.stopped({ seconds: Math.round((performance.now() - startedMs) / 1000) });
    return 0;
  } catch (error) {
    // To be interrupted is what the signal asked for.
    if (stop.signal.aborted && error instanceof Error && error.name === 'AbortError') return 0;
    telemetry.process.failed({ error });
    return exitCodeOf(error);
  } finally {
    clearTimeout(deadline);
    for (const timer of watching) clearInterval(timer);
    telemetry.health.stopping();
    await server?.close();
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal).off('uncaughtException', onCrash).off('unhandledRejection', onCrash);
  }
}

/** Says when readiness changes; the first word is `ready`, not that nothing is ready yet. */
function watchReadiness(telemetry: Telemetry): NodeJS.Timeout {
  let before: boolean | undefined;
  const look = (): void => {
    const { ready, checks } = telemetry.health.report();
    const stopping = checks.some((check) => check.reason === 'stopping');
    if (ready !== before && !stopping && (ready || before !== undefined)) {
      before = ready;
      telemetry.process.readiness({
        ready,
        reasons: checks.filter((check) => !check.ready).map((check) => `${check.name}: ${check.reason ?? ''}`),
      });
    }
  };
  return setInterval(look, READINESS_MS).unref();
}
