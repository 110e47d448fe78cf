/** An object that came or went, by what it is known by: `created: image checkout:v42, replicas 3`, `deleted (was Running)`. Pure. */
import type { Fields } from '../difference.ts';
import { fieldsAt, fieldsOf, listOf, numberOf, textOf } from '../fields.ts';
import { identify, keyingOf } from '../merge-keys.ts';
import { eventText } from './event.ts';
import { imageText } from './image.ts';
import { listed, nameText } from './value.ts';

/** @param how `created`; `first seen` where recording began after it; `recreated` under the same name */
export function createdText(kind: string, object: Fields, how: string): string {
  if (kind === 'Event') return eventText(object);
  const parts = identityOf(kind, object);
  return parts.length === 0 ? how : `${how}: ${parts.join(', ')}`;
}

export function deletedText(object: Fields): string {
  const phase = textOf(fieldsOf(object['status'])['phase']);
  return phase === undefined ? 'deleted' : `deleted (was ${nameText(phase)})`;
}

/** Everything but what is usual. */
function identityOf(kind: string, object: Fields): string[] {
  const spec = fieldsOf(object['spec']);
  switch (kind) {
    case 'ConfigMap':
      return keysOf(object);
    case 'Secret': {
      const type = textOf(object['type']);
      return [...(type === undefined || type === 'Opaque' ? [] : [nameText(type)]), ...keysOf(object)];
    }
    case 'Service': {
      const ports = listOf(spec['ports']);
      const names = identify(ports, keyingOf('ports', ports, ports)).map(nameText);
      const type = textOf(spec['type']);
      const name = textOf(spec['externalName']);
      return [
        ...(type === undefined ? [] : [spec['clusterIP'] === 'None' ? 'headless' : nameText(type)]),
        ...(name === undefined ? [] : [nameText(name)]),
        ...(names.length === 0 ? [] : [`port${names.length > 1 ? 's' : ''} ${listed(names)}`]),
      ];
    }
    default:
      return ofPods(kind, object, spec);
  }
}

function ofPods(kind: string, object: Fields, spec: Fields): string[] {
  const template = kind === 'Pod' ? spec : podSpecOf(spec);
  const images = listOf(template['containers']).flatMap((one) => textOf(fieldsOf(one)['image']) ?? []);
  const replicas = numberOf(spec['replicas']);
  const phase = textOf(fieldsOf(object['status'])['phase']);
  const node = kind === 'Pod' ? textOf(spec['nodeName']) : undefined;
  return [
    ...(images.length === 0 ? [] : [`image${images.length > 1 ? 's' : ''} ${listed(images.map(imageText), 3)}`]),
    ...(replicas === undefined ? [] : [`replicas ${replicas}`]),
    ...(phase === undefined || phase === 'Pending' ? [] : [nameText(phase)]),
    ...(node === undefined ? [] : [`on ${nameText(node)}`]),
  ];
}

/** A workload's, and a CronJob's. */
function podSpecOf(spec: Fields): Fields {
  const own = fieldsAt(spec, 'template', 'spec');
  return Object.keys(own).length > 0 ? own : fieldsAt(spec, 'jobTemplate', 'spec', 'template', 'spec');
}

function keysOf(object: Fields): string[] {
  const keys = ['data', 'binaryData', 'stringData'].flatMap((field) => Object.keys(fieldsOf(object[field])));
  return keys.length === 0 ? ['no keys'] : [`key${keys.length > 1 ? 's' : ''} ${listed([...new Set(keys)].map(nameText))}`];
}
