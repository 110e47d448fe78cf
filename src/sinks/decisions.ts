/** What a sink does next: pure decisions, so that the loops around them stay short. */
import { KubetapeError } from '../events/errors.ts';
import type { Position, TopicPartition } from './ports.ts';

/** What becomes of a partition when it is assigned. */
export type Start =
  | { readonly do: 'initialise'; readonly position: Position }
  | { readonly do: 'resume'; readonly offset: number }
  | { readonly do: 'refuse'; readonly error: KubetapeError };

/**
 * @param stored what the store knows of the partition
 * @param held the offsets that the log holds: first, and one after the last
 */
export function startOf(
  partition: TopicPartition,
  stored: Position | null,
  held: { readonly low: number; readonly high: number },
  topicId: string | null,
): Start {
  const { topic, partition: number } = partition;
  if (stored === null) return { do: 'initialise', position: { topic, partition: number, nextOffset: held.low, topicId } };
  const { nextOffset } = stored;
  const again = (offset: number): string =>
    `To go on anyway: UPDATE k8s.sink_offsets SET next_offset = ${offset}, topic_id = NULL WHERE topic = '${topic}' AND partition = ${number};`;
  if (stored.topicId !== null && topicId !== null && stored.topicId !== topicId) {
    return refuse(
      `${topic} was deleted and created again since offset ${nextOffset} was written`,
      `Its old records are gone. ${again(held.low)}`,
    );
  }
  if (nextOffset > held.high) {
    return refuse(
      `${topic}/${number} ends at offset ${held.high}, but the database has it up to ${nextOffset}: the topic was created again, or the database belongs to another Kafka`,
      again(held.low),
    );
  }
  if (nextOffset < held.low) {
    return refuse(
      `${topic}/${number} begins at offset ${held.low}, but the database expects ${nextOffset} next: ${held.low - nextOffset} offsets were deleted by retention before they were written`,
      `The changes in them are lost to the history; the present is mended by the next change of each object. ${again(held.low)}`,
    );
  }
  return { do: 'resume', offset: nextOffset };
}

function refuse(message: string, hint: string): Start {
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

const BACKOFF_BASE_MS = 100;
const BACKOFF_CAP_MS = 10_000;
const STOPPED_MS = 15_000;

/**
 * @param attempt 1-based count of failures in a row
 * @param random in [0, 1)
 */
export function remedyOf(error: KubetapeError, records: number, attempt: number, random: () => number): Remedy {
  if (error.code === 'ROW_REJECTED') return records > 1 ? { do: 'halve' } : { do: 'bury' };
  if (error.code === 'OFFSET_FENCED') return { do: 'reposition' };
  if (!error.retryable) return { do: 'stop', ms: STOPPED_MS };
  const whole = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(attempt - 1, 10));
  return { do: 'wait', ms: Math.round(whole * (0.5 + 0.5 * random())) };
}
