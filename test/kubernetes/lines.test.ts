import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KubetapeError } from '../../src/events/errors.ts';
import { LineSplitter } from '../../src/kubernetes/lines.ts';

describe('line splitter', () => {
  it('L1 conservation: however the bytes are cut, the lines are the same', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat({ max: 30 })), (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll('\n', ' '));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = new LineSplitter();
        const seen: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const chunk = bytes.subarray(at, at + cut);
          at += chunk.length;
          for (const line of splitter.push(chunk)) seen.push(line.toString());
        }
        for (const line of splitter.push(bytes.subarray(at))) seen.push(line.toString());
        assert.deepEqual(seen, lines);
        assert.equal(splitter.pendingBytes, 0);
      }),
    );
  });

  it('L1 conservation: U+2028 and U+2029 do not end a line', () => {
    const text = `{"a":"x\u2028y\u2029z"}`;
    assert.deepEqual([...new LineSplitter().push(Buffer.from(`${text}\n`))].map(String), [text]);
  });

  it('L1 conservation: an unfinished line is counted', () => {
    const splitter = new LineSplitter();
    assert.deepEqual([...splitter.push(Buffer.from('abc'))], []);
    assert.equal(splitter.pendingBytes, 3);
  });

  it('L2 bounded: a line without an end is an error', () => {
    const splitter = new LineSplitter(10);
    assert.throws(
      () => {
        for (let i = 0; i < 3; i += 1) for (const line of splitter.push(Buffer.alloc(5, 0x61))) assert.fail(String(line));
      },
      (error: unknown) => error instanceof KubetapeError && error.code === 'KUBE_PROTOCOL',
    );
  });
});
