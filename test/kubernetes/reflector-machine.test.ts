import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

const WATCHING: ReflectorState = {
  step: { do: 'watch' },
  resourceVersion: '100',
  failures: 0,
  mute: 0,
  expiries: 0,
  broken: 0,
  streaming: true,
};

const STEPS = {
  probe: { do: 'probe' },
  list: { do: 'list', cause: 'scope' },
  page: { do: 'page', cause: 'scope', pageFactor: 1 },
  watch: { do: 'watch' },
} as const satisfies Record<string, Step>;

const ended = { how: 'ended', resourceVersion: '120', seen: true, seconds: 300, stale: false } as const;
const lost = { how: 'lost', resourceVersion: null, seen: false, midList: false } as const;

/** The rows of the table: an outcome, and what of the state before it matters. */
const OUTCOMES: Readonly<Record<string, readonly [Outcome, Partial<ReflectorState>?]>> = {
  'probed, not older than the position': [{ how: 'probed', resourceVersion: '100' }],
  'probed, older': [{ how: 'probed', resourceVersion: '99' }],
  listed: [{ how: 'listed', resourceVersion: '150' }],
  'the list went back behind the position': [{ how: 'went-back' }],
  'no streaming list, ever': [{ how: 'unsupported', ever: true }],
  'no streaming list, this time': [{ how: 'unsupported', ever: false }],
  'continue token expired': [{ how: 'page-expired' }],
  'ended after a second or more': [{ ...ended, seen: false, seconds: 1 }],
  'ended within a second, something came': [{ ...ended, seconds: 0.5 }],
  'ended within a second, mute': [{ ...ended, seen: false, seconds: 0.5 }],
  'ended within a second, mute again': [{ ...ended, seen: false, seconds: 0.5 }, { mute: 1 }],
  'ended, position stale': [{ ...ended, seen: false, seconds: 200, stale: true }],
  expired: [{ how: 'expired', resourceVersion: null }],
  'expired, again': [{ how: 'expired', resourceVersion: null }, { expiries: 1 }],
  throttled: [{ how: 'throttled', retryAfterMs: 7000, resourceVersion: null, seen: false }],
  lost: [lost],
  'lost in the middle of a list, again': [{ ...lost, midList: true }, { broken: 1 }],
  refused: [{ how: 'refused', resourceVersion: null, seen: false }],
};

function described(step: Step): string {
  if (step.do === 'wait') return `wait, ${described(step.next)}`;
  if (step.do !== 'list' && step.do !== 'page') return step.do;
  return step.cause === 'scope' ? `${step.do}, same cause` : `${step.do} ${step.cause}`;
}

