import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { changeHeaders, decodeChange, encodeChange, type ChangeRecord } from '../../src/events/change.ts';
import { KubetapeError } from '../../src/events/errors.ts';

const CHANGE: Omit<ChangeRecord, 'v' | 'object'> = {
  op: 'u',
  ts: '2026-11-20T17:00:00.123Z',
  cluster: 'prod-eu',
  source: {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'checkout',
    uid: '5f0c6a3e-7f4e-4a53-9e0b-2f6f0a1b2c3d',
    resourceVersion: '48213',
    epoch: 1,
    snapshot: false,
    synthetic: false,
  },
  by: { manager: 'kubectl-client-side-apply', operation: 'Update', time: '2026-11-20T17:00:00Z' },
};

const failure = (code: string) => (error: unknown) => error instanceof KubetapeError && error.code === code;

describe('change record', () => {
  it('R1 round trip: what was encoded is decoded, whatever the object holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const json = JSON.stringify(object);
        const { objectBytes, ...record } = decodeChange(encodeChange(CHANGE, json));
        assert.deepEqual(record, { v: 1, ...CHANGE, object: JSON.parse(json) });
        assert.equal(objectBytes.toString(), json);
      }),
    );
  });

  it('R2 spliceable: a name that looks like the object field does not mislead the splice', () => {
    const source = { ...CHANGE.source, name: ',"object":{"x":1}' };
    const { objectBytes } = decodeChange(encodeChange({ ...CHANGE, source }, '{"a":1}'));
    assert.equal(objectBytes.toString(), '{"a":1}');
  });

  it('R2 spliceable: the record of another writer, fields in another order, still yields its object', () => {
    const { objectBytes } = decodeChange(Buffer.from(JSON.stringify({ object: { a: 1 }, v: 1, ...CHANGE }, null, 2)));
    assert.equal(objectBytes.toString(), '{"a":1}');
  });

  it('R3 additive: an unknown field is no error, a higher version is', () => {
    const record = JSON.parse(encodeChange(CHANGE, '{}').toString()) as object;
    assert.equal(decodeChange(Buffer.from(JSON.stringify({ future: 1, ...record }))).op, 'u');
    assert.throws(() => decodeChange(Buffer.from(JSON.stringify({ ...record, v: 2 }))), failure('RECORD_NEWER'));
  });

  it('an invalid record is refused without a word of its content', () => {
    const canary = 'hunter2';
    const bad = [
      Buffer.from(`{"v":1,"x":"${canary}`),
      Buffer.from(`"${canary}"`),
      Buffer.from('null'),
      Buffer.from(JSON.stringify({ v: 1, ...CHANGE, op: canary, object: {} })),
      Buffer.from(JSON.stringify({ v: 1, ...CHANGE, source: { ...CHANGE.source, uid: 7 }, object: {} })),
      Buffer.concat([Buffer.from('{"v":1,"object":{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}}')]),
      Buffer.alloc(0),
    ];
    for (const value of bad) {
      assert.throws(
        () => decodeChange(value),
        (error: unknown) => failure('RECORD_INVALID')(error) && !String((error as Error).stack).includes(canary),
      );
    }
  });

  it('headers repeat the routing fields as text', () => {
    assert.deepEqual(changeHeaders(CHANGE), { op: 'u', uid: CHANGE.source.uid, rv: '48213', epoch: '1' });
  });
});
