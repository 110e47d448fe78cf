import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches, parseSelector } from '../../src/past/selector.ts';

const LABELS = { app: 'web', env: 'prod', 'app.kubernetes.io/name': 'shop', empty: '' };

function selects(text: string): boolean {
  const parsed = parseSelector(text);
  assert.ok('requirements' in parsed, text);
  return matches(parsed.requirements, LABELS);
}

test("L1 same: matches what the API server's selectors match", () => {
  const yes = [
    '',
    'app=web',
    'app==web',
    'app = web',
    'app!=db',
    'missing!=x',
    'env in (dev, prod)',
    'env notin (dev,test)',
    'missing notin (a)',
    'app',
    '!missing',
    'app=web,env=prod',
    'app.kubernetes.io/name=shop',
    'empty=',
    'app in (web),!gone',
  ];
  const no = [
    'app=db',
    'app!=web',
    'env in (dev)',
    'env notin (prod)',
    'missing',
    '!app',
    'app=web,env=dev',
    'missing=x',
    'missing in (a)',
    'constructor',
  ];
  for (const text of yes) assert.ok(selects(text), text);
  for (const text of no) assert.ok(!selects(text), text);
});

test('what is no selector is refused, and shown', () => {
  for (const text of ['app web', 'app=a b', 'in (a)', 'app in a', '=x', 'a=b=c', '!', 'app in (a,b c)', '-a=b']) {
    const parsed = parseSelector(text);
    assert.ok('wrong' in parsed, text);
  }
});
