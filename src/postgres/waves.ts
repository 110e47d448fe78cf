/**
 * Splits rows into waves that one statement each can write. Pure.
 * Invariants (test/postgres/waves.test.ts):
 *   W1 rising    within a wave the versions of an object rise; what does not rise was written before, and is dropped
 *   W2 one last  exactly one row of an object in a wave is its last, the newest
 *   W3 kept      a deletion without a last state comes in a later wave than the state that it leaves standing
 */
import type { Row } from '../sinks/ports.ts';

export interface Wave {
  readonly rows: readonly Row[];
  /** Per row: is it the newest of its object in the wave? */
  readonly last: readonly boolean[];
}

export function wavesOf(rows: readonly Row[]): Wave[] {
  const waves: Wave[] = [];
  let wave: { rows: Row[]; last: boolean[] } = { rows: [], last: [] };
  /** The newest version of each object in all waves. */
  const newest = new Map<string, Row>();
  /** Where it is in the current wave. */
  let places = new Map<string, number>();
  const close = (): void => {
    if (wave.rows.length > 0) waves.push(wave);
    wave = { rows: [], last: [] };
    places = new Map();
  };
  for (const row of rows) {
    const object = `${row.uid.toLowerCase()} ${row.cluster}`;
    const before = newest.get(object);
    if (before !== undefined && !isNewer(row, before)) continue;
    const place = places.get(object);
    if (place !== undefined) {
      if (row.object === null) close();
      else wave.last[place] = false;
    }
    newest.set(object, row);
    places.set(object, wave.rows.length);
    wave.rows.push(row);
    wave.last.push(true);
  }
  close();
  return waves;
}

function isNewer(a: Row, b: Row): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  return BigInt(a.resourceVersion) > BigInt(b.resourceVersion);
}
