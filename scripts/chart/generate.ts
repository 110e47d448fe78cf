/** What is made from the chart's values.yaml: README.md and values.schema.json. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CATALOGUE } from '../../src/config/catalogue.ts';
import { VERSION } from '../../src/config/version.ts';
import { ROOT } from '../setup/places.mjs';
import { valuesOf, type Value } from './values.ts';

export const CHART = path.join(ROOT, 'manifests', 'helm', 'kubetape');

/** @returns file → content */
export function chartFiles(): Readonly<Record<string, string>> {
  const values = valuesOf(readFileSync(path.join(CHART, 'values.yaml'), 'utf8'));
  return { 'README.md': readme(values), 'values.schema.json': `${JSON.stringify(schemaOf(values), null, 2)}\n` };
}

interface Schema {
  type?: string;
  description?: string;
  additionalProperties?: unknown;
  properties?: Record<string, Schema>;
  [word: string]: unknown;
}

/** No other value than these is let through: a misspelt one would be without effect. */
function schemaOf(values: readonly Value[]): Schema {
  const root: Schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart kubetape',
    type: 'object',
    additionalProperties: false,
    properties: {},
  };
  // Helm itself gives every chart this one.
  (root.properties ??= {})['global'] = { type: 'object' };
  for (const value of values) {
    let node = root;
    for (const key of value.path.slice(0, -1)) {
      const properties = (node.properties ??= {});
      node = properties[key] ??= { type: 'object', additionalProperties: false, properties: {} };
    }
    (node.properties ??= {})[value.path.at(-1) ?? ''] = leafOf(value);
  }
  return root;
}

function leafOf({ initial, meaning, schema: { settings, ...more } }: Value): Schema {
  const leaf: Schema = { type: typeOf(initial), description: meaning };
  if (leaf.type === 'array') leaf['items'] = { type: 'string' };
  if (settings === true) {
    // A secret has no business in a ConfigMap.
    leaf['propertyNames'] = {
      enum: CATALOGUE.filter(({ kind }) => kind.secret === undefined)
        .flatMap(({ env }) => env)
        .toSorted(),
    };
    leaf.additionalProperties = { type: ['string', 'number', 'boolean'] };
  }
  return { ...leaf, ...more };
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return 'integer';
  return value === null ? 'string' : typeof value;
}

function readme(values: readonly Value[]): string {
  const examples = readdirSync(path.join(CHART, 'examples')).toSorted();
  const about = (file: string): string =>
    readFileSync(path.join(CHART, 'examples', file), 'utf8')
      .split('\n')[0]
      ?.slice(2) ?? '';
  const sections = [...new Set(values.map(({ path: [first = ''], path: all }) => (all.length === 1 ? '' : first)))];
  return `# The chart kubetape ${VERSION}

The whole platform, or a part of it beside what is there already: collector, sinks, the jobs that set topics and schema up,
and where they are wanted Kafka, Postgres, backups, network policies, monitoring.

\`\`\`
helm install kubetape manifests/helm/kubetape -n kubetape --create-namespace \\
  --set image.repository=registry.example.com/kubetape -f manifests/helm/kubetape/examples/production.yaml
helm -n kubetape test kubetape --logs
helm -n kubetape upgrade kubetape manifests/helm/kubetape --reuse-values --set sink.autoscaling.max=20
helm -n kubetape rollback kubetape
helm -n kubetape uninstall kubetape        # disks and the Secret stay
\`\`\`

| example | what it is |
|---|---|
${examples.map((file) => `| [${file}](examples/${file}) | ${about(file)} |`).join('\n')}

Its pods are admitted where Pod Security is \`restricted\`. The manifests of \`manifests/overlays\` say the same; a test compares them.
The same values by Terraform: \`manifests/terraform\`. How it is run: \`docs/operations.md\`.

## Values
${sections.map((section) => table(section, values)).join('\n')}
This file is made from \`values.yaml\` by \`npm run chart\`.
`;
}

function table(section: string, values: readonly Value[]): string {
  const mine = values.filter(({ path: all }) => (all.length === 1 ? '' : all[0]) === section);
  const rows = mine.map(
    (value) => `| \`${value.path.join('.')}\` | ${shown(value.initial)} | ${(value.meaning + choice(value)).replaceAll('|', '\\|')} |`,
  );
  return `### ${section === '' ? 'General' : section}\n| value | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function shown(value: unknown): string {
  if (value === '') return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '{}' || text === '[]' ? '–' : `\`${text}\``;
}

function choice({ schema }: Value): string {
  const options = (schema['enum'] as unknown[] | undefined)?.filter((option) => option !== '');
  return options === undefined
    ? ''
    : ` One of ${options.map((option) => `\`${typeof option === 'string' ? option : JSON.stringify(option)}\``).join(', ')}.`;
}
