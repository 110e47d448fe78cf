import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { applyDifferences } from '../../src/diff/apply.ts';
import { differencesOf } from '../../src/diff/difference.ts';
import { pathText } from '../../src/diff/path.ts';
import { sameValue } from '../../src/diff/same-value.ts';
import { changesIn, RECORDED } from './fixtures.ts';
import { json, mutated, object } from './random-objects.ts';

const seed = fc.integer({ min: 0, max: 2 ** 31 });
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

/** Applies, and sees to it that nothing given was touched. */
function assertExact(before: unknown, after: unknown): void {
  const [beforeText, afterText] = [JSON.stringify(before), JSON.stringify(after)];
  const differences = differencesOf(before, after);
  const applied = applyDifferences(before, differences);
  assert.deepStrictEqual(applied, after);
  assert.equal(JSON.stringify(before), beforeText);
  assert.equal(JSON.stringify(after), afterText);
  assert.equal(differences.length === 0, sameValue(before, after));
}

function nested(depth: number, inner: unknown): unknown {
  let value = inner;
  for (let at = 0; at < depth; at += 1) value = at % 2 === 0 ? [value] : { a: value };
  return value;
}

const shown = (before: unknown, after: unknown): string[] =>
  differencesOf(before, after).map(({ kind, path }) => `${kind} ${pathText(path)}`);

