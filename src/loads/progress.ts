/**
 * How far a file is in its topic: a record of `kubetape-loads`, written in the transaction of the records themselves.
 * So a load that was killed goes on behind the last record that is there, and one that is done does nothing. Pure.
 */
import { KubetapeError } from '../events/errors.ts';

export interface Progress {
  readonly v: 1;
  /** Records of the file that are in the topic: its first ones. */
  readonly records: number;
  readonly done: boolean;
}

export function progressKey(topic: string, sha256: string): string {
  return `${topic}:${sha256}`;
}

export function encodeProgress(records: number, done: boolean): Buffer {
  return Buffer.from(JSON.stringify({ v: 1, records, done } satisfies Progress));
}

export function decodeProgress(value: Buffer): Progress {
  const progress = JSON.parse(value.toString()) as Progress;
  if (progress.v !== 1 || !Number.isInteger(progress.records))
    throw new KubetapeError('RECORD_NEWER', 'the load was begun by a newer kubetape');
  return progress;
}
