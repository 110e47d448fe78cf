/**
 * JSON Schemas for kubeconform: of Kubernetes from the specification in its own module, of custom resources from their definitions.
 * In strict form: a field that is not known is wrong.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { artifact } from './artifact.mjs';
import { copyCrds, moduleSource } from './go.mjs';
import { CRDS, SCHEMAS } from './places.mjs';
import { KUBERNETES } from './versions.mjs';

const PREFIX = '#/definitions/';

export async function writeSchemas() {
  const source = moduleSource('k8s.io/kubernetes', KUBERNETES);
  await copyCrds();
  const { parse } = await import('yaml');
  await artifact(SCHEMAS, async (building) => {
    mkdirSync(building, { recursive: true });
    const { definitions } = JSON.parse(readFileSync(path.join(source, 'api', 'openapi-spec', 'swagger.json'), 'utf8'));
    const known = Object.fromEntries(Object.entries(definitions).map(([name, one]) => [name, strict(one)]));
    for (const [name, definition] of Object.entries(definitions))
      for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? [])
        write(building, fileOf(kind, group, version), { $ref: `${PREFIX}${name}`, definitions: neededBy(name, known) });
    for (const file of readdirSync(CRDS)) {
      const { spec } = parse(readFileSync(path.join(CRDS, file), 'utf8'));
      for (const { name, schema } of spec.versions)
        write(building, fileOf(spec.names.kind, spec.group, name), custom(schema.openAPIV3Schema));
    }
  });
}

function write(folder, name, schema) {
  writeFileSync(path.join(folder, name), JSON.stringify(schema));
}

/** A definition and all that it refers to. */
function neededBy(name, known, found = {}) {
  if (found[name] !== undefined) return found;
  found[name] = known[name];
  for (const [, other] of JSON.stringify(known[name]).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) neededBy(other, known, found);
  return found;
}

/** As kubeconform looks for it. */
function fileOf(kind, group, version) {
  const [first = ''] = group.split('.');
  return `${kind.toLowerCase()}${first === '' ? '' : `-${first}`}-${version}.json`;
}

/** A number where either will do; nothing besides what is named. */
function strict(node) {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== 'object' || node === null) return node;
  if (node.format === 'int-or-string') return { type: ['string', 'integer'] };
  const result = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]));
  if (
    node.type === 'object' &&
    node.properties !== undefined &&
    typeof node.properties === 'object' &&
    node.additionalProperties === undefined
  )
    result.additionalProperties = false;
  return result;
}

function custom(schema) {
  const result = strict(loosened(schema));
  // What every object has.
  result.properties = { ...result.properties, metadata: { type: 'object' } };
  return result;
}

function loosened(node) {
  if (Array.isArray(node)) return node.map(loosened);
  if (typeof node !== 'object' || node === null) return node;
  const { format: _format, 'x-kubernetes-int-or-string': either, 'x-kubernetes-preserve-unknown-fields': open, ...rest } = node;
  if (either === true) return { type: ['string', 'integer'] };
  const result = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, loosened(value)]));
  return open === true ? { ...result, additionalProperties: true } : result;
}