describe('differences', () => {
  it('D1 exact: applied to the old they give the new, for every change of every recorded object', () => {
    let count = 0;
    for (const resource of RECORDED) {
      const changes = changesIn(resource);
      for (const { before, after } of changes) {
        assertExact(before, after);
        count += 1;
      }
      // And from any version to any other.
      for (const [at, { version }] of changes.entries())
        assertExact(version.object, changes[(at * 7 + 3) % changes.length]?.version.object);
    }
    assert.ok(count > 100);
  });

  it('D1 exact: for random changes of recorded objects', () => {
    const versions = RECORDED.flatMap((resource) => changesIn(resource).map(({ version }) => version.object));
    fc.assert(
      fc.property(fc.nat(versions.length - 1), seed, fc.integer({ min: 1, max: 30 }), (at, from, changes) =>
        assertExact(versions[at], mutated(versions[at], from, changes)),
      ),
      { numRuns: 500 },
    );
  });

  it('D1 exact: for any JSON and what random changes make of it', () => {
    fc.assert(
      fc.property(json.value, seed, (value, from) => {
        const before = plain(value);
        assertExact(before, plain(mutated(before, from)));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(json.value, json.value, (before, after) => assertExact(plain(before), plain(after))),
      { numRuns: 1000 },
    );
  });

  it('D1 exact: a difference of another value is refused', () => {
    const differences = differencesOf({ a: { b: 1 } }, { a: { b: 2 } });
    assert.throws(() => applyDifferences({ a: 1 }, differences), TypeError);
    assert.throws(() => applyDifferences(['x'], differencesOf(['a', 'b'], ['b', 'a'])), TypeError);
  });

  it('D2 minimal: elements are matched by their keys, wherever they stand', () => {
    const one = {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '1', env: [{ name: 'X', value: '1' }] },
      ],
    };
    const other = {
      containers: [
        {
          name: 'b',
          image: '2',
          env: [
            { name: 'W', value: '0' },
            { name: 'X', value: '1' },
          ],
        },
        { name: 'a', image: '1' },
      ],
    };
    assert.deepEqual(shown(one, other), [
      'changed containers[b].image',
      'added containers[b].env[W]',
      'reordered containers[b].env',
      'reordered containers',
    ]);
    assert.deepEqual(shown({ args: ['a', 'b', 'c'] }, { args: ['a', 'c', 'd'] }), ['removed args[b]', 'added args[d]']);
    assert.deepEqual(shown({ stages: [{ w: 1 }, { w: 2 }] }, { stages: [{ w: 1 }, { w: 3 }, { w: 4 }] }), [
      'changed stages[1].w',
      'added stages[2]',
    ]);
    assert.deepEqual(shown({ a: { redacted: true, bytes: 1, hmac: 'x' } }, { a: { redacted: true, bytes: 2, hmac: 'y' } }), ['changed a']);
    assert.deepEqual(shown({ a: {} }, { a: [] }), ['changed a']);
    assert.deepEqual(shown(null, {}), ['changed ']);
  });

  it('D2 minimal: the order of fields means nothing', () => {
    fc.assert(
      fc.property(json.value, (value) => {
        const text = JSON.stringify(value);
        const reversed = JSON.parse(text, (_, inner: unknown) =>
          typeof inner === 'object' && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).toReversed())
            : inner,
        ) as unknown;
        assert.deepEqual(differencesOf(plain(value), reversed), []);
      }),
    );
  });

  it('D3 bounded, V1 any depth: nesting deeper than the call stack', () => {
    for (const depth of [99, 100, 101, 250, 200_000]) {
      const [one, same, other] = [1, 1, 2].map((leaf) => nested(depth, { leaf }));
      assert.ok(sameValue(one, same) && !sameValue(one, other));
      assert.deepEqual(differencesOf(one, same), []);
      const differences = differencesOf(one, other);
      assert.equal(differences.length, 1);
      assert.ok(sameValue(applyDifferences(one, differences), other));
    }
  });

  it('D3 bounded: a hundred thousand fields and elements', () => {
    const startedMs = performance.now();
    const keys = (value: number): [string, unknown][] => Array.from({ length: 100_000 }, (_, at) => [`k${at}`, at + value]);
    const [before, after] = [Object.fromEntries(keys(0)), Object.fromEntries(keys(1))];
    assert.equal(differencesOf(before, after).length, 100_000);
    assertExact(Object.values(before), Object.values(after).toReversed());
    assertExact(
      { env: keys(0).map(([name, value]) => ({ name, value })) },
      {
        env: keys(1)
          .map(([name, value]) => ({ name, value }))
          .toReversed(),
      },
    );
    assert.ok(performance.now() - startedMs < 30_000);
  });

  it('D4 marked: what lies below the data of a Secret says so, and no path leads into a value', () => {
    const secret = (data: unknown): object => ({ items: [{ kind: 'Secret', data, metadata: { name: 'x' } }] });
    const differences = differencesOf(
      secret({ list: ['canary'], map: { canary: 1 }, same: '1' }),
      secret({ list: ['other'], map: {}, same: '1', more: ['canary'] }),
    );
    assert.deepEqual(
      differences.map(({ kind, path, secret: isSecret }) => [kind, pathText(path), isSecret]),
      [
        ['changed', 'items[0].data.list', true],
        ['changed', 'items[0].data.map', true],
        ['added', 'items[0].data.more', true],
      ],
    );
    for (const [before, after] of [
      [secret(['canary']), secret(['other'])],
      [secret({ a: 'canary' }), secret('canary')],
      [secret(undefined), secret({ a: 'canary' })],
      [
        { kind: 'SecretList', items: [{ data: { a: 'canary' } }] },
        { kind: 'SecretList', items: [] },
      ],
      [
        { kind: 'Other', stringData: { a: 'x' } },
        { kind: 'Secret', stringData: { a: 'canary' } },
      ],
    ] as const) {
      const found = differencesOf(plain(before), plain(after)).filter(({ path }) => path.at(-1) !== 'kind');
      assert.ok(found.length > 0);
      for (const { secret: isSecret, path } of found) assert.ok(isSecret && !pathText(path).includes('canary'), JSON.stringify(before));
    }
  });

  it('D4 marked: a set whose elements embed Secrets names none of their values', () => {
    const source = (value: string): object => ({ sources: [{ kind: 'Secret', data: { a: value } }] });
    assert.deepEqual(
      differencesOf(source('canary'), source('other')).map(({ path, secret }) => [pathText(path), secret]),
      [['sources["{kind:Secret}"].data.a', true]],
    );
  });
});

describe('paths', () => {
  it('are printable, and say which element they mean', () => {
    const object = (value: unknown): object => ({
      metadata: { labels: { 'app.kubernetes.io/name': value, 'a]"b': value, 'line\nbreak\u202e': value } },
      spec: { ports: [{ port: 80, targetPort: value }], containers: [{ name: '7', image: value }], stages: [{ w: value }], args: [value] },
    });
    assert.deepEqual(
      differencesOf(object('1'), object('2')).map(({ path }) => pathText(path)),
      [
        'metadata.labels["app.kubernetes.io/name"]',
        'metadata.labels["a]\\"b"]',
        'metadata.labels["line\\nbreak\\u202e"]',
        'spec.ports[80/TCP].targetPort',
        'spec.containers[name=7].image',
        'spec.stages[0].w',
        'spec.args[=1]',
        'spec.args[=2]',
      ],
    );
  });

  it('are printable whatever the names', () => {
    fc.assert(
      fc.property(object, seed, (value, from) => {
        for (const { path } of differencesOf(value, mutated(value, from))) assert.match(pathText(path), /^[ -~]*$/);
      }),
    );
  });
});
