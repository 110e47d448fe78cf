/**
 * What a reflector does next. Pure: no IO, no timers, no clock; time and chance are arguments.
 *   in    the state so far, and how the last step ended
 *   out   the next state, which names the next step
 *
 *   probe ──newer──▶ watch ──ended──▶ probe           list  = streaming list, whose stream may go on as the watch
 *     │ older          │ expired                      page  = paginated LIST, where the server streams none
 *     ▼                ▼                              probe = LIST with limit=1: where are the resourceVersions now?
 *   list ───listed──▶ watch                           every failure goes through wait
 *
 * SPEC.md has the whole table. Invariants (test/kubernetes/reflector-machine.test.ts):
 *   M1 total      every step has an answer to every outcome
 *   M2 resume     resourceVersion only moves to what the API server sent, and never during a list
 *   M3 restored   resourceVersions are compared before every watch that is not a list's own, and at the end of every list
 *   M4 patient    failures in a row wait longer, up to 30 s, and never end the machine
 *   M5 no storm   no course of outcomes asks twice within a moment but for one list at once after a lost position
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
  /** Failures in a row; a watch that lived ends the row. */
  readonly failures: number;
  /** Watches in a row that ended within a second and said nothing. */
  readonly mute: number;
  /** Positions in a row that were lost before a watch had lived. */
  readonly expiries: number;
  /** Streaming lists in a row that broke off in the middle. */
  readonly broken: number;
  /** False once the server turned out to have no streaming lists. */
  readonly streaming: boolean;
}

/** How a step ended. `seen` says whether the watch, after its list, received anything: it lived. */
export type Outcome =
  | { readonly how: 'probed'; readonly resourceVersion: string }
  /** A list is complete; the outcome of the watch on its stream may follow. */
  | { readonly how: 'listed'; readonly resourceVersion: string }
  /** A complete list is older than the position: it is another history, and nothing was concluded from it. */
  | { readonly how: 'went-back' }
  /** The server closed the stream in good order. */
  | {
      readonly how: 'ended';
      readonly resourceVersion: string;
      readonly seen: boolean;
      readonly seconds: number;
      /** The position is older than the server keeps and no bookmark ever moved it. */
      readonly stale: boolean;
    }
  | { readonly how: 'expired'; readonly resourceVersion: string | null }
  /** A streaming list cannot be had: `ever` when the server refuses them, else this one time. */
  | { readonly how: 'unsupported'; readonly ever: boolean }
  /** A continue token expired between two pages. */
  | { readonly how: 'page-expired' }
  /** The server asks to wait. */
  | { readonly how: 'throttled'; readonly retryAfterMs: number | null; readonly resourceVersion: string | null; readonly seen: boolean }
  /** The connection failed, was silent too long, or sent nonsense: nothing is known of the server. */
  | {
      readonly how: 'lost';
      readonly resourceVersion: string | null;
      readonly seen: boolean;
      /** A list had begun to arrive. */
      readonly midList: boolean;
    }
  /** The server answered with an error that has nothing to do with the position (401, 403, 404, 5xx). */
  | { readonly how: 'refused'; readonly resourceVersion: string | null; readonly seen: boolean };

/** @param resume the checkpoint to go on from; null lists first */
export function startReflector(resume: string | null, firstCause: ListCause): ReflectorState {
  const state = { resourceVersion: resume, failures: 0, mute: 0, expiries: 0, broken: 0, streaming: true };
  return { ...state, step: resume === null ? { do: 'list', cause: firstCause } : { do: 'probe' } };
}

/** What a watch that lived proves: the server is well, whatever was before. */
const WELL = { failures: 0, mute: 0, expiries: 0 } as const;
/** Streaming lists that break off so often give way to pages, each of which is a request of its own. */
const BROKEN_LISTS_MAX = 2;

