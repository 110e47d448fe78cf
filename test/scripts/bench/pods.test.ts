/** Generated pods: what everything that is measured is made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { POD_BYTES, PodGenerator } from '../../../scripts/bench/pods.ts';

interface Pod {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string; readonly managedFields?: unknown[] };
}

const parsed = (bytes: Buffer): Pod => JSON.parse(bytes.toString('utf8')) as Pod;

test('P1 deterministic: the same seed gives the same bytes, another one gives others', () => {
  const [one, again, other] = [new PodGenerator(7), new PodGenerator(7), new PodGenerator(8)];
  for (let event = 0; event < 500; event += 1) {
    const pod = one.changed(event, 300);
    assert.deepEqual(pod, again.changed(event, 300));
    assert.ok(one.pod(pod).equals(again.pod(pod)));
  }
  assert.ok(!one.pod(one.listed(1)).equals(other.pod(other.listed(1))));
});

test('P2 valid: every pod is JSON of a realistic size, and is what was asked for', () => {
  const pods = new PodGenerator(1);
  for (let index = 0; index < 2_000; index += 1) {
    const wanted = index % 2 === 0 ? pods.listed(index) : pods.changed(index, 2_000);
    const bytes = pods.pod(wanted);
    assert.ok(bytes.length >= POD_BYTES.min && bytes.length <= POD_BYTES.max, `pod ${index} has ${bytes.length} bytes`);
    assert.equal(bytes.length, pods.bytesOf(wanted));
    assert.ok(!bytes.includes('~~'), 'every place was patched');
    const { kind, metadata } = parsed(bytes);
    assert.equal(kind, 'Pod');
    assert.equal(metadata.uid, pods.uidOf(wanted.index));
    assert.match(metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(metadata.resourceVersion, String(wanted.version));
    assert.ok((metadata.managedFields ?? []).length > 0);
  }
});

test('P2 valid: without managedFields they are as the collector writes them', () => {
  const pods = new PodGenerator(1, { managedFields: false });
  assert.equal(parsed(pods.pod(pods.listed(3))).metadata.managedFields, undefined);
});

test('P3 distinct: no two pods share a uid or a name', () => {
  const pods = new PodGenerator(1, { managedFields: false });
  const names = new Set<string>();
  const uids = new Set<string>();
  for (let index = 0; index < 5_000; index += 1) {
    const { metadata } = parsed(pods.pod(pods.listed(index)));
    names.add(metadata.name.slice(-7));
    uids.add(metadata.uid);
  }
  assert.equal(names.size, 5_000);
  assert.equal(uids.size, 5_000);
});

test('P1 deterministic: resourceVersions rise with every event, and begin above the list', () => {
  const pods = new PodGenerator(1);
  assert.ok(pods.listed(99).version < pods.listVersion(100) + 1);
  let before = pods.listVersion(100);
  const changed = new Set<number>();
  for (let event = 0; event < 1_000; event += 1) {
    const { version, index } = pods.changed(event, 100);
    assert.equal(version, before + 1);
    before = version;
    changed.add(index);
  }
  assert.ok(changed.size > 90, 'the changes go to nearly all of the objects');
});
