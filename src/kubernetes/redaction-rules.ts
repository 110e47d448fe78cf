/**
 * Further redaction by path: `pods:spec.containers[*].env[*].value`. Pure.
 * A path is field names joined by dots; `[*]` steps into every element of an array or every value of a map, `[3]` into
 * one element, `["a.b"]` names a field with a dot in it.
 */
import { KubetapeError } from '../events/errors.ts';

export interface RedactionRule {
  /** A resource name: `pods`, `certificates.cert-manager.io`. */
  readonly resource: string;
  readonly path: readonly string[];
}

const STEP = /\.?([A-Za-z_$][\w$/-]*)|\[(\*|\d+)\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** @throws KubetapeError CONFIG_INVALID */
export function parseRedactionRule(text: string): RedactionRule {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) {
    throw new KubetapeError('CONFIG_INVALID', `redaction rule "${text}" is not of the form resource:path`);
  }
  const source = text.slice(colon + 1);
  const path: string[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < source.length) {
    const at = STEP.lastIndex;
    const match = STEP.exec(source);
    if (match === null) {
      throw new KubetapeError('CONFIG_INVALID', `redaction rule "${text}" has no field name at "${source.slice(at)}"`);
    }
    path.push(match[1] ?? match[2] ?? JSON.parse(`"${match[3] ?? ''}"`));
  }
  return { resource: text.slice(0, colon), path };
}

/** Replaces every value that the path reaches. */
export function applyRule(rule: RedactionRule, object: unknown, redact: (value: unknown) => unknown): void {
  step(object, rule.path, 0, redact);
}

function step(node: unknown, path: readonly string[], at: number, redact: (value: unknown) => unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const name = path[at];
  if (name === undefined) return;
  const fields = node as { [field: string]: unknown };
  for (const field of name === '*' ? Object.keys(fields) : [name]) {
    if (!Object.hasOwn(fields, field)) continue;
    if (at === path.length - 1) {
      const value = fields[field];
      if (value !== null && value !== undefined) fields[field] = redact(value);
    } else step(fields[field], path, at + 1, redact);
  }
}
