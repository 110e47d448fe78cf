/**
 * Faults of the API server and of the connection to it, each while changes go on: nothing is lost, nothing is said twice,
 * a gap is recorded where the position was lost and nowhere else, and a person sees what is wrong.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { ApiProxy, type Asked, type Where, type Wire } from '../support/api-proxy.ts';
import { PATHS, until } from '../support/kube.ts';
import { Installation, type Running } from '../support/kubetape.ts';
import { compare, compareHistory, gapsOf } from '../support/oracle.ts';
import { watchRaw } from '../support/recorder.ts';
import type { StreamWitness } from '../support/witness.ts';
import { sharedServers } from '../support/servers.ts';
import { Workload } from '../support/workload.ts';

const RESOURCES = Object.keys(PATHS);
/** Short, so that a dead connection shows soon; watches last for two thirds of it. */
const SILENCE_SECONDS = 4;

describe('faults of the API server and of the connection to it', () => {
  const seed = Number(process.env['KUBETAPE_TEST_SEED'] ?? randomInt(2 ** 31));
  const servers = sharedServers();
  const recorders: StreamWitness[] = [];
  let installation: Installation;
  let proxy: ApiProxy;
  let workload: Workload;
  let running: Running;

  before(async () => {
    installation = await Installation.create(servers.stack, 'api-server');
    proxy = await ApiProxy.start(servers.stack, installation.logs);
    await servers.kube.namespace(installation.id);
    workload = new Workload(servers.kube, installation.id, seed);
    await workload.keep();
    await workload.run(24);
    running = installation.start(['run'], {
      KUBECONFIG: proxy.kubeconfig,
      KUBETAPE_WATCH_SILENCE_SECONDS: String(SILENCE_SECONDS),
      // Pages have to be several.
      KUBETAPE_LIST_PAGE_SIZE: '1',
    });
    await running.ready();
    for (const resource of RESOURCES) recorders.push(await watchRaw(servers.kube, resource));
    console.log(`    seed ${seed}, logs in ${installation.logs}`);
  });
  after(async () => {
    for (const recorder of recorders) recorder.stop();
    await proxy.close();
    await servers.kube.call('DELETE', `/api/v1/namespaces/${installation.id}`);
    await installation.close();
  });
  afterEach(() => {
    proxy.heal();
    assert.ok(running.alive, 'the collector has ended');
  });

  const of =
    (kind: Asked['kind'], ...resources: string[]): Where =>
    (asked) =>
      asked.kind === kind && (resources.length === 0 || resources.includes(asked.resource));
  const expired = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: 'Expired',
    code: 410,
    message: 'too old resource version',
  };

  const readySays = (words: RegExp): Promise<void> =>
    until(`/ready to say ${words}`, async () => {
      const { status, text } = await running.get('/ready');
      return status === 503 && words.test(text);
    });

  async function metric(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
    const { text } = await running.get('/metrics');
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  const gapCount = async (): Promise<Record<string, number>> => {
    const rows = await installation.query<{ resource: string; count: number }>('SELECT resource, count(*)::int FROM k8s.gaps GROUP BY 1');
    return Object.fromEntries(rows.map(({ resource, count }) => [resource, count]));
  };

  /** Changes go on while `fault` does its work; afterwards everything must have arrived, and the gaps must be as told. */
  async function faulty(fault: () => Promise<void>, gaps: Readonly<Record<string, number>> = {}): Promise<void> {
    const expectedGaps = await gapCount();
    for (const [resource, more] of Object.entries(gaps)) expectedGaps[resource] = (expectedGaps[resource] ?? 0) + more;
    const load = workload.run(30);
    await fault();
    await load;
    await workload.run(6);
    await running.ready();
    for (const recorder of recorders) await compareHistory(installation, recorder, () => gapsOf(installation, recorder.resource));
    assert.deepEqual(await gapCount(), expectedGaps);
  }

  it('connections that break: it resumes where it was', async () => {
    const before = await metric('kubetape_watch_restarts_total', { cause: 'lost' });
    await faulty(async () => {
      for (let round = 0; round < 3; round += 1) {
        await until('all watches to be open', () => RESOURCES.every((resource) => proxy.open(of('watch', resource)).length === 1));
        proxy.cut(of('watch'));
        await readySays(/no answer from the API server/);
      }
    });
    assert.ok((await metric('kubetape_watch_restarts_total', { cause: 'lost' })) >= before + 3 * RESOURCES.length);
    assert.match(installation.logText(), /no answer from the API server at https:\/\/127/);
  });

  const halves = (line: string): string => line.slice(0, Math.floor(line.length / 2));
  const DAMAGES: Readonly<Record<string, readonly [string, (line: string, wire: Wire) => void, RegExp]>> = {
    'a line cut in two and a clean end': [
      'configmaps',
      (line, wire) => {
        wire.write(halves(line));
        wire.end();
      },
      /ended within a line/,
    ],
    'an end in the middle of a chunk': ['pods', (line, wire) => wire.endWithinChunk(`${line}\n${halves(line)}`), /no answer from the API/],
    'a line of garbage': [
      'secrets',
      (line, wire) => {
        wire.write('<html>502 Bad Gateway</html>\n');
        wire.write(`${line}\n`);
      },
      /is not JSON/,
    ],
    'an object that is no JSON': ['services', (line, wire) => wire.write(`${line.replace('"metadata"', 'metadata')}\n`), /is not JSON/],
    'a connection that breaks within a line': [
      'deployments',
      (line, wire) => {
        wire.write(halves(line));
        wire.cut();
      },
      /no answer from the API/,
    ],
  };
  for (const [damage, [resource, onLine, reason]] of Object.entries(DAMAGES)) {
    it(`${damage}: no line is skipped, the watch is opened anew from before it`, async () => {
      await faulty(async () => {
        const injected = proxy.inject({ where: of('watch', resource), times: 3, onLine });
        await readySays(new RegExp(`watch ${resource}"[^}]*${reason.source}`));
        await until('the fault to be met three times', () => injected.hits === 3);
      });
      assert.match(installation.logText(), reason);
    });
  }

  it('429 with Retry-After: it waits as long as it is told, and loses nothing', async () => {
    await faulty(async () => {
      const injected = proxy.inject({
        where: of('watch', 'configmaps'),
        times: 2,
        answer: () => ({ status: 429, headers: { 'retry-after': '3' } }),
      });
      await readySays(/watch configmaps"[^}]*answered 429/);
      await until('it to be met twice', () => injected.hits === 2);
    });
    const refused = proxy.asked.filter(of('watch', 'configmaps'));
    const waits = refused.map(({ atMs }, at) => atMs - (refused[at - 1]?.atMs ?? 0)).slice(1);
    assert.ok(waits.filter((ms) => ms >= 3000).length >= 2, waits.join());
    assert.match(installation.logText(), /configmaps: the API server answered 429/);
  });

  it('5xx and 401 of everything that is asked: it goes on asking, less and less often, and resumes', async () => {
    await faulty(async () => {
      const statuses = [500, 502, 503, 504, 401];
      let turn = 0;
      const injected = proxy.inject({
        where: ({ kind }) => kind !== 'other',
        answer: () => ({ status: statuses[(turn += 1) % 5] ?? 500 }),
      });
      proxy.cut(of('watch'));
      await readySays(/the API server answered 50/);
      await until('each watch to have been refused three times', () =>
        RESOURCES.every((one) => proxy.asked.filter(({ kind, resource }) => kind === 'list' && resource === one).length >= 3),
      );
      injected.lift();
    });
    assert.ok((await metric('kubetape_errors_total', { stage: 'source', code: 'KUBE_UNREACHABLE' })) > 0);
  });

  /** Keeps the watch of a resource away while changes go on, then lets it meet the fault. */
  async function away(resource: string, changes: number): Promise<() => void> {
    const held = proxy.inject({ where: of('list', resource), answer: () => ({ status: 503 }) });
    proxy.cut(of('watch', resource));
    await readySays(new RegExp(`watch ${resource}"[^}]*(answered 503|no answer)`));
    await workload.run(changes);
    return () => held.lift();
  }

  it('410 as a status: one list, one gap, and in it the net difference', async () => {
    await faulty(
      async () => {
        const back = await away('configmaps', 18);
        const injected = proxy.inject({ where: of('watch', 'configmaps'), times: 1, answer: () => ({ status: 410, body: expired }) });
        back();
        await until('the 410', () => injected.hits === 1);
      },
      { configmaps: 1 },
    );
    assert.match(installation.logText(), /listing configmaps anew: expired/);
    assert.match(installation.logText(), /configmaps could not be seen for/);
    assert.equal(await metric('kubetape_gaps_total', { resource: 'configmaps', cause: 'expired' }), 1);
    assert.equal(await metric('kubetape_relists_total', { resource: 'configmaps', cause: 'expired' }), 1);
  });

  it('410 as an event in a watch that was answered 200: the same', async () => {
    await faulty(
      async () => {
        const back = await away('pods', 18);
        const injected = proxy.inject({
          where: of('watch', 'pods'),
          times: 1,
          onLine: (_, wire) => {
            wire.write(`${JSON.stringify({ type: 'ERROR', object: expired })}\n`);
            wire.end();
          },
        });
        back();
        await until('the 410', () => injected.hits === 1);
      },
      { pods: 1 },
    );
    assert.equal(await metric('kubetape_gaps_total', { resource: 'pods', cause: 'expired' }), 1);
  });

  it('an empty 200 to a watch of Events: once it is a server that ends, twice a position that is gone', async () => {
    const empty = () => ({ status: 200 });
    await faulty(async () => {
      const injected = proxy.inject({ where: of('watch', 'events'), times: 1, answer: empty });
      await until('the empty answer', () => injected.hits === 1);
    });
    await faulty(
      async () => {
        const injected = proxy.inject({ where: of('watch', 'events'), times: 2, answer: empty });
        await until('the empty answers', () => injected.hits === 2);
      },
      { events: 1 },
    );
  });

  /** Loses the position of a resource, so that it is listed. */
  async function relist(resource: string): Promise<void> {
    const back = await away(resource, 6);
    const injected = proxy.inject({ where: of('watch', resource), times: 1, answer: () => ({ status: 410, body: expired }) });
    back();
    await until('the 410', () => injected.hits === 1);
  }

  /** Refusals in a row have made it patient. */
  const pages = (wanted: string): Promise<void> =>
    until('pages', () => proxy.asked.some(({ query, resource }) => resource === wanted && query.has('continue')), 60_000);

  it('a streaming list that is cut in the middle, twice: nothing is concluded from it; it goes on by pages', async () => {
    await faulty(
      async () => {
        let lines = 0;
        const injected = proxy.inject({
          where: of('streaming', 'secrets'),
          onLine: (line, wire) => {
            lines += 1;
            wire.write(`${line}\n`);
            if (lines % 2 === 0) wire.cut();
          },
        });
        await relist('secrets');
        await pages('secrets');
        injected.lift();
      },
      { secrets: 1 },
    );
  });

  it('an end bookmark that never comes: it goes on by pages, and deletes nothing before they are through', async () => {
    await faulty(
      async () => {
        const injected = proxy.inject({
          where: of('streaming', 'services'),
          onLine: (line, wire) => {
            if (!line.includes('k8s.io/initial-events-end')) wire.write(`${line}\n`);
          },
        });
        await relist('services');
        await readySays(/watch services"[^}]*it is being listed anew: expired/);
        await pages('services');
        injected.lift();
      },
      { services: 1 },
    );
  });

  it('a server that knows no streaming list and ignores what it does not know: it goes on by pages', async () => {
    await faulty(
      async () => {
        const injected = proxy.inject({
          where: of('streaming', 'statefulsets'),
          rewrite: (query) => {
            query.delete('sendInitialEvents');
            query.delete('resourceVersionMatch');
            // With them, a new server tells even an old client where the initial events end.
            query.delete('allowWatchBookmarks');
          },
        });
        await relist('statefulsets');
        await pages('statefulsets');
        injected.lift();
      },
      { statefulsets: 1 },
    );
  });

  it('a server that refuses streaming lists, and a continue token that expires: the list starts again with larger pages', async () => {
    await faulty(
      async () => {
        const refused = proxy.inject({ where: of('streaming', 'deployments'), answer: () => ({ status: 422 }) });
        const token = proxy.inject({
          where: (asked) => of('list', 'deployments')(asked) && asked.query.has('continue'),
          times: 1,
          answer: () => ({ status: 410, body: { ...expired, metadata: { continue: 'inconsistent' } } }),
        });
        await relist('deployments');
        await until('the token to expire', () => token.hits === 1);
        await until('larger pages', () =>
          proxy.asked.some(({ resource, query }) => resource === 'deployments' && query.get('limit') === '2'),
        );
        refused.lift();
      },
      { deployments: 1 },
    );
  });

  it('connections that are half open: it notices within the silence allowed, and resumes', async () => {
    await faulty(async () => {
      const thaw = proxy.freeze(of('watch'));
      const frozenAtMs = Date.now();
      await readySays(/was silent for 4 s/);
      assert.ok(Date.now() - frozenAtMs < 2 * SILENCE_SECONDS * 1000 + 5000, 'it took too long');
      thaw();
    });
    assert.match(installation.logText(), /was silent for 4 s/);
  });

  it('an API server that accepts connections and says nothing: /ready says so until it speaks', async () => {
    await faulty(async () => {
      const thaw = proxy.freeze(() => true);
      await readySays(/was silent for 4 s|no answer from the API server[^"]*HEADERS_TIMEOUT/);
      await readySays(/no answer from the API server[^"]*HEADERS_TIMEOUT/);
      thaw();
    });
  });

  it('after all of it: topics, histories and the present hold what an undisturbed watch saw', async () => {
    const verdicts = [];
    for (const recorder of recorders)
      verdicts.push(await compare(installation, servers.kube, recorder, () => gapsOf(installation, recorder.resource)));
    console.log(`    ${verdicts.map(({ resource, changes }) => `${resource} ${changes}`).join(', ')}`);
    for (const { resource, changes } of verdicts) assert.ok(changes > 0, `nothing happened to ${resource}`);
    assert.deepEqual(await installation.query('SELECT code, message FROM k8s.dead_letters'), []);
  });
});
