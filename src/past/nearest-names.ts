/** Which recorded objects a name was probably meant to be. Pure. */
import { nearest } from '../config/nearest.ts';
import type { ObjectName } from './ports.ts';

/** @returns the best first: those that begin with it, then those that hold it, then those that are spelt alike */
export function nearestNames(wanted: string, names: readonly ObjectName[], limit = 3): ObjectName[] {
  const begins = names.filter(({ name }) => name.startsWith(wanted) || (name.length > 3 && wanted.startsWith(name)));
  const holds = names.filter(({ name }) => name.includes(wanted));
  const alike: ObjectName[] = [];
  const left = new Map(names.map((one) => [one.name, one]));
  while (alike.length < limit) {
    const near = nearest(wanted, left.keys());
    const one = near === undefined ? undefined : left.get(near);
    if (one === undefined) break;
    alike.push(one);
    left.delete(one.name);
  }
  return [...new Set([...byLife(begins), ...byLife(holds), ...alike])].slice(0, limit);
}

/** Those that are there before those that were. */
function byLife(names: readonly ObjectName[]): ObjectName[] {
  return names.toSorted((a, b) => Number(a.deletedAtMs !== null) - Number(b.deletedAtMs !== null));
}
