/** Which known name a mistyped one was meant to be. Pure. */

/** @returns the nearest name, or undefined where none is near enough to be meant (a third of its letters, at least two) */
export function nearest(wanted: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const edits = distance(wanted.toLowerCase(), name.toLowerCase(), least);
    if (edits < least) {
      best = name;
      least = edits;
    }
  }
  return best;
}

/** Edits (insert, delete, replace, swap of neighbours) from a to b; `enough` where it is at least that. */
function distance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, (before[j - 2] ?? 0) + 1);
      next.push(edits);
    }
    before = row;
    row = next;
  }
  return Math.min(row[b.length] ?? enough, enough);
}
