import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { yamlLines, yamlText } from '../../src/past/yaml-lines.ts';
import { RECORDED, versionsOf } from '../diff/fixtures.ts';

function same(value: unknown, text: string): void {
  for (const version of ['1.1', '1.2'] as const)
    assert.deepEqual(parse(text, { version, schema: version === '1.1' ? 'yaml-1.1' : 'core' }), value, `${version}:\n${text}`);
}

test('the form is that of kubectl: sorted fields, lists not indented, text of several lines as such', () => {
  const object = {
    spec: { containers: [{ name: 'web', args: ['-c', 'a\nb\n'], env: [] }], labels: {} },
    kind: 'Pod',
    apiVersion: 'v1',
    data: { 'run.sh': '#!/bin/sh\n\nexit 0\n', on: 'yes', ip: '10.0.0.1', memory: '512Mi' },
  };
  assert.equal(
    yamlText(object),
    `apiVersion: v1
data:
  ip: 10.0.0.1
  memory: 512Mi
  "on": "yes"
  run.sh: |
    #!/bin/sh

    exit 0
kind: Pod
spec:
  containers:
  - args:
    - "-c"
    - |
      a
      b
    env: []
    name: web
  labels: {}
`,
  );
  same(object, yamlText(object));
});

test('Y1 same: words and numbers of any YAML stay the strings that they are', () => {
  const hard = [
    'yes',
    'No',
    'on',
    'off',
    'y',
    'null',
    '~',
    'true',
    '1',
    '1e3',
    '0x10',
    '010',
    '1_000',
    '1:30',
    '190:20:30',
    '.5',
    '.inf',
    '-.INF',
    '.nan',
    '2026-11-20',
    '2026-11-20T10:05:00Z',
    '=',
    '<<',
    '- a',
    '? a',
    'a: b',
    'a #b',
    ' a',
    'a ',
    '',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '{a}',
    '[a]',
    '*a',
    '&a',
    '!a',
    '"a"',
    "'a'",
    'a\tb',
    'a\u0000b',
    'a\u2028b',
    '\ufeffa',
    'é',
    '😀',
    'a\r\nb',
    '\n',
    '\n\n',
    'a\n',
    'a\n\n',
    '\na',
    ' a\nb',
    'a \nb',
    '\ta\nb',
    'a\n\n\nb',
    'a\n b\n',
    '#a\nb',
    'null\n',
    '1.0',
    '+1',
    '0b1',
    '0o7',
    '1.2.3.4',
    '10%',
    '12345678-1234-1234-1234-123456789012',
    '1e345678-1234-1234-1234-123456789012',
    '100m',
    'sha256:abc',
    'key:',
    '- ',
    '---',
    '...',
    '--- a',
    '\u007f',
    '\u0085',
    '\u00a0',
  ];
  for (const text of hard) {
    same({ [text]: text, list: [text, [text], { [text]: text }] }, yamlText({ [text]: text, list: [text, [text], { [text]: text }] }));
    same(text, yamlText(text));
  }
});

test('Y1 same, Y2 printed: any JSON value', () => {
  const key = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
        fc.boolean(),
        fc.constant(null),
      ),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      const text = yamlText(value);
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      same(JSON.parse(JSON.stringify(value)) as unknown, text);
    }),
    { numRuns: 500 },
  );
});

test('each line knows its place, and recorded objects come back as they are', () => {
  for (const resource of RECORDED)
    for (const { object } of versionsOf(resource)) {
      const lines = yamlLines(object);
      same(JSON.parse(JSON.stringify(object)), lines.map(({ text }) => text).join('\n'));
      for (const { path } of lines)
        assert.notEqual(
          path.reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], object),
          undefined,
        );
    }
});
