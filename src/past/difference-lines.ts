/**
 * The difference of two versions as lines. Pure.
 *   in    two versions, null where there was none
 *   out   ` spec.template.spec.containers[web]`, `-  image: …`, `+  image: …`: places, and below each what was and what is
 * Invariants (test/past/difference-lines.test.ts):
 *   F1 empty   there is no line if and only if nothing differs (nothing but noise, unless all is asked for)
 *   F2 masked  of a Secret: `*** (before)`, `*** (after)`
 */
import type { KubernetesObject } from '../events/change.ts';
import { differencesOf, type Difference } from '../diff/difference.ts';
import { textOf } from '../diff/fields.ts';
import { shownSides } from '../diff/masking.ts';
import { isNoise } from '../diff/noise.ts';
import { pathText, segmentText, type Path, type Segment } from '../diff/path.ts';
import { yamlLines } from './yaml-lines.ts';

export interface DifferenceLine {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

export function shownDifferences(before: KubernetesObject | null, after: KubernetesObject | null, all: boolean): Difference[] {
  const kind = textOf(after?.['kind']) ?? textOf(before?.['kind']) ?? '';
  return differencesOf(before ?? {}, after ?? {}).filter((difference) => all || !isNoise(difference, kind));
}

export function differenceLines(differences: readonly Difference[]): DifferenceLine[] {
  const places = new Map<string, Difference[]>();
  // As kubectl prints objects: metadata before spec before status.
  for (const difference of differences.toSorted((a, b) => byCode(segmentText(a.path[0]), segmentText(b.path[0])))) {
    const place = pathText(placeOf(difference.path));
    const here = places.get(place);
    if (here === undefined) places.set(place, [difference]);
    else here.push(difference);
  }
  const lines: DifferenceLine[] = [];
  for (const [place, here] of places) {
    if (place !== '') lines.push({ sign: ' ', text: place });
    const indent = place === '' ? '' : '  ';
    for (const difference of here) lines.push(...linesOf(difference, indent));
  }
  return lines;
}

function byCode(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where the field, or the element of a list, is. */
function placeOf(path: Path): Path {
  return path.slice(0, -1);
}

function linesOf(difference: Difference, indent: string): DifferenceLine[] {
  const { before, after } = shownSides(difference);
  const name = nameOf(difference.path.at(-1));
  if (difference.kind === 'reordered') {
    const order = (ids: unknown): string => `${indent}${name} in the order ${(ids as readonly string[]).join(', ')}`;
    return [
      { sign: '-', text: order(before) },
      { sign: '+', text: order(after) },
    ];
  }
  return [...side('-', name, before, indent), ...side('+', name, after, indent)];
}

function side(sign: '-' | '+', name: string, value: unknown, indent: string): DifferenceLine[] {
  if (value === undefined) return [];
  // The name may need quotes, and a long text its own lines: as the YAML of a map with this one field.
  if (!name.startsWith('[')) return yamlLines({ [name]: value }).map(({ text }) => ({ sign, text: `${indent}${text}` }));
  const lines = yamlLines(value);
  if (lines.length === 1 && (typeof value !== 'object' || value === null))
    return [{ sign, text: `${indent}${name}: ${lines[0]?.text ?? ''}` }];
  return [{ sign, text: `${indent}${name}:` }, ...lines.map(({ text }): DifferenceLine => ({ sign, text: `${indent}  ${text}` }))];
}

/** An element by its key: `[web]`. */
function nameOf(segment: Segment | undefined): string {
  if (segment === undefined) return '[]';
  return typeof segment === 'string' ? segment : pathText([segment]);
}
