/**
 * Where in an object something is: field names, and the elements of lists by what identifies them. Pure.
 *   out   `spec.template.spec.containers[web].image`, `metadata.labels["app.kubernetes.io/name"]`, `spec.ports[80/TCP]`
 */
import type { Keying } from './merge-keys.ts';

/** An element of a list. `id` is unique within the list, and made of the element's own key wherever it has one. */
export interface ElementSegment {
  readonly keying: Keying;
  readonly id: string;
}

export type Segment = string | ElementSegment;
export type Path = readonly Segment[];

/** Names that need no quotes; those of --redact's paths. */
const PLAIN = /^[A-Za-z_$][\w$/-]*$/;
/** Keys of elements may hold more, but nothing that ends them. */
const PLAIN_ID = /^[\w$/.:@=,+#*~ -]*$/;

export function pathText(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment !== 'string') text += `[${elementText(segment)}]`;
    else if (!PLAIN.test(segment)) text += `[${quoted(segment)}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return text;
}

/** A bare number is a position: a key that looks like one says whose it is. */
function elementText({ keying, id }: ElementSegment): string {
  if (keying.by === 'position') return id;
  if (!/^\d*$/.test(id)) return PLAIN_ID.test(id) ? id : quoted(id);
  return `${keying.by === 'fields' ? keying.fields.map(({ name }) => name).join('/') : ''}=${id}`;
}

/** In printable ASCII: a name from the outside must not move the cursor, nor turn the text around. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The segment's name as people say it: a field's, or the element's key. */
export function segmentText(segment: Segment | undefined): string {
  return segment === undefined ? '' : typeof segment === 'string' ? segment : segment.id;
}
