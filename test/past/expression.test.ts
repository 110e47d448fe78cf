import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCondition, type Subject } from '../../src/past/expression.ts';

const SUBJECT: Subject = {
  op: 'update',
  resource: 'deployments',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'checkout',
  by: 'helm',
  summary: 'image v42 → v43',
  synthetic: false,
  labels: { app: 'web', 'app.kubernetes.io/name': 'shop' },
  object: { spec: { replicas: 3, template: { spec: { containers: [{ name: 'web', image: 'a:v43' }] } } } },
};

function holds(text: string, subject: Subject = SUBJECT): boolean {
  const condition = parseCondition(text);
  assert.ok('test' in condition, `${text}: ${'wrong' in condition ? condition.wrong : ''}`);
  return condition.test(subject);
}

test('comparisons, patterns, and what joins them, in the usual order of precedence', () => {
  const yes = [
    'op == "update"',
    "kind == 'Deployment' && namespace != 'kube-system'",
    'op == "delete" || kind == "Deployment"',
    'op == "delete" && kind == "Pod" || name =~ "^check"',
    '!(op == "delete")',
    '!synthetic',
    'object.spec.replicas > 2 && object.spec.replicas <= 3',
    'labels.app == "web"',
    'labels["app.kubernetes.io/name"] == "shop"',
    'object.spec.template.spec.containers[0].image =~ ":v43$"',
    'summary =~ "image" && by !~ "controller"',
    'object.spec.paused == null',
    'labels.app',
    '"a" < "b"',
    'synthetic == false',
    'op=="update"&&(name=="x"||name=="checkout")',
  ];
  const no = [
    'op == "delete"',
    'object.spec.replicas > 3',
    'object.spec.gone > 0',
    'object.spec.gone < 0',
    'labels.gone',
    'synthetic',
    'name < 3',
    'op == "update" && false',
    'object.spec.replicas == "3"',
  ];
  for (const text of yes) assert.ok(holds(text), text);
  for (const text of no) assert.ok(!holds(text), text);
});

test('W1 whole: what is not understood to its end is refused, with the place', () => {
  const cases: [string, RegExp][] = [
    ['', /the end is not expected/],
    ['op ==', /the end is not expected \(character 6\)/],
    ['op = "x"', /"= "x"" \(character 3\) is not understood/],
    ['op == "x" op', /op is not expected \(character 11\)/],
    ['(op == "x"', /the end is not expected/],
    ['opp == "x"', /there is no opp \(character 1\); there are op, resource/],
    ['name =~ "["', /is no regular expression/],
    ['name =~ op', /op is not expected/],
    ['labels.', /the end is not expected/],
    ['labels[app]', /app is not expected/],
    ['op == "x', /is not understood/],
    ['op == "x" && ', /the end is not expected/],
  ];
  for (const [text, pattern] of cases) {
    const condition = parseCondition(text);
    assert.ok('wrong' in condition, text);
    assert.match(condition.wrong, pattern, text);
  }
});

test('W2 total: no text makes the parser throw, and no change the condition', () => {
  const piece = fc.constantFrom(
    'op',
    'object',
    '.',
    '[',
    ']',
    '"a"',
    '1',
    '==',
    '=~',
    '&&',
    '||',
    '!',
    '(',
    ')',
    '<',
    'labels',
    'null',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.object(), (pieces, object) => {
      const condition = parseCondition(pieces.join(' '));
      if ('test' in condition) assert.equal(typeof condition.test({ ...SUBJECT, object }), 'boolean');
    }),
    { numRuns: 2_000 },
  );
});
