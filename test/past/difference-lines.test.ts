import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceLines, shownDifferences } from '../../src/past/difference-lines.ts';
import { changesIn, RECORDED } from '../diff/fixtures.ts';

const text = (before: object | null, after: object | null, all = false): string =>
  differenceLines(shownDifferences(before as never, after as never, all))
    .map((line) => `${line.sign}${line.sign === ' ' ? '' : ' '}${line.text}`)
    .join('\n');

test('fields under their place, elements by their key, what was before what is', () => {
  const pod = (image: string, env: object[], more: object = {}) => ({
    kind: 'Pod',
    spec: { containers: [{ name: 'web', image, env, ...more }] },
  });
  assert.equal(
    text(
      pod('a:v42', [{ name: 'A', value: '1' }]),
      pod(
        'a:v43',
        [
          { name: 'A', value: '2' },
          { name: 'FEATURE_X', value: 'true' },
        ],
        { command: ['sh', '-c'] },
      ),
    ),
    ` spec.containers[web]
-   image: a:v42
+   image: a:v43
+   command:
+   - sh
+   - "-c"
 spec.containers[web].env[A]
-   value: "1"
+   value: "2"
 spec.containers[web].env
+   [FEATURE_X]:
+     name: FEATURE_X
+     value: "true"`,
  );
});

test('what came as a whole, a set, and another order', () => {
  assert.equal(text({ kind: 'X', metadata: { labels: { a: 'b' } } }, { kind: 'X', metadata: {} }), ' metadata\n-   labels:\n-     a: b');
  assert.equal(text({ spec: { names: ['a', 'b'] } }, { spec: { names: ['b', 'c'] } }), ' spec.names\n-   [a]: a\n+   [c]: c');
  assert.equal(
    text({ spec: { names: ['a', 'b'] } }, { spec: { names: ['b', 'a'] } }),
    ' spec\n-   names in the order a, b\n+   names in the order b, a',
  );
  assert.match(text(null, { kind: 'X', spec: { a: 1 } }), /^\+ kind: X\n\+ spec:\n\+   a: 1$/);
});

test('F1 empty: no line if and only if nothing but noise differs', () => {
  const object = (generation: number) => ({ kind: 'Pod', metadata: { generation }, spec: {} });
  assert.equal(text(object(1), object(2)), '');
  assert.equal(text(object(1), object(2), true), ' metadata\n-   generation: 1\n+   generation: 2');
  for (const resource of RECORDED)
    for (const { before, after } of changesIn(resource))
      assert.equal(text(before, after, true) === '', JSON.stringify(before) === JSON.stringify(after));
});

test('F2 masked: of a Secret it is seen that a value changed, and no value', () => {
  const secret = (password: string) => ({ kind: 'Secret', metadata: { name: 'a' }, data: { password } });
  assert.equal(text(secret('aHVzaA=='), secret('aHVzaDI=')), ' data\n-   password: "*** (before)"\n+   password: "*** (after)"');
  assert.doesNotMatch(text(null, secret('aHVzaA==')), /aHVzaA/);
});
