/**
 * A change as people are told of it: one phrase, and what it is about. Pure.
 */
import type { Difference } from './difference.ts';
import { shownSides } from './masking.ts';
import { pathText } from './path.ts';

/** What changes are about, the most important first: the order of a summary's phrases. */
export const TOPICS = [
  'existence',
  'image',
  'replicas',
  'resources',
  'env',
  'container',
  'data',
  'service',
  'event',
  'state',
  'restarts',
  'rollout',
  'condition',
  'label',
  'rest',
] as const;

export type Topic = (typeof TOPICS)[number];

export interface Change {
  readonly topic: Topic;
  readonly kind: 'added' | 'removed' | 'changed';
  /** Where: `spec.template.spec.containers[web].image`. Of a phrase that sums up several places, the first of them. */
  readonly path: string;
  /** As they may be shown: nothing of a Secret. Undefined where there was nothing, and of an object as a whole. */
  readonly before: unknown;
  readonly after: unknown;
  /** The phrase: one line. */
  readonly words: string;
}

export function changeOf(topic: Topic, difference: Difference, words: string): Change {
  const { kind, path } = difference;
  return { topic, kind: kind === 'reordered' ? 'changed' : kind, path: pathText(path), ...shownSides(difference), words };
}
