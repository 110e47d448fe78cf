/**
 * What a sink does next: pure decisions, so that the loops around them stay short.
 * Invariants (test/sinks/decisions.test.ts):
 *   D1 no silent jump  a position that the log does not hold is refused, with what to do
 *   D2 total           every error has exactly one remedy
 */
import { KubetapeError } from '../events/errors.ts';
import { backoffMs, type Backoff } from '../flow/backoff.ts';
import type { Position, TopicPartition } from './ports.ts';

/** What becomes of a partition when it is assigned. */
export type Start =
  | { readonly do: 'initialise'; readonly position: Position }
  | { readonly do: 'resume'; readonly offset: number }
  | { readonly do: 'refuse'; readonly error: KubetapeError };

/** The offsets that the log holds: first, and one after the last. */
export interface Held {
  readonly low: number;
  readonly high: number;
}

/** @param stored what the store knows of the partition */
export function startOf(at: TopicPartition, stored: Position | null, held: Held, topicId: string | null): Start {
  const { topic, partition } = at;
  if (stored === null) return { do: 'initialise', position: { topic, partition, nextOffset: held.low, topicId } };
  const { nextOffset } = stored;
  if (stored.topicId !== null && topicId !== null && stored.topicId !== topicId) {
    const message = `${topic} was deleted and created again since offset ${nextOffset} was written`;
    const forget = `DELETE FROM k8s.sink_offsets WHERE topic = '${topic}';`;
    const hint = `What was not written of the old topic is lost to the history. To go on with all that the new one holds: ${forget}`;
    return { do: 'refuse', error: new KubetapeError('OFFSET_LOST', message, { hint }) };
  }
  if (nextOffset > held.high) {
    const why = 'the topic was created again, or the database belongs to another Kafka';
    return refuse(
      at,
      held.low,
      `${topic}/${partition} ends at offset ${held.high}, but the database has it up to ${nextOffset}: ${why}`,
      '',
    );
  }
  if (nextOffset < held.low) {
    const why = `${held.low - nextOffset} offsets were deleted by retention before they were written`;
    const lost = 'The changes in them are lost to the history; the present is mended by the next change of each object.';
    return refuse(
      at,
      held.low,
      `${topic}/${partition} begins at offset ${held.low}, but the database expects ${nextOffset} next: ${why}`,
      lost,
    );
  }
  // A position from before the topic's id was known learns it now.
  if (stored.topicId === null && topicId !== null) return { do: 'initialise', position: { topic, partition, nextOffset, topicId } };
  return { do: 'resume', offset: nextOffset };
}

function refuse({ topic, partition }: TopicPartition, low: number, message: string, consequence: string): Start {
  const update = `UPDATE k8s.sink_offsets SET next_offset = ${low}, topic_id = NULL WHERE topic = '${topic}' AND partition = ${partition};`;
  const hint = `${consequence} To go on anyway: ${update}`.trim();
  return { do: 'refuse', error: new KubetapeError('OFFSET_LOST', message, { hint }) };
}

/** What becomes of a batch that the store did not take. */
export type Remedy =
  /** Try the same again after a while. */
  | { readonly do: 'wait'; readonly ms: number }
  /** Halve the batch: some record of it is not to be had. */
  | { readonly do: 'halve' }
  /** It is this record: set it aside. */
  | { readonly do: 'bury' }
  /** Read the position again: it is not what it was. */
  | { readonly do: 'reposition' }
  /** A person has to do something; look again after a while. */
  | { readonly do: 'stop'; readonly ms: number };

const BACKOFF: Backoff = { baseMs: 200, capMs: 10_000 };
/** How often to look whether a person has mended what waiting does not. */
export const STOPPED_MS = 10_000;

/**
 * @param records of the batch; 0 when all that is left of it is a dead letter
 * @param attempt 1-based count of failures in a row
 * @param random in [0, 1)
 */
export function remedyOf(error: KubetapeError, records: number, attempt: number, random: () => number): Remedy {
  if (error.code === 'ROW_REJECTED' && records > 0) return records > 1 ? { do: 'halve' } : { do: 'bury' };
  if (error.code === 'OFFSET_FENCED') return { do: 'reposition' };
  if (!error.retryable) return { do: 'stop', ms: STOPPED_MS };
  return { do: 'wait', ms: backoffMs(BACKOFF, attempt, random) };
}
