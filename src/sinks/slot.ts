/** One partition of this worker: which state it is in, and what that means to whoever asks. Pure. See SPEC.md. */
import type { KubetapeError } from '../events/errors.ts';
import type { PartitionWriter } from './partition-writer.ts';
import type { TopicPartition } from './ports.ts';

export type State =
  /** Its position is being read; `error` says why that takes so long, or what was wrong with it before. */
  | { readonly is: 'searching'; readonly error: KubetapeError | null }
  /** Its position is known, and the source has to go there between two polls. */
  | { readonly is: 'found'; readonly offset: number }
  | { readonly is: 'open'; readonly writer: PartitionWriter }
  /** It is looked at again now and then: a person may have decided. */
  | { readonly is: 'refused'; readonly error: KubetapeError; readonly lookAgainMs: number };

export interface Slot {
  readonly at: TopicPartition;
  state: State;
  /** The source has it: only then can it be paused, and a pause of before would outlast the assignment. */
  given: boolean;
  /** The topic was created again while the position was being read: what was found is of the old one. */
  outdated: boolean;
}

export function newSlot(at: TopicPartition): Slot {
  return { at, state: { is: 'searching', error: null }, given: false, outdated: false };
}

export function writerIn(slot: Slot | undefined): PartitionWriter | undefined {
  return slot?.state.is === 'open' ? slot.state.writer : undefined;
}

export interface PartitionHealth extends TopicPartition {
  readonly state: State['is'];
  readonly ready: boolean;
  readonly reason: string | null;
  /** Records that are committed in Kafka and not yet in the store; null before it was looked up. */
  readonly lag: number | null;
}

export function healthOf({ at, state }: Slot, lagOf: (writer: PartitionWriter) => number | null): PartitionHealth {
  const lag = state.is === 'open' ? lagOf(state.writer) : null;
  const trouble = state.is === 'open' ? (state.writer.trouble?.error ?? null) : state.is === 'found' ? null : state.error;
  const waiting = state.is !== 'open' ? 'its position is being read' : lag === null ? 'its lag is not known yet' : null;
  const reason = trouble === null ? waiting : `${trouble.message}. ${trouble.hint}`;
  return { ...at, state: state.is, ready: reason === null, reason, lag };
}