/** SPEC.md's table: outcome → step → what follows. */
function specTable(): Map<string, Map<string, string>> {
  const spec = readFileSync(new URL('../../src/kubernetes/SPEC.md', import.meta.url), 'utf8');
  const [, table = ''] = /<!-- transitions:begin -->\n([\s\S]*?)<!-- transitions:end -->/.exec(spec) ?? [];
  const [head = [], , ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(rows.map((cells) => [cells[1] ?? '', new Map(head.slice(2, -1).map((step, at) => [step, cells[at + 2] ?? '']))]));
}

describe('reflector machine', () => {
  const table = specTable();

  it('M1 total: SPEC.md has a row for every outcome and a cell for every step', () => {
    assert.deepEqual([...table.keys()].toSorted(), Object.keys(OUTCOMES).toSorted());
    for (const row of table.values()) assert.deepEqual([...row.keys()], Object.keys(STEPS));
  });

  for (const [how, row] of table) {
    for (const [from, to] of row) {
      if (to === '–') continue;
      it(`M1 total: ${from}, ${how} → ${to}`, () => {
        const [outcome, before] = OUTCOMES[how] ?? [];
        assert.ok(outcome);
        const state = { ...WATCHING, ...before, step: STEPS[from as keyof typeof STEPS] };
        assert.equal(described(nextStep(state, outcome, half).step), to);
      });
    }
  }

  const anyOutcome = fc.constantFrom(...Object.values(OUTCOMES).map(([outcome]) => outcome));
  const anyCourse = fc.array(anyOutcome, { maxLength: 60 });

  it('M1 M2: whatever happens in whatever order, there is a next step, and the position is only ever one that the server sent', () => {
    fc.assert(
      fc.property(anyCourse, fc.boolean(), (outcomes, fresh) => {
        let state = startReflector(fresh ? null : '100', 'first');
        for (const one of outcomes) {
          const before = state;
          state = nextStep(afterWait(state), one, Math.random);
          assert.ok(['probe', 'list', 'page', 'watch', 'wait'].includes(state.step.do));
          const sent = 'resourceVersion' in one && one.how !== 'probed' ? one.resourceVersion : null;
          assert.ok(state.resourceVersion === before.resourceVersion || state.resourceVersion === sent);
        }
      }),
    );
  });

  it('M2 resume: a checkpoint is compared with the server before the watch is opened; without one there is a list', () => {
    assert.deepEqual(startReflector('100', 'first').step, { do: 'probe' });
    assert.deepEqual(startReflector(null, 'scope').step, { do: 'list', cause: 'scope' });
  });

  it('M2 resume: a broken list moves nothing, and its cause stays', () => {
    const listing: ReflectorState = { ...WATCHING, step: { do: 'list', cause: 'restored' } };
    for (const how of ['lost', 'refused', 'throttled', 'expired', 'no streaming list, ever']) {
      const [outcome] = OUTCOMES[how] ?? [];
      assert.ok(outcome);
      const next = nextStep(listing, outcome, half);
      assert.equal(next.resourceVersion, '100');
      const step = afterWait(next).step;
      assert.ok((step.do === 'list' || step.do === 'page') && step.cause === 'restored', `${how}: ${described(step)}`);
    }
  });

  it('M2 resume: what was seen before a watch failed is not asked for again', () => {
    for (const outcome of [
      { ...lost, resourceVersion: '110', seen: true },
      { how: 'refused', resourceVersion: '110', seen: true },
      { how: 'throttled', retryAfterMs: null, resourceVersion: '110', seen: true },
      { how: 'expired', resourceVersion: '110' },
    ] as const)
      assert.equal(compareResourceVersions(nextStep(WATCHING, outcome, half).resourceVersion ?? '0', '110'), 0);
  });

  it('M3 restored: from no outcome of a watch does another watch follow without a probe or a list', () => {
    for (const [outcome, before] of Object.values(OUTCOMES)) {
      if (outcome.how === 'listed' || outcome.how === 'probed') continue;
      const step = afterWait(nextStep({ ...WATCHING, ...before }, outcome, half)).step;
      assert.notEqual(step.do, 'watch', outcome.how);
    }
  });

  it('M4 patient: failures in a row wait longer, up to 30 s; Retry-After is obeyed; a watch that lived ends the row', () => {
    let state = startReflector('100', 'first');
    const waits: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      state = nextStep(afterWait(state), lost, () => 0.999);
      if (state.step.do === 'wait') waits.push(state.step.ms);
    }
    assert.deepEqual(
      waits,
      waits.toSorted((a, b) => a - b),
    );
    assert.equal(waits.length, 12);
    assert.ok((waits.at(-1) ?? 0) <= 30_000 && (waits.at(-1) ?? 0) > 25_000);
    const [throttled] = OUTCOMES['throttled'] ?? [];
    assert.ok(throttled);
    const told = nextStep(state, throttled, half);
    assert.ok(told.step.do === 'wait' && told.step.ms >= 7000 && told.step.ms <= 8400);
    for (const outcome of [ended, { ...lost, seen: true, resourceVersion: '110' }])
      assert.ok(nextStep({ ...WATCHING, failures: 9 }, outcome, half).failures <= 1);
  });

  it('M4 patient: no wait is shorter than half of its step', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, chance) => {
        const ms = backoffMs(failures, () => chance);
        assert.ok(ms >= 400 && ms <= 30_000);
      }),
    );
  });

  it('M5 no storm: of outcomes that take no time, at most five follow each other without a wait', () => {
    // What a step can end with at once; a watch that lasted, or whose position has become stale, has taken its time.
    const instant: Record<string, string[]> = Object.fromEntries(
      Object.keys(STEPS).map((step) => [
        step,
        [...table].filter(([how, row]) => row.get(step) !== '–' && !/after a second|stale/.test(how)).map(([how]) => how),
      ]),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 40, maxLength: 80 }), fc.boolean(), (choices, fresh) => {
        let state = startReflector(fresh ? null : '100', 'first');
        let inRow = 0;
        for (const choice of choices) {
          const hows = instant[state.step.do] ?? [];
          const [outcome] = OUTCOMES[hows[choice % hows.length] ?? ''] ?? [];
          assert.ok(outcome);
          state = nextStep(state, outcome, half);
          inRow = state.step.do === 'wait' ? 0 : inRow + 1;
          assert.ok(inRow <= 5, `${inRow} steps without a wait`);
          state = afterWait(state);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('M5 no storm: a server that says 410 to every watch is listed less and less often', () => {
    let state: ReflectorState = WATCHING;
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      state = nextStep(state, { how: 'expired', resourceVersion: null }, half);
      waits.push(state.step.do === 'wait' ? state.step.ms : 0);
      state = nextStep(afterWait(state), { how: 'listed', resourceVersion: '200' }, half);
    }
    assert.equal(waits[0], 0);
    assert.ok((waits.at(-1) ?? 0) > 10_000, waits.join());
  });
});
