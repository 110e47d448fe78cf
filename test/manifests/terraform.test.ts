/** The Terraform module, read by a parser of its language: what refers to something refers to what is there. Applied: `npm run prove -- terraform`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { CHART } from '../../scripts/chart/generate.ts';
import { valuesOf } from '../../scripts/chart/values.ts';
import { onDemand } from '../../scripts/setup/on-demand.mjs';
import { ROOT } from '../../scripts/setup/places.mjs';

const MODULE = path.join(ROOT, 'manifests', 'terraform');

interface Configuration {
  readonly variable?: Readonly<
    Record<string, readonly { readonly description?: string; readonly type?: string; readonly default?: unknown }[]>
  >;
  readonly module?: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly output?: Readonly<Record<string, readonly { readonly description?: string }[]>>;
  readonly resource?: Readonly<Record<string, unknown>>;
  readonly locals?: readonly Readonly<Record<string, unknown>>[];
}

describe('the Terraform module', () => {
  let parser: string;
  let text: string;
  let merged: Configuration;

  before(async () => {
    parser = await onDemand('hcl2json');
    const files = readdirSync(MODULE).filter((name) => name.endsWith('.tf'));
    assert.deepEqual(files.toSorted(), ['main.tf', 'outputs.tf', 'variables.tf', 'versions.tf']);
    text = files.map((name) => readFileSync(path.join(MODULE, name), 'utf8')).join('\n');
    merged = parsed(text);
  });

  function parsed(input: string): Configuration {
    const { status, stdout, stderr } = spawnSync(parser, [], { input, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Configuration;
  }

  it('every variable has a type, a description and a use; every one that is used is there', () => {
    const variables = Object.entries(merged.variable ?? {});
    assert.ok(variables.length >= 15);
    for (const [name, [facts]] of variables) {
      assert.ok(facts?.description !== undefined && facts.type !== undefined && 'default' in facts, name);
      const uses = [...text.matchAll(new RegExp(`var\\.${name}\\b`, 'g'))].length;
      const own = [...JSON.stringify(facts).matchAll(new RegExp(`var\\.${name}\\b`, 'g'))].length;
      assert.ok(uses > own, `${name} is used`);
    }
    const declared = new Set(variables.map(([name]) => name));
    for (const [, name = ''] of text.matchAll(/\bvar\.(\w+)/g)) assert.ok(declared.has(name), name);
    for (const [name, [output]] of Object.entries(merged.output ?? {})) assert.ok(output?.description !== undefined, name);
  });

  it('what it hands to the chart are values of the chart', () => {
    const known = new Set(valuesOf(readFileSync(path.join(CHART, 'values.yaml'), 'utf8')).map(({ path: at }) => at.join('.')));
    const values = (merged.locals ?? []).find((locals) => locals['values'] !== undefined)?.['values'] ?? assert.fail();
    const leaves = (node: unknown, at: readonly string[]): string[] =>
      typeof node === 'object' && node !== null && !Array.isArray(node)
        ? Object.entries(node).flatMap(([key, value]) => leaves(value, [...at, key]))
        : [at.join('.')];
    const handed = leaves(values, []);
    // Objects of Terraform's types: their fields are named as the chart's values are.
    const objects: Readonly<Record<string, readonly string[]>> = { image: ['repository', 'tag'], 'sink.autoscaling': ['min', 'max'] };
    for (const value of handed) {
      for (const name of objects[value]?.map((field) => `${value}.${field}`) ?? [value]) assert.ok(known.has(name), name);
    }
    assert.ok(handed.length > 12);
  });

  it('the examples hand over variables of the module, and the chart is where it is looked for', () => {
    const declared = new Set(Object.keys(merged.variable ?? {}));
    for (const name of readdirSync(path.join(MODULE, 'examples'))) {
      const example = parsed(readFileSync(path.join(MODULE, 'examples', name, 'main.tf'), 'utf8'));
      const [call] = example.module?.['kubetape'] ?? assert.fail(name);
      const { source, ...given } = call ?? {};
      assert.equal(source, '../..');
      for (const variable of Object.keys(given)) assert.ok(declared.has(variable), `${name}: ${variable}`);
    }
    assert.equal(path.join(MODULE, '..', 'helm', 'kubetape'), CHART);
    assert.match(text, /"\$\{path\.module\}\/\.\.\/helm\/kubetape"/);
  });
});
