/** docs/operations.md: what it names is there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../../scripts/setup/places.mjs';
import { ERROR_CODES } from '../../src/events/errors.ts';

const text = readFileSync(path.join(ROOT, 'docs', 'operations.md'), 'utf8');

test('its links and paths lead somewhere', () => {
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => path.join('docs', link));
  const paths = [...text.matchAll(/\b(?:manifests|scripts)\/[\w./-]*\w/g)]
    .map(([found]) => found)
    .filter((found) => !found.endsWith('secret.env'));
  assert.ok(links.length >= 10 && paths.length >= 10);
  for (const one of [...links, ...paths]) assert.ok(existsSync(path.join(ROOT, one)), one);
});

test('the values and codes that it names are known', () => {
  const values = parse(readFileSync(path.join(ROOT, 'manifests', 'helm', 'kubetape', 'values.yaml'), 'utf8')) as object;
  for (const [, name = ''] of text.matchAll(/`((?:record|topics|sink|collector|backup|tls)\.[\w.]+)[`:]/g)) {
    const found = name.split('.').reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], values);
    assert.notEqual(found, undefined, name);
  }
  for (const [, code = ''] of text.matchAll(/`([A-Z]+_[A-Z]+)`/g)) assert.ok(code.startsWith('KUBETAPE') || code in ERROR_CODES, code);
});
