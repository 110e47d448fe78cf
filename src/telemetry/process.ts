/** What the process says of its own life. */
import process from 'node:process';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import { KubetapeError } from '../events/errors.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export type ProcessTelemetry = ReturnType<typeof processTelemetry>;

export function processTelemetry(
  log: Log,
  registry: Registry,
  metrics: Metrics,
  facts: { readonly role: string; readonly version: string },
) {
  collectDefaultMetrics({ register: registry });
  const build = metrics.gauge('kubetape_build_info', 'Always 1; the labels say what runs', ['version', 'role', 'node']);
  build.set({ version: facts.version, role: facts.role, node: process.versions.node }, 1);

  const steps = metrics.counter('kubetape_clock_steps_total', 'Times that the clock was set by two seconds or more', ['direction']);

  return {
    starting(): void {
      log.info(`kubetape ${facts.version} ${facts.role} starts`, { version: facts.version, node: process.versions.node, pid: process.pid });
    },
    listening(address: { readonly url: string }): void {
      log.info(`metrics and health at ${address.url}`, address);
    },
    /** The first time that every check is good, and each time that changes. */
    readiness(state: { readonly ready: boolean; readonly reasons: readonly string[] }): void {
      log[state.ready ? 'info' : 'warn'](state.ready ? 'ready' : `not ready: ${state.reasons.join('; ')}`, { ready: state.ready });
    },
    signalled(signal: { readonly signal: string; readonly drainMs: number }): void {
      log.info(`${signal.signal}: finishing what is under way`, signal);
    },
    /** Somebody set the clock, or the machine slept. */
    clockStepped({ seconds }: { readonly seconds: number }): void {
      steps.inc({ direction: seconds < 0 ? 'back' : 'forward' });
      const how = seconds < 0 ? `went back by ${-seconds} s` : `went forward by ${seconds} s`;
      log.warn(
        `the clock ${how}: nothing is lost, the order of changes is that of their resourceVersions; but the times of what is recorded from now on do not continue those before. Check the time synchronisation of this machine`,
        { seconds },
      );
    },
    drainTimedOut(drain: { readonly drainMs: number }): void {
      log.error(
        `not finished after ${drain.drainMs / 1000} s: stopping as it is; what was not committed comes again at the next start`,
        drain,
      );
    },
    stopped(end: { readonly seconds: number }): void {
      log.info('stopped', end);
    },
    failed(failure: { readonly error: unknown }): void {
      const error = failure.error instanceof Error ? failure.error : new Error('something that is no error was thrown');
      if (!(error instanceof KubetapeError)) return log.fatal(`kubetape failed: ${error.name}`, { code: 'INTERNAL', error });
      const cause = error.cause instanceof Error ? { cause: error.cause } : {};
      log.fatal(error.message, { code: error.code, hint: error.hint, ...cause, ...(log.isEnabled('debug') ? { error } : {}) });
    },
  };
}
