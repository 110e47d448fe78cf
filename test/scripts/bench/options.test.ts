import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../../../scripts/bench/options.ts';

test('names, numbers and what is taken without them', () => {
  const options = parseOptions(['sink', 'capture', '--runs', '5', '--partitions', '1,12', '--events', '100']);
  assert.ok(options !== 'help');
  assert.deepEqual(options.scenarios, ['sink', 'capture']);
  assert.deepEqual([options.runs, options.events, options.objects], [5, 100, null]);
  assert.deepEqual(options.peers, []);
  assert.deepEqual(options.partitions, [1, 12]);
});

test('quick measures paths, capture and sink once, unless told otherwise', () => {
  const quick = parseOptions(['--quick']);
  assert.ok(quick !== 'help');
  assert.deepEqual([quick.scenarios, quick.runs], [['paths', 'capture', 'sink'], 1]);
  const one = parseOptions(['--quick', 'sink', '--runs', '2']);
  assert.ok(one !== 'help');
  assert.deepEqual([one.scenarios, one.runs], [['sink'], 2]);
});

test('peers: all of them, or the ones that are named', () => {
  const [all, one] = [parseOptions(['capture', '--peers']), parseOptions(['capture', '--peer', 'informer'])];
  assert.ok(all !== 'help' && one !== 'help');
  assert.deepEqual([all.peers, one.peers], [['informer', 'otel', 'debezium'], ['informer']]);
  assert.throws(() => parseOptions(['capture', '--peer', 'flink']), /there is no peer flink/);
});

test('what is wrong is named; nothing to do is a question', () => {
  assert.equal(parseOptions([]), 'help');
  assert.equal(parseOptions(['--help']), 'help');
  assert.throws(() => parseOptions(['speed']), /there is no bench speed; there are paths, capture, sink/);
  assert.throws(() => parseOptions(['sink', '--runs', 'many']), /--runs takes a whole number above zero, not "many"/);
  assert.throws(() => parseOptions(['sink', '--fast']), /--fast/);
});
