import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTarget, parseTargets } from '../../src/past/targets.ts';

test('types, names and both, as kubectl reads them', () => {
  assert.deepEqual(parseTargets(['pods']), { targets: [{ type: 'pods' }] });
  assert.deepEqual(parseTargets(['po,svc']), { targets: [{ type: 'po' }, { type: 'svc' }] });
  assert.deepEqual(parseTargets(['po', 'a', 'b']), {
    targets: [
      { type: 'po', name: 'a' },
      { type: 'po', name: 'b' },
    ],
  });
  assert.deepEqual(parseTargets(['po/a', 'deploy/b']), {
    targets: [
      { type: 'po', name: 'a' },
      { type: 'deploy', name: 'b' },
    ],
  });
  assert.deepEqual(parseTargets([]), { targets: [] });
  for (const words of [['po/a', 'b'], ['po/'], ['/a'], ['po/a/b'], [',']]) assert.ok('wrong' in parseTargets(words), words.join(' '));
});

test('one object, and what comes after it', () => {
  assert.deepEqual(parseTarget(['deploy/a', '1', '2']), { type: 'deploy', name: 'a', rest: ['1', '2'] });
  assert.deepEqual(parseTarget(['deploy', 'a', '1']), { type: 'deploy', name: 'a', rest: ['1'] });
  for (const words of [[], ['deploy'], ['deploy/'], ['a/b/c']]) assert.ok('wrong' in parseTarget(words), words.join(' '));
});
