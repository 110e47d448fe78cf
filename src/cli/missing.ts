/** What to say of an object that is not there: what is, and since when. */
import { KubetapeError } from '../events/errors.ts';
import { nearestNames } from '../past/nearest-names.ts';
import { nameOfType } from '../past/kinds.ts';
import type { ObjectName, RecordedType } from '../past/ports.ts';
import { humanDuration, rfc3339 } from '../past/times.ts';
import type { Asking } from './asking.ts';

/** @returns the error to throw */
export async function missing(asking: Asking, type: RecordedType, name: string, at: string = ''): Promise<KubetapeError> {
  const { past, cluster, namespace, nowMs } = asking;
  const all = await past.names(type, { cluster, namespace: null });
  const where = namespace === null ? '' : ` in namespace ${namespace}`;
  const here = all.filter((one) => namespace === null || one.namespace === namespace || one.namespace === '');
  const same = all.filter((one) => one.name === name);
  const own = same.find((one) => here.includes(one));
  const message = `${nameOfType(type)} "${name}" ${own === undefined ? 'was never recorded' : 'is not there'}${where}${at}`;
  const hints = [
    ...(own?.deletedAtMs === null || own === undefined
      ? []
      : [
          `It was deleted ${humanDuration(nowMs - own.deletedAtMs)} ago (${rfc3339(own.deletedAtMs)}): ask with --at for a time before, or for its history.`,
        ]),
    ...(own === undefined ? neighbours(name, here, same, nowMs) : []),
    await rangeText(asking, type),
  ];
  return new KubetapeError('NOT_RECORDED', message, { hint: hints.join('\n') });
}

function neighbours(name: string, here: readonly ObjectName[], elsewhere: readonly ObjectName[], nowMs: number): string[] {
  if (elsewhere.length > 0) return [`It is recorded in namespace ${[...new Set(elsewhere.map(({ namespace }) => namespace))].join(', ')}.`];
  const near = nearestNames(name, here);
  if (near.length === 0) return [];
  const shown = near.map(
    (one) => `${one.name}${one.deletedAtMs === null ? '' : ` (deleted ${humanDuration(nowMs - one.deletedAtMs)} ago)`}`,
  );
  return [`Recorded are ${shown.join(', ')}.`];
}

export async function rangeText({ past, cluster }: Asking, type: RecordedType): Promise<string> {
  const began = (await past.beginning([type], cluster)).get(type.resource);
  return began === undefined ? `Nothing is recorded of ${type.resource}.` : `The record of ${type.resource} begins at ${rfc3339(began)}.`;
}

/**
 * Was anybody looking then? Of one type nothing may be recorded because there was none of it.
 * @throws KubetapeError NOT_RECORDED: the time is before the whole record
 */
export async function checkBeginning(asking: Asking, types: readonly RecordedType[], atMs: number): Promise<void> {
  const beginnings = await asking.past.beginning(asking.types, asking.cluster);
  const first = Math.min(...beginnings.values());
  if (atMs < first)
    throw new KubetapeError('NOT_RECORDED', `nothing is recorded of ${asking.cluster} before ${rfc3339(first)}`, {
      hint: `Asked was for ${rfc3339(atMs)}. Ask for a time since then.`,
    });
  for (const { resource } of types) {
    const began = beginnings.get(resource);
    if (began === undefined) asking.remark(`Nothing is recorded of ${resource}.`);
    else if (began > atMs) asking.remark(`The record of ${resource} begins at ${rfc3339(began)}.`);
  }
}
