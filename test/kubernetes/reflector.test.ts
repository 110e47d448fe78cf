/** The loop around the machine, over real HTTP against a server that says what real ones say rarely. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Observation } from '../../src/events/observation.ts';
import { createDecoder } from '../../src/kubernetes/decode.ts';
import { createRedactor } from '../../src/kubernetes/redact.ts';
import { Reflector } from '../../src/kubernetes/reflector.ts';
import { type ReflectorListener, type ReflectorOptions } from '../../src/kubernetes/reflector-options.ts';
import type { Scope } from '../../src/kubernetes/scope.ts';
import { until } from '../support/kube.ts';
import { ScriptedServer, type Answerer } from './scripted-server.ts';

const TYPE = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const SCOPE: Scope = { type: TYPE, resource: 'configmaps', namespace: '', labelSelector: '', fieldSelector: '' };
const OPTIONS: ReflectorOptions = { pageSize: 2, watchSeconds: [300, 600], silenceMs: 150_000, endBookmarkMs: 30_000, random: () => 0 };

const object = (name: string, rv: number) => ({
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', uid: name.toUpperCase(), resourceVersion: String(rv) },
});
const event = (type: string, name: string, rv: number) => ({ type, object: object(name, rv) });
const bookmark = (rv: number) => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(rv) } } });
const endBookmark = (rv: number) => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: String(rv), annotations: { 'k8s.io/initial-events-end': 'true' } } },
});
const listAt = (rv: number, items: object[] = [], token = '') => ({ metadata: { resourceVersion: String(rv), continue: token }, items });

interface Run {
  readonly server: ScriptedServer;
  readonly observations: Observation[];
  /** What the listener heard, in order. */
  readonly heard: string[];
}

/** Runs a reflector until `done`, against `answer`. */
async function reflect(
  resume: string | null,
  answer: Answerer,
  done: (run: Run) => boolean,
  options: Partial<ReflectorOptions> = {},
): Promise<Run> {
  const server = await ScriptedServer.start(answer);
  const observations: Observation[] = [];
  const heard: string[] = [];
  const listener: ReflectorListener = {
    state: (state) => heard.push(state),
    answered: () => heard.push('answered'),
    listed: () => undefined,
    relist: (cause) => heard.push(`relist ${cause}`),
    watchEnded: ({ how }) => heard.push(`ended ${how}`),
    failed: ({ error }) => heard.push(`failed ${error.message}`),
  };
  const decoder = createDecoder(TYPE, 'configmaps', createRedactor({ hmacKey: null, configmapData: 'keep', rules: [] }));
  const reflector = new Reflector(server.client, SCOPE, decoder, listener, { ...OPTIONS, ...options });
  const stop = new AbortController();
  const run = { server, observations, heard };
  const running = reflector.run(resume, 'first', (one) => void observations.push(one), stop.signal);
  try {
    await until('the course of the reflector', () => done(run));
  } catch (error) {
    throw new Error(`${server.steps.join(' ')}; ${heard.join(', ')}`, { cause: error });
  } finally {
    stop.abort();
    await running;
    await server.close();
  }
  return run;
}

const told = (observations: readonly Observation[]): string[] =>
  observations.map((one) => {
    if (one.type === 'list-started') return `started ${one.cause}`;
    if (one.type === 'list-ended' || one.type === 'bookmark') return `${one.type} ${one.resourceVersion}`;
    return `${one.type} ${one.object.name}@${one.object.resourceVersion}`;
  });

