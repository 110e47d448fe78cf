import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { blameLines } from '../../src/past/blame.ts';
import { manifestOf, recordedObject } from '../../src/past/manifest.ts';
import { version, recorded } from './versions.ts';

const app = (image: string, replicas: number, env: readonly string[]) => ({
  kind: 'Deployment',
  metadata: { uid: 'a', name: 'web' },
  spec: { replicas, template: { spec: { containers: [{ name: 'web', image, env: env.map((name) => ({ name, value: 'x' })) }] } } },
});

const byLine = (versions: Parameters<typeof blameLines>[0]): Record<string, string | null> =>
  Object.fromEntries(blameLines(versions).map(({ text, version: set, atBoundary }) => [text.trim(), `${atBoundary ? '^' : ''}${set.by}`]));

test('B1 last: each line has the version in which its value became what it is, elements followed by their key', () => {
  const lines = byLine([
    version(app('a:1', 1, ['A', 'B']), { op: 'c', by: 'creator' }),
    version(app('a:2', 1, ['A', 'B']), { by: 'deployer' }),
    version(app('a:2', 3, ['A', 'B']), { by: 'scaler' }),
    version(app('a:2', 3, ['NEW', 'A']), { by: 'editor' }),
    version(app('a:2', 3, ['NEW', 'A']), { by: 'nobody' }),
  ]);
  assert.equal(lines['image: a:2'], 'deployer');
  assert.equal(lines['replicas: 3'], 'scaler');
  assert.equal(lines['- name: NEW'], 'editor');
  assert.equal(lines['- name: A'], 'creator');
  assert.equal(lines['kind: Deployment'], 'creator');
  assert.ok(!Object.values(lines).includes('nobody'));
});

test('B1 last: what went and came back is set anew, and so is what became another kind of value', () => {
  const lines = byLine([
    version({ metadata: { labels: { a: 'b', keep: 'x' } }, spec: { a: 1 } }, { op: 'c', by: 'one' }),
    version({ metadata: { labels: { keep: 'x' } }, spec: { a: 1 } }, { by: 'two' }),
    version({ metadata: { labels: { a: 'b', keep: 'x' } }, spec: { a: { b: 2 } } }, { by: 'three' }),
  ]);
  assert.deepEqual([lines['a: b'], lines['keep: x'], lines['b: 2'], lines['labels:']], ['three', 'one', 'three', 'one']);
});

test('B2 bounded: what was there when the record begins says so', () => {
  const lines = byLine([
    version({ spec: { a: 1, b: 1 } }, { op: 'r', by: 'somebody' }),
    version({ spec: { a: 1, b: 2 } }, { by: 'editor' }),
  ]);
  assert.deepEqual([lines['a: 1'], lines['b: 2']], ['^somebody', 'editor']);
  assert.deepEqual(blameLines([]), []);
  assert.deepEqual(blameLines([version(null, { op: 'd' })]), []);
});

test('B3 masked: of a Secret the line tells who changed the value, and nothing else', () => {
  const secret = (hmac: string) => ({
    kind: 'Secret',
    data: { password: { redacted: true, bytes: 4, hmac }, user: { redacted: true, bytes: 1, hmac: 'u' } },
  });
  const lines = byLine([version(secret('h1'), { op: 'c', by: 'creator' }), version(secret('h2'), { by: 'rotator' })]);
  assert.deepEqual([lines['password: "***"'], lines['user: "***"']], ['rotator', 'creator']);
  assert.doesNotMatch(JSON.stringify(lines), /h1|h2|hmac/);
});

test('recorded objects: the lines are the newest state, each with a version that is there', () => {
  for (const name of ['checkout']) {
    const versions = recorded('deployments', name).filter(({ op }) => op !== 'd');
    const lines = blameLines(versions);
    assert.deepEqual(parse(lines.map(({ text }) => text).join('\n')), recordedObject(versions.at(-1)?.object ?? {}));
    assert.ok(new Set(lines.map(({ version: set }) => set.resourceVersion)).size > 5);
  }
});

test('M1 masked: what is printed of a Secret is neither a value nor a manifest that could be applied', () => {
  const secret = {
    kind: 'Secret',
    metadata: { name: 'a', uid: 'u', resourceVersion: '1', ownerReferences: [{}] },
    data: { password: 'aHVzaA==' },
  };
  assert.deepEqual(manifestOf(secret), { kind: 'Secret', metadata: { name: 'a' }, data: { password: '***' } });
  assert.deepEqual(recordedObject(secret)['data'], { password: '***' });
});
