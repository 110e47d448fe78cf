/**
 * What a reflector does next. Pure: no IO, no timers, no clock; time and chance are arguments.
 *   in    the state so far, and how the last step ended
 *   out   the next state, which names the next step
 *
 *   probe ──newer──▶ watch ──ended──▶ watch           list  = streaming list, whose stream goes on as the watch
 *     │ older          │ expired        ▲             page  = paginated LIST, where the server has no streaming list
 *     ▼                ▼                │             probe = LIST with limit=1: where are the resourceVersions now?
 *   list ◀────────── list ──ended───────┘             every failure goes through wait
 *
 * Invariants (test/kubernetes/reflector-machine.test.ts):
 *   M1 total      every step has an answer to every outcome
 *   M2 resume     resourceVersion only moves to what the API server sent, and never during a list
 *   M3 restored   after a connection was lost, resourceVersions are compared before the watch is opened again
 *   M4 patient    failures in a row wait longer, up to 30 s, and never end the machine
 * @see client-go tools/cache/reflector.go, whose behaviour an API server is used to
 */
import type { ListCause } from '../events/observation.ts';
import { compareResourceVersions } from '../events/resource-version.ts';

export type Step =
  | { readonly do: 'probe' }
  | { readonly do: 'list'; readonly cause: ListCause }
  | { readonly do: 'page'; readonly cause: ListCause; readonly pageFactor: number }
  | { readonly do: 'watch' }
  | { readonly do: 'wait'; readonly ms: number; readonly next: Step };

export interface ReflectorState {
  readonly step: Step;
  /** Everything up to here was seen; null before the first list has ended. */
  readonly resourceVersion: string | null;
  /** Failures in a row. */
  readonly failures: number;
  /** Watches in a row that ended within a second and said nothing. */
  readonly mute: number;
  /** False once the server turned out to have no streaming lists. */
  readonly streaming: boolean;
}

/** How a step ended. `seen` says whether anything was received that shows the server to be well. */
export type Outcome =
  | { readonly how: 'probed'; readonly resourceVersion: string }
  /** A list is complete; a streaming one is followed by the outcome of its watch. */
  | { readonly how: 'listed'; readonly resourceVersion: string; readonly streaming: boolean }
  /** The server closed the stream in good order. */
  | {
      readonly how: 'ended';
      readonly resourceVersion: string;
      readonly seen: boolean;
      readonly seconds: number;
      /** The position is older than the server keeps and no bookmark ever moved it. */
      readonly stale: boolean;
    }
  | { readonly how: 'expired' }
  /** The server knows no streaming list, or its end never came. */
  | { readonly how: 'unsupported' }
  /** A continue token expired between two pages. */
  | { readonly how: 'page-expired' }
  /** The server asks to wait. */
  | { readonly how: 'throttled'; readonly retryAfterMs: number | null; readonly resourceVersion: string | null }
  /** The connection failed, was silent too long, or sent nonsense: nothing is known of the server. */
  | { readonly how: 'lost'; readonly resourceVersion: string | null; readonly seen: boolean }
  /** The server answered with an error that has nothing to do with the position (401, 403, 404, 5xx). */
  | { readonly how: 'refused'; readonly resourceVersion: string | null };

/** @param resume the checkpoint to go on from; null lists first */
export function startReflector(resume: string | null, firstCause: ListCause): ReflectorState {
  const state = { resourceVersion: resume, failures: 0, mute: 0, streaming: true };
  return { ...state, step: resume === null ? { do: 'list', cause: firstCause } : { do: 'probe' } };
}

