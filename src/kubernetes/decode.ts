/**
 * A parsed object of the API becomes an observed object: redacted, stripped of managedFields, with who and when read
 * from them first. Pure.
 */
import type { ChangeAuthor } from '../events/change.ts';
import { KubetapeError } from '../events/errors.ts';
import type { ObservedObject } from '../events/observation.ts';
import { isResourceVersion } from '../events/resource-version.ts';
import type { ResourceType } from '../events/resource.ts';
import type { Json, Redactor } from './redact.ts';
import type { ObjectText } from './stream.ts';

export interface Decoder {
  /**
   * @param text what the object was parsed from, if it is at hand
   * @throws KubetapeError KUBE_PROTOCOL: not an object with name, uid and a numeric resourceVersion
   */
  object(raw: Json, text?: ObjectText): ObservedObject;
}

/** @param resource the resource's name, by which the redactor's rules go */
export function createDecoder(type: ResourceType, resource: string, redact: Redactor): Decoder {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  return {
    object(raw, text) {
      const metadata = raw['metadata'] as Json | undefined;
      if (typeof metadata !== 'object' || metadata === null) throw notAnObject('metadata');
      const by = authorOf(metadata['managedFields']);
      delete metadata['managedFields'];
      let untouched: boolean;
      try {
        untouched = redact(raw, resource, text?.line);
      } catch (cause) {
        // Fail closed: what could not be redacted goes nowhere. The cause may quote the object.
        throw new KubetapeError('KUBE_PROTOCOL', `an object of ${resource} could not be redacted`, {
          cause: cause instanceof RangeError ? new RangeError('object nested too deeply') : undefined,
        });
      }
      const { name, uid, resourceVersion } = metadata;
      if (typeof name !== 'string') throw notAnObject('metadata.name');
      if (typeof uid !== 'string') throw notAnObject('metadata.uid');
      if (!isResourceVersion(resourceVersion)) throw notAnObject('metadata.resourceVersion');
      const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : '';
      return {
        kind: typeof raw['kind'] === 'string' ? raw['kind'] : type.kind,
        namespace,
        name,
        uid,
        resourceVersion,
        by,
        changedAtMs: changedAt(raw, metadata, by),
        // A list's items say neither what they are; in a watch they do. Both shall look the same.
        json: untouched ? (text?.objectBytes() ?? null) : null,
        object: typeof raw['kind'] === 'string' ? raw : { kind: type.kind, apiVersion, ...raw },
      };
    },
  };
}

function notAnObject(field: string): KubetapeError {
  return new KubetapeError('KUBE_PROTOCOL', `an object from the API server has no usable ${field}`);
}

/** The newest entry wins; of two in the same second the later one, as the API server appends. */
function authorOf(managedFields: unknown): ChangeAuthor | null {
  if (!Array.isArray(managedFields)) return null;
  let newest: Json | null = null;
  for (const entry of managedFields as Json[]) {
    if (typeof entry !== 'object' || entry === null) continue;
    if (newest === null || timeOf(entry) >= timeOf(newest)) newest = entry;
  }
  if (newest === null) return null;
  const time = timeOf(newest);
  const subresource = newest['subresource'];
  return {
    manager: textOf(newest['manager']),
    operation: textOf(newest['operation']),
    time: time === '' ? null : time,
    ...(typeof subresource === 'string' && subresource !== '' ? { subresource } : {}),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** RFC 3339 in UTC with seconds: the text sorts as the time does. */
function timeOf(entry: Json): string {
  return textOf(entry['time']);
}

function changedAt(raw: Json, metadata: Json, by: ChangeAuthor | null): number | null {
  const series = raw['series'] as Json | undefined;
  const candidates = [
    by?.time,
    metadata['deletionTimestamp'],
    series?.['lastObservedTime'],
    raw['eventTime'],
    metadata['creationTimestamp'],
  ];
  let newest = Number.NEGATIVE_INFINITY;
  for (const text of candidates) {
    if (typeof text !== 'string') continue;
    // A deletionTimestamp lies ahead by the grace period while the object is being deleted.
    const at = Date.parse(text);
    if (at > newest && at <= Date.now() + 1000) newest = at;
  }
  return newest === Number.NEGATIVE_INFINITY ? null : newest;
}
