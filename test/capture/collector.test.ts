/** The whole collector in memory: a log and a source that fail when they are told to. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Track } from '../../src/capture/entries.ts';
import { Collector, type CollectorDeps, type CollectorSettings } from '../../src/capture/collector.ts';
import type { Stranger } from '../../src/capture/memory.ts';
import type { CaptureTelemetry, LogMessage, LogReader, ObjectSource, OutgoingMessage, TransactionalLog } from '../../src/capture/ports.ts';
import { KubetapeError } from '../../src/events/errors.ts';
import type { ListCause, Observation, ObservedObject } from '../../src/events/observation.ts';

class MemoryLog implements TransactionalLog, LogReader {
  readonly transactions: OutgoingMessage[][] = [];
  failures: KubetapeError[] = [];
  open(): Promise<void> {
    return Promise.resolve();
  }
  async commit(messages: readonly OutgoingMessage[]): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.transactions.push([...messages]);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  readToEnd(topics: readonly string[], onMessage: (message: LogMessage) => void): Promise<void> {
    let offset = 0;
    for (const { topic, key, value } of this.transactions.flat())
      if (topics.includes(topic)) onMessage({ topic, key, value, partition: 0, offset: (offset += 1) });
    return Promise.resolve();
  }
  get messages(): OutgoingMessage[] {
    return this.transactions.flat();
  }
  epochs(topic: string): number[] {
    return this.messages
      .filter((message) => message.topic === topic && message.value !== null)
      .map(({ value }) => (JSON.parse(value?.toString() ?? '') as { source: { epoch: number } }).source.epoch);
  }
  said(topic: string): string[] {
    return this.messages
      .filter((message) => message.topic === topic && message.value !== null)
      .map(({ value }) => {
        const { op, source } = JSON.parse(value?.toString() ?? '') as { op: string; source: { uid: string; resourceVersion: string } };
        return `${op} ${source.uid}@${source.resourceVersion}`;
      });
  }
}

const SETTINGS: CollectorSettings = { maxWaitMs: 1, maxRecords: 3, maxBytes: 1e6, ringMaxRecords: 4, ringMaxBytes: 1e6, drainMs: 1000 };
const TRACK: Track = {
  cluster: 'c',
  type: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
  resource: 'pods',
  namespace: '',
  scope: 's',
  topicPrefix: '',
};
const QUIET: CaptureTelemetry = {
  changes() {},
  changeAge() {},
  transaction() {},
  transactionRetry() {},
  ring() {},
  coverage() {},
  expiredEvents() {},
  gap() {},
  progress() {},
};

function object(name: string, uid: string, resourceVersion: number): ObservedObject {
  return {
    kind: 'Pod',
    namespace: 'ns',
    name,
    uid,
    resourceVersion: String(resourceVersion),
    by: null,
    changedAtMs: null,
    object: { metadata: { name } },
  };
}

/** Says what it is told, then waits for the signal. */
class Script implements ObjectSource {
  readonly #observations: readonly Observation[];
  start: { resume: string | null; cause: ListCause } | null = null;
  constructor(observations: readonly Observation[]) {
    this.#observations = observations;
  }
  async run(
    resume: string | null,
    cause: ListCause,
    observe: (one: Observation) => void | Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    this.start = { resume, cause };
    for (const one of this.#observations) await observe(one);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
}

const FIRST: readonly Observation[] = [
  { type: 'list-started', cause: 'first', wholeUntilMs: null },
  ...['a', 'b', 'c', 'd', 'e'].map((name, at): Observation => ({ type: 'listed', object: object(name, name.toUpperCase(), at + 1) })),
  { type: 'list-ended', resourceVersion: '9' },
  { type: 'added', object: object('f', 'F', 10) },
];

const deps = (log: MemoryLog): CollectorDeps => ({ cluster: 'c', topicPrefix: '', log, reader: log, telemetry: QUIET, version: '0' });

async function run(log: MemoryLog, observations: readonly Observation[], ms = 100, strangers: readonly Stranger[] = []): Promise<Script> {
  const source = new Script(observations);
  await new Collector([{ track: TRACK, source, strangers }], SETTINGS, deps(log)).run(AbortSignal.timeout(ms));
  return source;
}

describe('collector', () => {
  it('W1 atomic: record, state and position of a change are in one transaction', async () => {
    const log = new MemoryLog();
    await run(log, FIRST);
    const last = log.transactions.find((messages) => messages.some(({ value }) => value?.includes('"uid":"F"')));
    assert.ok(last);
    for (const topic of ['k8s-pods', 'shared-state', 'kubetape-checkpoints'])
      assert.ok(
        last.some((message) => message.topic === topic),
        topic,
      );
    assert.match(last.findLast(({ topic }) => topic === 'kubetape-checkpoints')?.value?.toString() ?? '', /"resourceVersion":"10"/);
  });

  it('W2 kept: a transaction that fails is written again, in order, nothing twice', async () => {
    const log = new MemoryLog();
    log.failures = [new KubetapeError('KAFKA_FAILED', 'no'), new KubetapeError('KAFKA_UNREACHABLE', 'no')];
    await run(log, FIRST, 1500);
    assert.deepEqual(log.said('k8s-pods'), ['r A@1', 'r B@2', 'r C@3', 'r D@4', 'r E@5', 'c F@10']);
  });

  it('says for how long a transaction has been waiting, through its repetitions, and no longer than that', async () => {
    const log = new MemoryLog();
    log.failures = [new KubetapeError('KAFKA_UNREACHABLE', 'no'), new KubetapeError('KAFKA_UNREACHABLE', 'no')];
    const collector = new Collector([{ track: TRACK, source: new Script(FIRST) }], SETTINGS, deps(log));
    let longest = 0;
    const looking = setInterval(() => (longest = Math.max(longest, collector.unconfirmedMs)), 10);
    await collector.run(AbortSignal.timeout(1500));
    clearInterval(looking);
    assert.ok(longest > 250, `two repetitions, after 100 and 200 ms: ${longest}`);
    assert.equal(collector.unconfirmedMs, 0);
  });

  it('W3 fenced: when another has taken over, the run ends with KAFKA_FENCED', async () => {
    const log = new MemoryLog();
    log.failures = [new KubetapeError('KAFKA_FENCED', 'another')];
    await assert.rejects(run(log, FIRST, 5000), (error: unknown) => error instanceof KubetapeError && error.code === 'KAFKA_FENCED');
    assert.deepEqual(log.messages, []);
  });

  it('W4 drained: what was observed before the signal is written before the run ends', async () => {
    const log = new MemoryLog();
    await run(log, FIRST, 30);
    assert.equal(log.said('k8s-pods').length, 6);
  });

  it('a restart goes on from the checkpoint, and knows what was said', async () => {
    const log = new MemoryLog();
    await run(log, FIRST);
    const again = await run(log, [
      { type: 'list-started', cause: 'expired', wholeUntilMs: null },
      { type: 'listed', object: object('a', 'A', 1) },
      { type: 'listed', object: object('b', 'B2', 15) },
      { type: 'list-ended', resourceVersion: '20' },
    ]);
    assert.equal(again.start?.resume, '10');
    assert.deepEqual(log.said('k8s-pods').slice(6), ['d B@15', 'c B2@15', 'd C@20', 'd D@20', 'd E@20', 'd F@20']);
    const third = await run(log, []);
    assert.equal(third.start?.resume, '20');
  });

  it('a list that was broken off gives no checkpoint: the next run lists again and repeats nothing', async () => {
    const log = new MemoryLog();
    await run(log, FIRST.slice(0, 4));
    const again = await run(log, FIRST);
    assert.deepEqual(again.start, { resume: null, cause: 'first' });
    assert.deepEqual(log.said('k8s-pods'), ['r A@1', 'r B@2', 'r C@3', 'r D@4', 'r E@5', 'c F@10']);
  });

  it('other selectors cannot go on from a checkpoint', async () => {
    const log = new MemoryLog();
    await run(log, FIRST);
    const source = new Script([]);
    await new Collector([{ track: { ...TRACK, scope: 'other' }, source }], SETTINGS, deps(log)).run(AbortSignal.timeout(50));
    assert.deepEqual(source.start, { resume: null, cause: 'scope' });
  });

  it('an epoch whose first list broke off is begun again by a list, in the same epoch, and repeats nothing', async () => {
    const log = new MemoryLog();
    await run(log, FIRST);
    const restored: readonly Observation[] = [
      { type: 'list-started', cause: 'restored', wholeUntilMs: null },
      { type: 'listed', object: object('a', 'A', 1) },
      { type: 'listed', object: object('b', 'B', 1) },
      { type: 'list-ended', resourceVersion: '5' },
    ];
    await run(log, restored.slice(0, 2));
    const again = await run(log, restored);
    assert.deepEqual(again.start, { resume: null, cause: 'restored' });
    assert.deepEqual(log.said('k8s-pods').slice(6), ['r A@1', 'r B@1', 'd C@5', 'd D@5', 'd E@5', 'd F@5']);
    assert.deepEqual([...new Set(log.epochs('k8s-pods').slice(6))], [2]);
    assert.equal((await run(log, [])).start?.resume, '5');
  });

  it('strangers that a list does not show are said to be gone, in an epoch newer than theirs', async () => {
    const log = new MemoryLog();
    await run(log, FIRST);
    const stranger = (name: string, uid: string, epoch: number): Stranger => ({ namespace: 'ns', name, uid, resourceVersion: '99', epoch });
    const audited: readonly Observation[] = [
      { type: 'list-started', cause: 'audit', wholeUntilMs: null },
      { type: 'listed', object: object('a', 'A', 1) },
      { type: 'list-ended', resourceVersion: '12' },
    ];
    await run(log, audited, 100, [stranger('a', 'A-old', 4), stranger('ghost', 'G', 7)]);
    assert.deepEqual(log.said('k8s-pods').slice(6), ['d A-old@1', 'r A@1', 'd B@12', 'd C@12', 'd D@12', 'd E@12', 'd F@12', 'd G@12']);
    assert.ok(
      log
        .epochs('k8s-pods')
        .slice(6)
        .every((epoch) => epoch > 7),
    );
  });

  it('once: the run ends when its sources do, with everything written', async () => {
    const log = new MemoryLog();
    const source: ObjectSource = {
      run: async (_resume, _cause, observe) => {
        for (const one of FIRST.slice(0, 7)) await observe(one);
      },
    };
    const endless = new AbortController().signal;
    await new Collector([{ track: TRACK, source }], { ...SETTINGS, once: true }, deps(log)).run(endless);
    assert.deepEqual(log.said('k8s-pods'), ['r A@1', 'r B@2', 'r C@3', 'r D@4', 'r E@5']);
    assert.equal((await run(log, [])).start?.resume, '9');
  });
});
