/** The replay server: every measured byte comes from it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ReplayServer } from '../../../scripts/bench/replay.ts';

interface Line {
  readonly type: string;
  readonly object: { readonly kind: string; readonly metadata: Metadata };
}
interface Metadata {
  readonly uid?: string;
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const OBJECTS = 300;

describe('replay', () => {
  const server = new ReplayServer({ seed: 1, objects: OBJECTS, bytesPerSecond: 0 });
  let url = '';
  before(async () => {
    url = await server.listen();
  });
  after(() => server.close());

  /** The lines of a watch, until there are so many. */
  async function lines(query: string, count: number): Promise<Line[]> {
    const stop = new AbortController();
    const response = await fetch(`${url}/api/v1/pods?watch=true&timeoutSeconds=60&${query}`, { signal: stop.signal });
    assert.equal(response.status, 200);
    const found: Line[] = [];
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const parts = text.split('\n');
      text = parts.pop() ?? '';
      found.push(...parts.map((line) => JSON.parse(line) as Line));
      if (found.length >= count) break;
    }
    stop.abort();
    return found;
  }

  test('V1 complete: a streaming list is every object once, then its end bookmark', async () => {
    const found = await lines('sendInitialEvents=true', OBJECTS + 1);
    const bookmark = found.at(-1);
    assert.equal(bookmark?.type, 'BOOKMARK');
    assert.equal(bookmark?.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
    const added = found.slice(0, -1);
    assert.deepEqual(new Set(added.map(({ type }) => type)), new Set(['ADDED']));
    assert.equal(new Set(added.map(({ object }) => object.metadata.uid)).size, OBJECTS);
    const versions = added.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.ok(Math.max(...versions) < Number(bookmark?.object.metadata.resourceVersion));
  });

  test('V1 complete: pages are every object once, all of one snapshot', async () => {
    const uids = new Set<string>();
    const versions = new Set<string>();
    let token = '';
    let pages = 0;
    do {
      const response = await fetch(`${url}/api/v1/pods?limit=70${token === '' ? '' : `&continue=${token}`}`);
      const page = (await response.json()) as { metadata: Metadata; items: { metadata: Metadata }[] };
      for (const { metadata } of page.items) uids.add(metadata.uid ?? '');
      versions.add(page.metadata.resourceVersion);
      token = page.metadata.continue ?? '';
      pages += 1;
    } while (token !== '');
    assert.deepEqual([uids.size, versions.size, pages], [OBJECTS, 1, 5]);
  });

  test('V2 resumes: a watch sends every event after its resourceVersion once, in order, up to what is allowed', async () => {
    server.allow(2_000);
    const all = await lines('sendInitialEvents=true', OBJECTS + 1 + 2_000);
    const events = all.slice(OBJECTS + 1);
    assert.equal(events.length, 2_000, 'no more than is allowed');
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    const [first = 0] = versions;
    assert.deepEqual(
      versions,
      versions.map((_, at) => first + at),
    );
    const resumed = await lines(`resourceVersion=${first + 1_499}`, 500);
    assert.deepEqual(
      resumed.map(({ object }) => Number(object.metadata.resourceVersion)),
      versions.slice(1_500),
    );
    assert.equal(server.state.sent, 2_000);
  });

  test('a path that it does not know is a Status with 404, as of an API server', async () => {
    const response = await fetch(`${url}/api/v1/services`);
    assert.equal(response.status, 404);
    assert.equal(((await response.json()) as { kind: string }).kind, 'Status');
  });
});
