/**
 * Redaction: the first thing that happens to a parsed object. Pure but for HMAC.
 *   in    an object as the API server sent it; it is changed in place, nobody else has seen it yet
 *   out   the same object without any value of a Secret, without last-applied-configuration, and without whatever
 *         else the rules name
 * Invariants (test/kubernetes/redact.test.ts):
 *   S1 kind and shape  whatever says it is a Secret is treated as one: under any group and version, inside a list,
 *                      embedded in another object, or served by the resource `secrets` under any other kind
 *   S2 fail closed     a value of an unexpected type is redacted too
 *   S3 visible change  with a key, equal values have equal HMACs and different values different ones
 *   S4 idempotent      redacting twice is redacting once
 */
import { createHmac } from 'node:crypto';
import type { RedactionRule } from './redaction-rules.ts';
import { applyRule } from './redaction-rules.ts';

export interface RedactionSettings {
  /** Without a key no HMAC is written: a bare hash of a short value could be guessed. */
  readonly hmacKey: Buffer | null;
  readonly configmapData: 'redact' | 'keep';
  readonly rules: readonly RedactionRule[];
}

/** What stands in the place of a value. `bytes` is the length of the decoded value. */
export interface Redacted {
  readonly redacted: true;
  readonly bytes?: number;
  readonly hmac?: string;
}

/** @returns true when the object is certainly as it was: nothing in it was replaced or dropped */
export type Redactor = (object: Json, resource: string, text?: Buffer) => boolean;
export type Json = { [field: string]: unknown };

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
// Without the quote before them, as there are few capitals in JSON and many quotes: the search is several times as fast.
const SECRET_WORD = Buffer.from('Secret');
const CONFIGMAP_WORD = Buffer.from('ConfigMap');
const LAST_APPLIED_WORD = Buffer.from(LAST_APPLIED);

/**
 * @returns a function that redacts an object of `resource` in place. `text`, the bytes that the object was parsed
 *   from, spares a walk through objects that embed nothing.
 */
export function createRedactor(settings: RedactionSettings): Redactor {
  const secretValue = (value: unknown, encoding: 'base64' | 'utf8') => redactValue(value, encoding, settings.hmacKey);
  const keepConfigMaps = settings.configmapData === 'keep';

  const redactSecret = (object: Json): void => {
    redactMap(object, 'data', (value) => secretValue(value, 'base64'));
    redactMap(object, 'stringData', (value) => secretValue(value, 'utf8'));
  };
  const redactConfigMap = (object: Json): void => {
    redactMap(object, 'data', (value) => secretValue(value, 'utf8'));
    redactMap(object, 'binaryData', (value) => secretValue(value, 'base64'));
  };

  /** By shape. `listKind` is the kind of the list that the object lies in: items of a SecretList bear no kind. */
  const walk = (node: unknown, inherited: string, depth: number): void => {
    if (typeof node !== 'object' || node === null) return;
    if (depth > MAX_DEPTH) throw new RangeError('object nested too deeply');
    if (Array.isArray(node)) {
      for (const item of node) walk(item, inherited, depth + 1);
      return;
    }
    const object = node as Json;
    const kind = typeof object['kind'] === 'string' ? object['kind'] : inherited;
    if (kind === 'Secret') redactSecret(object);
    else if (kind === 'ConfigMap' && !keepConfigMaps) redactConfigMap(object);
    dropLastApplied(object);
    for (const [field, value] of Object.entries(object)) {
      const listOf = field === 'items' && kind.endsWith('List') ? kind.slice(0, -'List'.length) : '';
      walk(value, listOf, depth + 1);
    }
  };

  return (object, resource, text) => {
    const rules = settings.rules.filter((rule) => rule.resource === resource);
    const plain = text !== undefined && !embeds(text, resource);
    if (isResource(resource, 'secrets')) redactSecret(object);
    else if (isResource(resource, 'configmaps') && !keepConfigMaps) redactConfigMap(object);
    else if (plain && rules.length === 0) return true;
    dropLastApplied(object['metadata']);
    if (!plain) walk(object, '', 0);
    for (const rule of rules) applyRule(rule, object, (value) => secretValue(value, 'utf8'));
    return false;
  };
}

const MAX_DEPTH = 200;

/** A resource by name in any group: `secrets` and `secrets.example.org`. */
function isResource(resource: string, plural: string): boolean {
  return resource === plural || resource.startsWith(`${plural}.`);
}

/** Could there be a Secret, a ConfigMap or an applied configuration inside? Text says so faster than a walk. */
function embeds(text: Buffer, resource: string): boolean {
  if (text.indexOf(LAST_APPLIED_WORD) >= 0) return true;
  const secret = text.indexOf(SECRET_WORD);
  if (secret >= 0) return true;
  // A ConfigMap names its own kind; anything else that does may embed one.
  return resource !== 'configmaps' && text.indexOf(CONFIGMAP_WORD) >= 0;
}

function dropLastApplied(metadata: unknown): void {
  if (typeof metadata !== 'object' || metadata === null) return;
  const annotations = (metadata as Json)['annotations'];
  if (typeof annotations !== 'object' || annotations === null) return;
  if (!(LAST_APPLIED in annotations)) return;
  delete (annotations as Json)[LAST_APPLIED];
  if (Object.keys(annotations).length === 0) delete (metadata as Json)['annotations'];
}

function redactMap(object: Json, field: string, redact: (value: unknown) => Redacted): void {
  const map = object[field];
  if (map === undefined || map === null) return;
  if (typeof map !== 'object' || Array.isArray(map)) {
    object[field] = redact(map);
    return;
  }
  for (const [key, value] of Object.entries(map)) (map as Json)[key] = redact(value);
}

function redactValue(value: unknown, encoding: 'base64' | 'utf8', key: Buffer | null): Redacted {
  if (isRedacted(value)) return value;
  if (value === null || value === undefined) return { redacted: true };
  const bytes = typeof value === 'string' ? Buffer.from(value, encoding) : Buffer.from(JSON.stringify(value));
  if (key === null) return { redacted: true, bytes: bytes.length };
  return { redacted: true, bytes: bytes.length, hmac: createHmac('sha256', key).update(bytes).digest('hex') };
}

function isRedacted(value: unknown): value is Redacted {
  if (typeof value !== 'object' || value === null || (value as Json)['redacted'] !== true) return false;
  // Somebody might smuggle a value beside the mark.
  return Object.entries(value).every(
    ([field, inner]) =>
      field === 'redacted' ||
      (field === 'bytes' && typeof inner === 'number') ||
      (field === 'hmac' && typeof inner === 'string' && /^[0-9a-f]{64}$/.test(inner)),
  );
}
