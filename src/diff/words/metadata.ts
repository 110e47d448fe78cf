/** Labels, annotations, finalizers, owners, and the begin of a deletion; of the object and of its pod template. Pure. */
import { changeOf, type Change } from '../change.ts';
import type { Difference } from '../difference.ts';
import { fieldsOf, numberOf, textOf } from '../fields.ts';
import { isNoise } from '../noise.ts';
import { inParts, present, sign, type Concern, type Pair } from './concern.ts';
import { mapWords } from './map.ts';
import { plainWords } from './plain.ts';
import { nameText } from './value.ts';

export const metadata: Concern = {
  takes: ({ path }) => placeOf(path) >= 0,
  words(taken, pair) {
    const labels: Difference[] = [];
    const others: Change[] = [];
    const gone: Difference[] = [];
    for (const difference of taken.flatMap((one) => (isWhole(one) ? inParts(one).filter((part) => !isNoise(part, pair.kind)) : [one]))) {
      const { path } = difference;
      const at = placeOf(path);
      const field = path[at + 1];
      if (path.length === at + 3 && (field === 'labels' || field === 'annotations')) labels.push(difference);
      else if (at === 0 && typeof field === 'string' && LIFE.has(field)) gone.push(difference);
      else if (field === 'finalizers' && path.length === at + 3) others.push(...memberWords('finalizer', difference, textOf));
      else if (field === 'ownerReferences' && path.length === at + 3) others.push(...memberWords('owner', difference, ownerText));
      else others.push(...plainWords([difference], 'label'));
    }
    return [...lifeWords(gone, pair), ...labelWords(labels), ...others];
  },
};

const LIFE: ReadonlySet<string> = new Set(['deletionTimestamp', 'deletionGracePeriodSeconds']);

/** The index of the segment `metadata`, -1 where the path leads elsewhere. */
function placeOf(path: Difference['path']): number {
  if (path[0] === 'metadata') return 0;
  if (path[0] !== 'spec') return -1;
  const at = path.indexOf('metadata');
  return at > 0 && path[at - 1] === 'template' && (path[at + 1] === 'labels' || path[at + 1] === 'annotations') ? at : -1;
}

const WHOLES: ReadonlySet<unknown> = new Set(['labels', 'annotations', 'finalizers', 'ownerReferences']);

function isWhole({ path }: Difference): boolean {
  return WHOLES.has(path.at(-1));
}

function lifeWords(differences: readonly Difference[], { before, after }: Pair): Change[] {
  const [first] = differences;
  if (first === undefined) return [];
  const [old, now] = [fieldsOf(before['metadata']), fieldsOf(after['metadata'])];
  const graceSeconds = numberOf(now['deletionGracePeriodSeconds']);
  if (textOf(old['deletionTimestamp']) === undefined && textOf(now['deletionTimestamp']) !== undefined) {
    const grace = graceSeconds === undefined || graceSeconds === 0 ? '' : ` (${graceSeconds} s grace)`;
    return [changeOf('existence', first, `deletion begun${grace}`)];
  }
  const earlier = numberOf(old['deletionGracePeriodSeconds']);
  // The kubelet shortens it when the containers have ended.
  if (earlier !== undefined && graceSeconds !== undefined && earlier !== graceSeconds)
    return [changeOf('existence', first, `deletion: grace ${earlier} s → ${graceSeconds} s`)];
  return plainWords(differences, 'existence');
}

const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

function labelWords(differences: readonly Difference[]): Change[] {
  const changes: Change[] = [];
  for (const [noun, wanted] of [
    ['label', (path) => path[0] === 'metadata' && path[1] === 'labels'],
    ['annotation', (path) => path[0] === 'metadata' && path[1] === 'annotations'],
    ['pod label', (path) => path[0] !== 'metadata' && path.at(-2) === 'labels'],
    ['pod annotation', (path) => path[0] !== 'metadata' && path.at(-2) === 'annotations'],
  ] as const satisfies readonly (readonly [string, (path: Difference['path']) => boolean])[]) {
    const own = differences.filter(({ path }) => wanted(path));
    const restart =
      noun === 'pod annotation' ? own.find(({ path, kind }) => path.at(-1) === RESTARTED_AT && kind !== 'removed') : undefined;
    if (restart !== undefined) changes.push(changeOf('existence', restart, 'restart asked for'));
    changes.push(
      ...mapWords(
        noun,
        'label',
        own.filter((one) => one !== restart),
      ),
    );
  }
  return changes;
}

function memberWords(noun: string, difference: Difference, text: (element: unknown) => string | undefined): Change[] {
  const name = text(present(difference));
  if (name === undefined || sign(difference) === '') return plainWords([difference], 'label');
  return [changeOf('label', difference, `${sign(difference)}${noun} ${nameText(name)}`)];
}

function ownerText(owner: unknown): string | undefined {
  const { kind, name } = fieldsOf(owner);
  return textOf(name) === undefined ? undefined : `${textOf(kind) ?? '?'}/${textOf(name)}`;
}
