/**
 * The chart's values.yaml, read with its comments. Pure.
 *   in    the text: keys in block style; what stands on a key's own line is its default, whatever it is
 *   out   every value with its path, default, meaning and further JSON Schema
 * Invariant: each value has a meaning, from the comment above it or from what its name always means.
 */
import { parse } from 'yaml';

export interface Value {
  readonly path: readonly string[];
  readonly initial: unknown;
  readonly meaning: string;
  /** What `@schema` says of it. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** What these are is the same wherever they occur. */
const MEANINGS: Readonly<Record<string, string>> = {
  resources: 'Requests and limits.',
  podAnnotations: 'Annotations of its pods.',
  nodeSelector: 'Nodes on which it may run.',
  tolerations: 'Taints that it bears.',
  affinity: 'Affinity of its pods.',
  priorityClassName: 'Priority class of its pods.',
  size: 'Size of the volume.',
  image: 'Image.',
};

export function valuesOf(text: string): Value[] {
  const initials = parse(text) as Record<string, unknown>;
  const values: Value[] = [];
  let above: string[] = [];
  let at: string[] = [];
  for (const line of text.split('\n')) {
    const comment = /^ *# ?(.*)$/.exec(line)?.[1];
    if (comment !== undefined) {
      above.push(comment);
      continue;
    }
    const [, indent = '', key = '', rest = ''] = /^( *)(\w+):(.*)$/.exec(line) ?? [];
    if (key !== '') {
      at = [...at.slice(0, indent.length / 2), key];
      if (rest !== '') values.push(valueOf(at, initials, above));
    }
    above = [];
  }
  return values;
}

function valueOf(path: readonly string[], initials: unknown, above: readonly string[]): Value {
  const name = path.join('.');
  const schema = above.find((line) => line.startsWith('@schema '))?.slice('@schema '.length) ?? '{}';
  const words = above.filter((line) => !line.startsWith('@schema ')).join(' ');
  const meaning = words === '' ? MEANINGS[path.at(-1) ?? ''] : words;
  if (meaning === undefined) throw new Error(`values.yaml: ${name} has no comment`);
  const initial = path.reduce((node, key) => (node as Record<string, unknown>)[key], initials);
  return { path, initial, meaning, schema: JSON.parse(schema) as Record<string, unknown> };
}
