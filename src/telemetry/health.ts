/**
 * Readiness: the true state, asked for and never remembered.
 * Invariants (test/telemetry/health.test.ts):
 *   H1 all or not    ready is what every check agrees on; no check at all is not ready
 *   H2 says why      a check that is not ready has a reason, one that throws as well
 *   H3 drains first  from the first signal on nothing is ready any more
 */
import { KubetapeError } from '../events/errors.ts';

export interface Check {
  /** `kafka`, `postgres`, `watch pods`: one per thing that can be repaired by itself. */
  readonly name: string;
  readonly ready: boolean;
  readonly reason?: string | undefined;
}

/** Asked at each request: it looks at state that is there and waits for nothing. */
export type CheckSource = () => Check | readonly Check[];

export interface HealthReport {
  readonly ready: boolean;
  readonly checks: readonly Check[];
}

export class Health {
  readonly #sources = new Set<CheckSource>();
  #stopping = false;

  /** @returns takes the check away again */
  register(source: CheckSource): () => void {
    this.#sources.add(source);
    return () => void this.#sources.delete(source);
  }

  /** The process has begun to end. */
  stopping(): void {
    this.#stopping = true;
  }

  report(): HealthReport {
    const checks = [...this.#sources].flatMap((source) => asked(source));
    if (this.#stopping) checks.push({ name: 'process', ready: false, reason: 'stopping' });
    else if (checks.length === 0) checks.push({ name: 'process', ready: false, reason: 'starting' });
    return { ready: checks.every((check) => check.ready), checks };
  }
}

function asked(source: CheckSource): readonly Check[] {
  try {
    return [source()].flat().map(({ name, ready, reason }) => (ready ? { name, ready } : { name, ready, reason: reason ?? 'not ready' }));
  } catch (error) {
    return [{ name: 'check', ready: false, reason: error instanceof KubetapeError ? error.message : 'the check itself failed' }];
  }
}