/** @param random in [0, 1) */
export function nextStep(state: ReflectorState, outcome: Outcome, random: () => number): ReflectorState {
  const { step } = state;
  switch (outcome.how) {
    case 'probed': {
      if (state.resourceVersion === null) return { ...state, step: listStep(state, 'first') };
      const back = compareResourceVersions(outcome.resourceVersion, state.resourceVersion) < 0;
      return { ...state, step: back ? listStep(state, 'restored') : { do: 'watch' } };
    }
    case 'listed':
      return { ...state, resourceVersion: outcome.resourceVersion, broken: 0, step: { do: 'watch' } };
    case 'went-back':
      return waiting(state, listStep(state, 'restored'), random);
    case 'ended':
      return ended({ ...state, resourceVersion: outcome.resourceVersion }, outcome, random);
    case 'expired': {
      const resourceVersion = outcome.resourceVersion ?? state.resourceVersion;
      const next = { ...state, resourceVersion, mute: 0, expiries: state.expiries + 1 };
      // A list that is to be had again keeps its cause: 'first' is no gap, 'restored' has begun an epoch.
      const list = listStep(state, causeOf(step) ?? 'expired');
      // At once, so that the gap is short; but a server that says it of every watch would be listed without end.
      return state.expiries === 0 && list.do !== step.do ? { ...next, step: list } : waiting(next, list, random);
    }
    case 'unsupported':
      return {
        ...state,
        streaming: state.streaming && !outcome.ever,
        step: { do: 'page', cause: causeOf(step) ?? 'expired', pageFactor: 1 },
      };
    case 'page-expired': {
      // Larger pages, so that a big collection is through before the snapshot is compacted.
      const factor = step.do === 'page' ? Math.min(step.pageFactor * 2, PAGE_FACTOR_MAX) : 1;
      return waiting(state, { do: 'page', cause: causeOf(step) ?? 'expired', pageFactor: factor }, random);
    }
    case 'throttled': {
      const next = waiting(after(state, outcome), again(step), random);
      if (outcome.retryAfterMs === null || next.step.do !== 'wait') return next;
      // The server said when; a little chance keeps a crowd of clients from coming back together.
      return { ...next, step: { ...next.step, ms: Math.round(outcome.retryAfterMs * (1 + 0.2 * random())) } };
    }
    case 'lost': {
      const next = { ...after(state, outcome), broken: state.broken + (step.do === 'list' && outcome.midList ? 1 : 0) };
      return waiting(next, step.do === 'list' ? listStep(next, step.cause) : again(step), random);
    }
    case 'refused': {
      // As client-go does: whatever a server has against a streaming list, it may have nothing against pages.
      const next: Step = step.do === 'list' ? { do: 'page', cause: step.cause, pageFactor: 1 } : again(step);
      return waiting(after(state, outcome), next, random);
    }
  }
}

function ended(state: ReflectorState, { seen, seconds, stale }: Outcome & { how: 'ended' }, random: () => number): ReflectorState {
  if (stale) return { ...state, ...WELL, step: listStep(state, 'refresh') };
  if (seconds >= 1) return { ...state, ...WELL, step: { do: 'probe' } };
  // It got on, so the wait does not grow; but asked again at once, such a server would be asked without end.
  if (seen) return waiting({ ...state, ...WELL }, { do: 'probe' }, random);
  // Events answer a position that is gone with an empty 200 instead of 410 (kubernetes#104171); a server that
  // shuts down looks the same once, but not twice.
  if (state.mute === 0) return waiting({ ...state, mute: 1 }, { do: 'probe' }, random);
  return nextStep(state, { how: 'expired', resourceVersion: null }, random);
}

/** What was seen before a step failed stays seen. */
function after(state: ReflectorState, outcome: { readonly resourceVersion: string | null; readonly seen: boolean }): ReflectorState {
  return { ...state, ...(outcome.seen ? WELL : {}), resourceVersion: outcome.resourceVersion ?? state.resourceVersion };
}

/** The step after a wait is over. */
export function afterWait(state: ReflectorState): ReflectorState {
  return state.step.do === 'wait' ? { ...state, step: state.step.next } : state;
}

function listStep(state: Pick<ReflectorState, 'streaming' | 'broken'>, cause: ListCause): Step {
  return state.streaming && state.broken < BROKEN_LISTS_MAX ? { do: 'list', cause } : { do: 'page', cause, pageFactor: 1 };
}

/** null for steps that do not list. */
function causeOf(step: Step): ListCause | null {
  return step.do === 'list' || step.do === 'page' ? step.cause : null;
}

/** A list in the middle is void and starts again; before a watch, resourceVersions are compared: the server may be another. */
function again(step: Step): Step {
  return step.do === 'list' || step.do === 'page' ? step : { do: 'probe' };
}

function waiting(state: ReflectorState, then: Step, random: () => number): ReflectorState {
  return { ...state, failures: state.failures + 1, step: { do: 'wait', ms: backoffMs(state.failures, random), next: then } };
}

const PAGE_FACTOR_MAX = 16;
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
