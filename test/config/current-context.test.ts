import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { currentContext } from '../../src/config/current-context.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'kubetape-context-'));
const file = (name: string, text: string): string => {
  const at = path.join(folder, name);
  writeFileSync(at, text);
  return at;
};
const one = file(
  'one',
  'current-context: prod\ncontexts:\n- name: prod\n  context: { cluster: a, namespace: shop }\n- name: dev\n  context: { cluster: b }\n',
);
const two = file('two', 'current-context: other\ncontexts:\n- name: other\n  context: { namespace: far }\n');

test('the namespace of the context, as kubectl would take it', async () => {
  assert.deepEqual(await currentContext({ kubeconfig: one }, {}), { name: 'prod', namespace: 'shop' });
  assert.deepEqual(await currentContext({ kubeconfig: one, context: 'dev' }, {}), { name: 'dev', namespace: 'default' });
  assert.deepEqual(await currentContext({}, { KUBECONFIG: [path.join(folder, 'none'), one, two].join(path.delimiter) }), {
    name: 'prod',
    namespace: 'shop',
  });
  assert.deepEqual(await currentContext({ context: 'other' }, { KUBECONFIG: [one, two].join(path.delimiter) }), {
    name: 'other',
    namespace: 'far',
  });
});

test('without a kubeconfig, or with something else in its place, it is default', async () => {
  assert.deepEqual(await currentContext({}, { HOME: folder }), { name: '', namespace: 'default' });
  for (const text of [
    '',
    '- a\n',
    'contexts: 3\ncurrent-context: [1]\n',
    '{ not yaml',
    'contexts: [null, {name: x}]\ncurrent-context: x\n',
  ])
    assert.equal((await currentContext({ kubeconfig: file('odd', text) }, {})).namespace, 'default', text);
});