describe('reflector', () => {
  it('a first list is streamed, and its stream left where nothing is known of bookmarks; a later one goes on as the watch', async () => {
    let watches = 0;
    const { server, observations } = await reflect(
      null,
      ({ step }, reply) => {
        if (step === 'list') reply.events(event('ADDED', 'a', 5), event('ADDED', 'b', 3), endBookmark(9));
        else if (step === 'probe') reply.json(listAt(20));
        else if ((watches += 1) === 1) reply.events(event('MODIFIED', 'a', 10), bookmark(12), { type: 'ERROR', object: { code: 410 } });
      },
      ({ observations: all }) => told(all).filter((one) => one === 'list-ended 9').length === 2,
    );
    // The server's second list is older than the position, which is told apart below; here it is enough that it is a list.
    assert.deepEqual(server.steps.slice(0, 3), ['list', 'watch', 'list']);
    assert.equal(server.asked[1]?.query.get('resourceVersion'), '9');
    assert.deepEqual(told(observations).slice(0, 6), [
      'started first',
      'listed a@5',
      'listed b@3',
      'list-ended 9',
      'modified a@10',
      'bookmark 12',
    ]);
  });

  it('M3: a watch that the server ends is followed by a probe, and by a list as restored where resourceVersions went back', async () => {
    let probes = 0;
    const { observations, server } = await reflect(
      '100',
      ({ step }, reply) => {
        if (step === 'probe') reply.json(listAt((probes += 1) === 1 ? 100 : 50));
        if (step === 'watch' && probes === 1) {
          reply.events(event('ADDED', 'a', 101));
          setTimeout(() => reply.end(), 1100);
        }
        if (step === 'list') reply.events(event('ADDED', 'a', 40), endBookmark(50));
      },
      ({ observations: all }) => told(all).includes('list-ended 50'),
    );
    assert.deepEqual(server.steps.slice(0, 4), ['probe', 'watch', 'probe', 'list']);
    assert.deepEqual(told(observations), ['added a@101', 'started restored', 'listed a@40', 'list-ended 50']);
  });

  it('M3: a streaming list that ends below the position is not concluded; everything is listed as restored', async () => {
    const { observations, heard } = await reflect(
      '100',
      ({ step }, reply) => {
        if (step === 'probe') reply.json(listAt(100));
        if (step === 'watch') reply.json({ reason: 'Expired', code: 410 }, 410);
        if (step === 'list') reply.events(event('ADDED', 'a', 40), endBookmark(50));
      },
      ({ observations: all }) => told(all).includes('list-ended 50'),
    );
    assert.deepEqual(told(observations).slice(0, 5), [
      'started expired',
      'listed a@40',
      'started restored',
      'listed a@40',
      'list-ended 50',
    ]);
    assert.ok(heard.some((one) => /failed.*resourceVersion 50, and 100 was reached before/.test(one)));
  });

  it('M3: pages below the position show nothing at all; everything is listed as restored', async () => {
    const { observations } = await reflect(
      '100',
      ({ step }, reply) => {
        if (step === 'probe') reply.json(listAt(100));
        if (step === 'watch') reply.json({ reason: 'Expired', code: 410 }, 410);
        if (step === 'list') reply.json({}, 422);
        if (step === 'page') reply.json(listAt(50, [object('a', 40)]));
      },
      ({ observations: all }) => told(all).includes('list-ended 50'),
    );
    assert.deepEqual(told(observations).slice(0, 5), [
      'started expired',
      'started expired',
      'started restored',
      'listed a@40',
      'list-ended 50',
    ]);
  });

  it('R1 whole: what came before a damaged line is kept, and the watch is opened anew from there', async () => {
    for (const damage of [
      '{"type":"MODIFIED","obj',
      'garbage\n',
      '{"type":"SURPRISE","object":{}}\n',
      '{"type":"ADDED"}\n',
      '{"type":"ADDED","object":{}}\n',
    ]) {
      const { server, observations } = await reflect(
        '100',
        ({ step, query }, reply) => {
          if (step === 'probe') reply.json(listAt(101));
          else if (query.get('resourceVersion') === '100') {
            reply.hang(`${JSON.stringify(event('ADDED', 'a', 101))}\n${damage}`);
            reply.end();
          } else reply.events(event('MODIFIED', 'a', 102));
        },
        ({ observations: all }) => all.length === 2,
      );
      assert.deepEqual(told(observations), ['added a@101', 'modified a@102'], damage);
      assert.deepEqual(server.steps, ['probe', 'watch', 'probe', 'watch'], damage);
    }
  });

  it('R2 rising: an event or a bookmark that goes back is another history, and neither is handed on', async () => {
    for (const back of [event('DELETED', 'a', 101), event('MODIFIED', 'b', 99), bookmark(100)]) {
      const { server, observations } = await reflect(
        '100',
        ({ step, query }, reply) => {
          if (step === 'probe') reply.json(listAt(101));
          else if (query.get('resourceVersion') === '100') reply.events(event('ADDED', 'a', 101), back);
          else reply.events(event('MODIFIED', 'a', 102));
        },
        ({ observations: all }) => all.length === 2,
      );
      assert.deepEqual(told(observations), ['added a@101', 'modified a@102']);
      assert.deepEqual(server.steps, ['probe', 'watch', 'probe', 'watch']);
    }
  });

  it('changes among the initial events: what a deletion takes back cannot be told, so that the list goes on by pages', async () => {
    for (const type of ['MODIFIED', 'DELETED']) {
      const { observations } = await reflect(
        null,
        ({ step, query }, reply) => {
          if (step === 'list') reply.events(event('ADDED', 'a', 5), event(type, 'a', 6), endBookmark(9));
          if (step === 'page')
            reply.json(query.has('continue') ? listAt(9, [object('c', 4)]) : listAt(9, [object('a', 6), object('b', 2)], 'more'));
        },
        ({ observations: all }) => told(all).includes('list-ended 9'),
      );
      assert.deepEqual(told(observations), [
        'started first',
        'listed a@5',
        'started first',
        'listed a@6',
        'listed b@2',
        'listed c@4',
        'list-ended 9',
      ]);
    }
  });

  it('R3 awake: an answer that stops in the middle holds up neither probe nor page nor refusal', async () => {
    const hung = { probe: 0, watch: 0, page: 0 };
    const { heard } = await reflect(
      '100',
      ({ step }, reply) => {
        if (step === 'probe' && (hung.probe += 1) === 1) reply.hang('{"metadata":');
        else if (step === 'probe') reply.json(listAt(100));
        else if (step === 'watch') {
          if ((hung.watch += 1) === 1) reply.hang('{"reason":', 503);
          else reply.json({ reason: 'Expired' }, 410);
        } else if (step === 'list') reply.json({}, 400);
        else if ((hung.page += 1) === 1) reply.hang('{"metadata":{"resourceVersion":"200"},"items":[');
        else reply.json(listAt(200));
      },
      ({ observations: all }) => told(all).includes('list-ended 200'),
      { silenceMs: 1000 },
    );
    const failures = heard.filter((one) => /failed (no answer.*BODY_TIMEOUT|.*was silent for 1 s)/.test(one));
    assert.equal(failures.length, 3, heard.join());
  });

  it('R3 awake: a quiet watch without bookmarks ends before its silence means anything; one that is dead does not', async () => {
    let watches = 0;
    const { server, heard } = await reflect(
      '100',
      ({ step, query }, reply) => {
        if (step === 'probe') reply.json(listAt(100));
        else {
          reply.events();
          const ms = Number(query.get('timeoutSeconds')) * 1000;
          // As the API server does; the third time the connection is dead.
          if ((watches += 1) <= 2) setTimeout(() => reply.end(), ms);
        }
      },
      ({ heard: all }) => all.some((one) => one.startsWith('failed')),
      { silenceMs: 3000 },
    );
    assert.deepEqual(
      server.asked.filter(({ step }) => step === 'watch').map(({ query }) => query.get('timeoutSeconds')),
      ['2', '2', '2'],
    );
    assert.deepEqual(
      heard.filter((one) => one.startsWith('failed')),
      ['failed the watch of /api/v1/configmaps was silent for 3 s'],
    );
  });

  it('with bookmarks, watches last as long as they are asked to', async () => {
    const { server } = await reflect(
      '100',
      ({ step, query }, reply) => {
        if (step === 'probe') reply.json(listAt(101));
        else if (query.get('resourceVersion') === '100') {
          reply.events(bookmark(101));
          setTimeout(() => reply.end(), 1100);
        } else reply.events(bookmark(102));
      },
      ({ observations: all }) => all.length === 2,
    );
    assert.deepEqual(
      server.asked.filter(({ step }) => step === 'watch').map(({ query }) => query.get('timeoutSeconds')),
      ['100', '300'],
    );
  });

  it('R4 honest: a list that breaks off does not move the moment up to which everything was seen', async () => {
    let lists = 0;
    const { observations } = await reflect(
      '100',
      ({ step }, reply) => {
        if (step === 'probe') reply.json(listAt(100));
        if (step === 'watch') reply.events(event('ADDED', 'a', 101), { type: 'ERROR', object: { code: 410 } });
        if (step === 'list') {
          lists += 1;
          reply.events(event('ADDED', 'a', 101));
          if (lists === 1) reply.cut();
          else reply.events(endBookmark(110));
        }
      },
      ({ observations: all }) => told(all).includes('list-ended 110'),
    );
    const whole = observations.filter((one) => one.type === 'list-started').map(({ wholeUntilMs }) => wholeUntilMs);
    assert.equal(whole.length, 2);
    assert.equal(whole[0], whole[1]);
  });

  it('R5 heard: a watch counts as watching once the server has said yes', async () => {
    let watches = 0;
    const { heard } = await reflect(
      '100',
      ({ step }, reply) => {
        if (step === 'probe') reply.json(listAt(100));
        else if ((watches += 1) <= 2) reply.json({ message: 'not now' }, 503);
        else reply.events(event('ADDED', 'a', 101));
      },
      ({ observations: all }) => all.length === 1,
    );
    const watching = heard.indexOf('watching');
    assert.equal(heard.filter((one) => one.startsWith('failed')).length, 2);
    assert.ok(heard.findLastIndex((one) => one.startsWith('failed')) < watching, heard.join());
    assert.equal(heard[watching - 1], 'answered');
  });

  it('whatever a server has against a streaming list, pages are asked for', async () => {
    const { server } = await reflect(
      null,
      ({ step }, reply) => {
        // An etcd that is too old for progress notifications.
        if (step === 'list') reply.events({ type: 'ERROR', object: { code: 500, message: 'RequestWatchProgress is disabled' } }).end();
        if (step === 'page') reply.json(listAt(9));
      },
      ({ observations: all }) => told(all).includes('list-ended 9'),
    );
    assert.deepEqual(server.steps.slice(0, 2), ['list', 'page']);
  });
});
