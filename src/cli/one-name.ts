/** The versions of one name, for the verbs that are about one object. */
import type { Asking } from './asking.ts';
import { invalid, typeOf } from './asking.ts';
import { missing } from './missing.ts';
import { parseTarget } from '../past/targets.ts';
import type { Incarnation, RecordedType } from '../past/ports.ts';

export interface OneName {
  readonly type: RecordedType;
  readonly name: string;
  readonly namespace: string;
  /** Of all objects that have had the name, the newest first. */
  readonly incarnations: readonly Incarnation[];
  readonly uids: readonly string[];
}

export interface Wanted {
  readonly type: string;
  readonly name: string;
  readonly rest: readonly string[];
}

/** @throws KubetapeError QUESTION_INVALID */
export function wantedOf(words: readonly string[]): Wanted {
  const parsed = parseTarget(words);
  if ('wrong' in parsed) throw invalid(parsed.wrong);
  return parsed;
}

/** @throws KubetapeError NOT_RECORDED, QUESTION_INVALID: the name is in several namespaces */
export async function oneName(asking: Asking, wanted: Wanted): Promise<OneName> {
  const type = typeOf(wanted.type, asking.types);
  const incarnations = await asking.past.incarnations(type, asking, wanted.name);
  const [newest] = incarnations;
  if (newest === undefined) throw await missing(asking, type, wanted.name);
  const namespaces = [...new Set(incarnations.map(({ namespace }) => namespace))];
  if (namespaces.length > 1) throw invalid(`${wanted.name} is in several namespaces: ${namespaces.join(', ')}`, 'Say which with -n.');
  return { type, name: wanted.name, namespace: newest.namespace, incarnations, uids: incarnations.map(({ uid }) => uid) };
}
