/** SPEC.md is true: its tables are read, and every cell of them is tried. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { ERROR_CODES, KubetapeError, type ErrorCode } from '../../src/events/errors.ts';
import { Assignment } from '../../src/sinks/assignment.ts';
import { remedyOf, STOPPED_MS } from '../../src/sinks/decisions.ts';
import { Fetching } from '../../src/sinks/fetching.ts';
import { PartitionWriter } from '../../src/sinks/partition-writer.ts';
import { Positions } from '../../src/sinks/positions.ts';
import { changeValue, FakeLog, FakeStore, recordingTelemetry, until } from './fakes.ts';

const SPEC = readFileSync(new URL('../../src/sinks/SPEC.md', import.meta.url), 'utf8');
const AT = { topic: 'k8s-pods', partition: 0 };
const LIMITS = { maxRows: 10, maxBytes: 1 << 20, maxWaitMs: 0 };

const ended = new AbortController();
after(() => ended.abort());

/** Rows by their first cell, cells by the head of their column. */
function table(name: string): Map<string, Map<string, string>> {
  const [, text = ''] = new RegExp(`<!-- ${name}:begin -->\\n([\\s\\S]*?)<!-- ${name}:end -->`).exec(SPEC) ?? [];
  const [head = [], , ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(rows.map((cells) => [cells[1] ?? '', new Map(head.slice(2, -1).map((column, at) => [column, cells[at + 2] ?? '']))]));
}

class Rig {
  readonly log = new FakeLog();
  readonly store = new FakeStore();
  readonly assignment: Assignment;
  #nowMs = 0;
  readonly #clock = { now: () => this.#nowMs, date: Date.now, random: () => 0.5 };
  /** Opens the way to the position. */
  answer: () => void = () => undefined;

  constructor() {
    const telemetry = recordingTelemetry();
    this.log.append(
      AT.topic,
      AT.partition,
      [1, 2, 3].map((n) => changeValue({ resourceVersion: n })),
    );
    this.assignment = new Assignment({
      source: this.log,
      positions: new Positions(this.log, this.store, telemetry),
      fetching: new Fetching(this.log, 1 << 20),
      telemetry,
      clock: this.#clock,
      newWriter: (at, offset) => new PartitionWriter(at, 'changes', offset, this.store, LIMITS, telemetry, this.#clock),
      ended: ended.signal,
    });
  }

  get state(): string {
    return this.assignment.health(() => 0)[0]?.state ?? 'gone';
  }

  get writer(): PartitionWriter {
    const writer = this.assignment.writerOf(AT);
    assert.ok(writer !== undefined);
    return writer;
  }

  async open(): Promise<void> {
    await this.log.start([AT.topic], {
      assigned: (partitions) => this.assignment.assigned(partitions, async () => undefined),
      revoked: (partitions) => this.assignment.revoked(partitions, 100),
    });
    await until(() => this.state === 'open');
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** From here on positions are not answered before `answer`. */
  hold(): void {
    const gate = Promise.withResolvers<void>();
    this.store.readGate = gate.promise;
    this.answer = gate.resolve;
  }

  storeAt(nextOffset: number): void {
    this.store.positions.set(`${AT.topic} ${AT.partition}`, { ...AT, nextOffset, topicId: null });
  }

  wait(ms: number): void {
    this.#nowMs += ms;
  }
}

const REACH: Readonly<Record<string, (rig: Rig) => Promise<void>>> = {
  open: (rig) => rig.open(),
  searching: async (rig) => {
    await rig.open();
    rig.hold();
    rig.assignment.recreated(AT.topic);
  },
  found: async (rig) => {
    await rig.open();
    rig.assignment.recreated(AT.topic);
    await until(() => rig.state === 'found');
  },
  refused: async (rig) => {
    await rig.open();
    rig.storeAt(900);
    rig.assignment.outOfRange();
    await until(() => rig.state === 'refused');
    rig.hold();
  },
};

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const HAPPENS: Readonly<Record<string, (rig: Rig) => Promise<void> | void>> = {
  'its position is read, and the log holds it': (rig) => rig.answer(),
  'its position is read, and the log lacks it': (rig) => {
    rig.storeAt(900);
    rig.answer();
  },
  'its position cannot be read': (rig) => {
    rig.store.position = () => Promise.reject(new KubetapeError('POSTGRES_UNREACHABLE', 'gone'));
    rig.answer();
  },
  'the source goes there': (rig) => rig.assignment.reposition(),
  'the source cannot go there yet': (rig) => {
    rig.log.seek = () => Promise.reject(new KubetapeError('KAFKA_FAILED', 'not yet'));
    return rig.assignment.reposition();
  },
  'the topic is created again': (rig) => {
    rig.hold();
    rig.assignment.recreated(AT.topic);
  },
  'the source wants something that the log lacks': (rig) => {
    rig.hold();
    rig.assignment.outOfRange();
  },
  'its writer is fenced': async (rig) => {
    rig.hold();
    rig.storeAt(2);
    rig.writer.add({ ...AT, offset: 0, key: null, value: changeValue({ resourceVersion: 1 }), timestampMs: 0, headers: {} });
    await rig.writer.write();
    await rig.assignment.reposition();
  },
  'the log has lost what its writer wants': (rig) => rig.assignment.refuse(rig.writer, new KubetapeError('OFFSET_LOST', 'gone')),
  'ten seconds pass': (rig) => {
    rig.wait(STOPPED_MS);
    return rig.assignment.reposition();
  },
  'it is taken away': (rig) => rig.assignment.revoked([AT], 100),
};

describe('SPEC.md of the sink', () => {
  const transitions = table('transitions');

  it('has a row for all that can happen, and a cell for every state', () => {
    assert.deepEqual([...transitions.keys()].toSorted(), Object.keys(HAPPENS).toSorted());
    for (const row of transitions.values()) assert.deepEqual([...row.keys()].toSorted(), Object.keys(REACH).toSorted());
  });

  for (const [what, row] of transitions) {
    for (const [from, to] of row) {
      if (to === '–') continue;
      it(`${from}: ${what} → ${to}`, async () => {
        const rig = new Rig();
        await REACH[from]?.(rig);
        assert.equal(rig.state, from);
        await HAPPENS[what]?.(rig);
        await settle();
        assert.equal(rig.state, to);
      });
    }
  }

  it('has the remedy for every error, whatever is left of the batch', () => {
    const remedies = table('remedies');
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const passes = ERROR_CODES[code].retryable ? 'any other that can pass' : 'any other that cannot pass';
      const row = remedies.get(`\`${code}\``) ?? remedies.get(passes);
      for (const [left, records] of [
        ['several', 2],
        ['one', 1],
        ['none', 0],
      ] as const) {
        assert.equal(remedyOf(new KubetapeError(code, ''), records, 1, () => 0.5).do, row?.get(left), `${code}, ${left}`);
      }
    }
  });

  it('names tests that are there', () => {
    const named = [...SPEC.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, file = '']) => file);
    assert.ok(named.length > 10);
    for (const file of named) assert.ok(existsSync(new URL(`../../${file}`, import.meta.url)), `${file} is not there`);
  });
});