/** @param random in [0, 1) */
export function nextStep(state: ReflectorState, outcome: Outcome, random: () => number): ReflectorState {
  const { step } = state;
  const well = { failures: 0, mute: 0 };
  switch (outcome.how) {
    case 'probed': {
      if (state.resourceVersion === null) return { ...state, step: listStep(state, 'first', 1) };
      const back = compareResourceVersions(outcome.resourceVersion, state.resourceVersion) < 0;
      return { ...state, step: back ? listStep(state, 'restored', 1) : { do: 'watch' } };
    }
    case 'listed':
      return { ...state, ...well, resourceVersion: outcome.resourceVersion, streaming: outcome.streaming, step: { do: 'watch' } };
    case 'ended': {
      const position = { resourceVersion: outcome.resourceVersion };
      if (outcome.stale) return { ...state, ...position, ...well, step: listStep(state, 'refresh', 1) };
      if (outcome.seen || outcome.seconds >= 1) return { ...state, ...position, ...well, step: { do: 'watch' } };
      // Events answer a position that is gone with an empty 200 instead of 410 (kubernetes#104171); a server that
      // shuts down looks the same once, but not twice.
      if (state.mute >= 1) return { ...state, ...position, mute: 0, step: listStep(state, 'expired', 1) };
      return waiting({ ...state, ...position, mute: state.mute + 1 }, { do: 'probe' }, random);
    }
    case 'expired':
      return { ...state, mute: 0, step: listStep(state, 'expired', 1) };
    case 'unsupported':
      return { ...state, streaming: false, step: listStep({ ...state, streaming: false }, causeOf(step), 1) };
    case 'page-expired': {
      // Larger pages, so that a big collection is through before the snapshot is compacted.
      const factor = step.do === 'page' ? Math.min(step.pageFactor * 2, 16) : 1;
      return waiting(state, { do: 'page', cause: causeOf(step), pageFactor: factor }, random);
    }
    case 'throttled': {
      const position = { ...state, resourceVersion: outcome.resourceVersion ?? state.resourceVersion };
      const next = waiting(position, again(step), random);
      if (outcome.retryAfterMs === null || next.step.do !== 'wait') return next;
      // The server said when; a little chance keeps a crowd of clients from coming back together.
      return { ...next, step: { ...next.step, ms: Math.round(outcome.retryAfterMs * (1 + 0.2 * random())) } };
    }
    case 'lost': {
      const position = { ...state, ...(outcome.seen ? well : {}) };
      const resourceVersion = outcome.resourceVersion ?? state.resourceVersion;
      // A list in the middle is void: it starts again.
      const then: Step = step.do === 'list' || step.do === 'page' ? again(step) : { do: 'probe' };
      return waiting({ ...position, resourceVersion }, then, random);
    }
    case 'refused':
      return waiting({ ...state, resourceVersion: outcome.resourceVersion ?? state.resourceVersion }, again(step), random);
  }
}

/** The step after a wait is over. */
export function afterWait(state: ReflectorState): ReflectorState {
  return state.step.do === 'wait' ? { ...state, step: state.step.next } : state;
}

function listStep(state: Pick<ReflectorState, 'streaming'>, cause: ListCause, pageFactor: number): Step {
  return state.streaming ? { do: 'list', cause } : { do: 'page', cause, pageFactor };
}

function causeOf(step: Step): ListCause {
  return step.do === 'list' || step.do === 'page' ? step.cause : 'expired';
}

function again(step: Step): Step {
  return step.do === 'wait' ? step.next : step;
}

function waiting(state: ReflectorState, then: Step, random: () => number): ReflectorState {
  return { ...state, failures: state.failures + 1, step: { do: 'wait', ms: backoffMs(state.failures, random), next: then } };
}

const BACKOFF_BASE_MS = 800;
const BACKOFF_CAP_MS = 30_000;

/**
 * @param failures 0-based count of failures in a row
 * @returns ms in [half, whole) of min(30 s, 0.8 s * 2 ** failures): never zero, so that a refusal is no storm
 * @see client-go tools/cache/reflector.go, defaultBackoff*
 */
export function backoffMs(failures: number, random: () => number): number {
  const whole = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures, 10));
  return Math.round(whole * (0.5 + 0.5 * random()));
}
