import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareResourceVersions } from '../../src/events/resource-version.ts';
import {
  afterWait,
  backoffMs,
  nextStep,
  startReflector,
  type Outcome,
  type ReflectorState,
  type Step,
} from '../../src/kubernetes/reflector-machine.ts';

const half = (): number => 0.5;

/** The step that comes once all waits are over. */
function settled(state: ReflectorState): Step {
  const next = afterWait(state);
  return next.step.do === 'wait' ? settled(next) : next.step;
}

const STEPS: Record<'probe' | 'list' | 'page' | 'watch', Step> = {
  probe: { do: 'probe' },
  list: { do: 'list', cause: 'first' },
  page: { do: 'page', cause: 'first', pageFactor: 1 },
  watch: { do: 'watch' },
};

const OUTCOMES: Record<string, Outcome> = {
  'probed newer': { how: 'probed', resourceVersion: '200' },
  'probed older': { how: 'probed', resourceVersion: '9' },
  listed: { how: 'listed', resourceVersion: '150', streaming: true },
  'ended well': { how: 'ended', resourceVersion: '120', seen: true, seconds: 300, stale: false },
  'ended mute': { how: 'ended', resourceVersion: '100', seen: false, seconds: 0.1, stale: false },
  'ended stale': { how: 'ended', resourceVersion: '100', seen: false, seconds: 200, stale: true },
  expired: { how: 'expired' },
  unsupported: { how: 'unsupported' },
  'page expired': { how: 'page-expired' },
  throttled: { how: 'throttled', retryAfterMs: 7000, resourceVersion: null },
  lost: { how: 'lost', resourceVersion: null, seen: false },
  refused: { how: 'refused', resourceVersion: null },
};

/** What follows once waits are over: a missing cell does not compile. */
const TABLE: Record<keyof typeof STEPS, Record<string, string>> = {
  probe: {
    'probed newer': 'watch',
    'probed older': 'list restored',
    throttled: 'probe',
    lost: 'probe',
    refused: 'probe',
    expired: 'list expired',
  },
  list: {
    listed: 'watch',
    unsupported: 'page first',
    throttled: 'list first',
    lost: 'list first',
    refused: 'list first',
    expired: 'list expired',
  },
  page: { listed: 'watch', 'page expired': 'page first', throttled: 'page first', lost: 'page first', refused: 'page first' },
  watch: {
    'ended well': 'watch',
    'ended mute': 'probe',
    'ended stale': 'list refresh',
    expired: 'list expired',
    throttled: 'watch',
    lost: 'probe',
    refused: 'watch',
  },
};

function described(step: Step): string {
  return step.do === 'list' || step.do === 'page' ? `${step.do} ${step.cause}` : step.do;
}

describe('reflector machine', () => {
  for (const [from, row] of Object.entries(TABLE)) {
    for (const [how, to] of Object.entries(row)) {
      it(`M1 total: ${from}, ${how} → ${to}`, () => {
        const state: ReflectorState = {
          step: STEPS[from as keyof typeof STEPS],
          resourceVersion: '100',
          failures: 0,
          mute: 0,
          streaming: true,
        };
        const outcome = OUTCOMES[how];
        assert.ok(outcome);
        assert.equal(described(settled(nextStep(state, outcome, half))), to);
      });
    }
  }

  it('M1 total: whatever happens in whatever order, there is a next step and the position only rises by what the server sent', () => {
    const outcome = fc.constantFrom(...Object.values(OUTCOMES));
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 50 }), fc.boolean(), (outcomes, fresh) => {
        let state = startReflector(fresh ? null : '100', 'first');
        for (const one of outcomes) {
          const before = state;
          state = nextStep(afterWait(state), one, Math.random);
          assert.ok(['probe', 'list', 'page', 'watch', 'wait'].includes(state.step.do));
          const sent = 'resourceVersion' in one ? one.resourceVersion : null;
          assert.ok(state.resourceVersion === before.resourceVersion || state.resourceVersion === sent);
        }
      }),
    );
  });

  it('M2 resume: a checkpoint is compared with the server before the watch is opened; without one there is a list', () => {
    assert.deepEqual(startReflector('100', 'first').step, { do: 'probe' });
    assert.deepEqual(startReflector(null, 'scope').step, { do: 'list', cause: 'scope' });
  });

  it('M2 resume: a broken list moves nothing', () => {
    const state = { ...startReflector(null, 'first'), resourceVersion: '100' };
    assert.equal(nextStep(state, { how: 'lost', resourceVersion: null, seen: false }, half).resourceVersion, '100');
  });

  it('M2 resume: what was seen before a connection was lost is not asked for again', () => {
    const watching: ReflectorState = { step: { do: 'watch' }, resourceVersion: '100', failures: 0, mute: 0, streaming: true };
    const next = nextStep(watching, { how: 'lost', resourceVersion: '110', seen: true }, half);
    assert.ok(compareResourceVersions(next.resourceVersion ?? '0', '110') === 0);
  });

  it('M3 restored: two mute watches in a row are an expired position, one is not', () => {
    const mute = OUTCOMES['ended mute'] as Outcome;
    const watching: ReflectorState = { step: { do: 'watch' }, resourceVersion: '100', failures: 0, mute: 0, streaming: true };
    const once = nextStep(watching, mute, half);
    assert.deepEqual(settled(once), { do: 'probe' });
    const probed = nextStep(afterWait(once), { how: 'probed', resourceVersion: '100' }, half);
    assert.deepEqual(settled(nextStep(probed, mute, half)), { do: 'list', cause: 'expired' });
  });

  it('M4 patient: failures in a row wait longer, up to 30 s, and Retry-After is obeyed', () => {
    let state = startReflector('100', 'first');
    const waits: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      state = nextStep(afterWait(state), { how: 'lost', resourceVersion: null, seen: false }, () => 0.999);
      if (state.step.do === 'wait') waits.push(state.step.ms);
    }
    assert.deepEqual(
      waits,
      waits.toSorted((a, b) => a - b),
    );
    assert.equal(waits.length, 12);
    assert.ok((waits.at(-1) ?? 0) <= 30_000 && (waits.at(-1) ?? 0) > 25_000);
    const throttled = nextStep(startReflector('100', 'first'), OUTCOMES['throttled'] as Outcome, half);
    assert.ok(throttled.step.do === 'wait' && throttled.step.ms >= 7000);
  });

  it('M4 patient: no wait is shorter than half of its step', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, chance) => {
        const ms = backoffMs(failures, () => chance);
        assert.ok(ms >= 400 && ms <= 30_000);
      }),
    );
  });
});
