import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRedactor, type Json } from '../../src/kubernetes/redact.ts';
import { parseRedactionRule } from '../../src/kubernetes/redaction-rules.ts';

const KEY = Buffer.from('a key of the test');
const redactor = createRedactor({ hmacKey: KEY, configmapData: 'redact', rules: [] });
const CANARY = 'correct-horse-battery-staple';
const CANARY64 = Buffer.from(CANARY).toString('base64');

/** Redacts what the API would have sent, as the stream does: parsed from its own bytes. */
function redacted(object: Json, resource: string, redact = redactor): string {
  const text = Buffer.from(JSON.stringify(object));
  const parsed = JSON.parse(text.toString()) as Json;
  redact(parsed, resource, text);
  return JSON.stringify(parsed);
}

function assertClean(json: string): void {
  for (const form of [CANARY, CANARY64, encodeURIComponent(CANARY)])
    assert.ok(!json.includes(form), `found the canary in ${json.slice(0, 200)}`);
}

const secret = (extra: Json = {}): Json => ({
  kind: 'Secret',
  apiVersion: 'v1',
  metadata: { name: 's' },
  data: { password: CANARY64 },
  ...extra,
});

describe('redaction', () => {
  it('S1 kind and shape: a Secret is redacted wherever it lies and whatever serves it', () => {
    const cases: [Json, string][] = [
      [secret(), 'secrets'],
      [secret({ stringData: { password: CANARY } }), 'secrets'],
      [{ ...secret(), kind: 'Other' }, 'secrets'],
      [{ ...secret(), apiVersion: 'example.org/v2' }, 'widgets.example.org'],
      [{ metadata: {}, data: { x: CANARY64 } }, 'secrets.example.org'],
      [{ kind: 'List', items: [secret()] }, 'lists.example.org'],
      [{ kind: 'SecretList', items: [{ metadata: {}, data: { x: CANARY64 } }] }, 'lists.example.org'],
      [{ kind: 'Template', spec: { objects: [{ deep: secret() }] } }, 'templates.example.org'],
      [{ kind: 'ConfigMap', data: { x: CANARY } }, 'configmaps'],
      [{ kind: 'ConfigMap', binaryData: { x: CANARY64 } }, 'configmaps'],
      [{ kind: 'Bundle', spec: { one: { kind: 'ConfigMap', data: { x: CANARY } } } }, 'bundles.example.org'],
      [{ kind: 'ConfigMapList', items: [{ data: { x: CANARY } }] }, 'bundles.example.org'],
    ];
    for (const [object, resource] of cases) assertClean(redacted(object, resource));
  });

  it('S1 kind and shape: last-applied-configuration is dropped from everything, embedded or not', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret({ data: { p: CANARY } })), keep: 'me' };
    const json = redacted({ kind: 'Pod', metadata: { annotations }, spec: { template: { metadata: { annotations } } } }, 'pods');
    assertClean(json);
    assert.ok(!json.includes('last-applied'));
    assert.ok(json.includes('"keep":"me"'));
    const paged: Json = { metadata: { annotations: { ...annotations } } };
    redactor(paged, 'pods');
    assertClean(JSON.stringify(paged));
  });

  it('S2 fail closed: values of unexpected types are redacted too', () => {
    for (const data of [
      CANARY,
      [CANARY],
      { a: { b: CANARY } },
      { a: [CANARY] },
      { a: { redacted: true, value: CANARY } },
      { ['__proto__']: CANARY },
    ]) {
      assertClean(redacted(JSON.parse(JSON.stringify({ ...secret(), data })) as Json, 'secrets'));
    }
    assertClean(redacted(JSON.parse(`{"kind":"Secret","data":{"__proto__":"${CANARY64}"}}`) as Json, 'secrets'));
  });

  it('S3 visible change: equal values have equal HMACs, different values different ones, and lengths are of the decoded value', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const mark = (value: string) => {
          const parsed = JSON.parse(redacted(secret({ data: { x: Buffer.from(value).toString('base64') } }), 'secrets')) as {
            data: { x: { bytes: number; hmac: string; redacted: true } };
          };
          return parsed.data.x;
        };
        assert.equal(mark(a).hmac === mark(b).hmac, a === b);
        assert.equal(mark(a).bytes, Buffer.byteLength(a));
      }),
    );
  });

  it('S3 visible change: without a key no HMAC is written', () => {
    const plain = createRedactor({ hmacKey: null, configmapData: 'redact', rules: [] });
    assert.deepEqual(JSON.parse(redacted(secret(), 'secrets', plain)).data, { password: { redacted: true, bytes: CANARY.length } });
  });

  it('S4 idempotent: redacting twice is redacting once', () => {
    const once = redacted(secret(), 'secrets');
    assert.equal(redacted(JSON.parse(once) as Json, 'secrets'), once);
  });

  it('ConfigMaps are kept in clear on demand, Secrets never', () => {
    const keep = createRedactor({ hmacKey: KEY, configmapData: 'keep', rules: [] });
    assert.ok(redacted({ kind: 'ConfigMap', data: { a: 'clear' } }, 'configmaps', keep).includes('clear'));
    assertClean(redacted(secret(), 'secrets', keep));
  });

  it('what is not secret stays as it was', () => {
    const pod: Json = {
      kind: 'Pod',
      metadata: { name: 'p', annotations: { a: 'b' } },
      spec: { volumes: [{ secret: { secretName: 'Secret' } }], data: { kind: 'x' } },
    };
    assert.deepEqual(JSON.parse(redacted(pod, 'pods')), pod);
  });

  it('rules redact by path, for their resource only', () => {
    const rules = ['pods:spec.containers[*].env[*].value', 'pods:metadata.annotations["example.org/token"]'].map(parseRedactionRule);
    const redact = createRedactor({ hmacKey: null, configmapData: 'redact', rules });
    const pod: Json = {
      metadata: { annotations: { 'example.org/token': CANARY, 'example.org/other': 'x' } },
      spec: {
        containers: [
          {
            env: [
              { name: 'A', value: CANARY },
              { name: 'B', valueFrom: {} },
            ],
          },
        ],
      },
    };
    const json = redacted(pod, 'pods', redact);
    assertClean(json);
    assert.ok(json.includes('"example.org/other":"x"'));
    assert.ok(redacted(pod, 'podtemplates', redact).includes(CANARY));
  });

  it('a rule that cannot be read is refused', () => {
    for (const bad of ['pods', ':a.b', 'pods:', 'pods:a..b', 'pods:a[', 'pods:a[*'])
      assert.throws(() => parseRedactionRule(bad), /redaction rule/);
  });
});
