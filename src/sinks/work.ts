/**
 * What one partition has to write next, in the order of offsets: a batch, the halves of one that was rejected, a dead
 * letter. Pure.
 * Invariants (test/sinks/sink.test.ts):
 *   P4 poison   of a batch that is rejected all records are written but the bad ones, and those are dead letters
 */
import type { KubetapeError } from '../events/errors.ts';
import type { DeadLetter, SourceRecord } from './ports.ts';

export type Work =
  | { readonly is: 'records'; readonly records: readonly SourceRecord[] }
  | { readonly is: 'letter'; readonly letter: DeadLetter }
  /** Nothing but the position: over what was read and is no record. */
  | { readonly is: 'position' };

export class WorkQueue {
  #work: Work[] = [];
  #bytes = 0;

  get next(): Work | undefined {
    return this.#work[0];
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param records none where only the position is to be written */
  put(records: readonly SourceRecord[], bytes: number): void {
    this.#work = [records.length === 0 ? { is: 'position' } : { is: 'records', records }];
    this.#bytes = bytes;
  }

  done(work: Work): void {
    // What was dropped meanwhile is not here any more.
    if (this.#work[0] === work) this.#work.shift();
    if (this.#work.length === 0) this.#bytes = 0;
  }

  /** @param rest what of the next work's records is not written yet */
  halve(rest: readonly SourceRecord[]): void {
    const middle = Math.ceil(rest.length / 2);
    const half = (records: readonly SourceRecord[]): Work => ({ is: 'records', records });
    this.#work.splice(0, 1, half(rest.slice(0, middle)), half(rest.slice(middle)));
  }

  bury(record: SourceRecord, failure: KubetapeError): void {
    const sqlstate = (failure.cause as { readonly sqlstate?: string } | undefined)?.sqlstate ?? null;
    this.#work[0] = { is: 'letter', letter: { record, code: failure.code, sqlstate, message: failure.message } };
  }

  /** A dead letter that is rejected itself goes without what it quotes. */
  strip({ record, ...rest }: DeadLetter): void {
    this.#work[0] = { is: 'letter', letter: { ...rest, record: { ...record, key: null, value: null, headers: {} } } };
  }

  clear(): void {
    this.#work = [];
    this.#bytes = 0;
  }
}
