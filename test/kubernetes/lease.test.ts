/** Who leads, over real HTTP against a server that keeps one Lease. The waits are real ones, so that the tests run side by side. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isCode } from '../../src/events/errors.ts';
import { leaseDecision, LeaderElection, type Approach, type Lease } from '../../src/kubernetes/lease.ts';
import { until } from '../support/kube.ts';
import { ScriptedServer } from './scripted-server.ts';

const leaseOf = (holderIdentity: string, resourceVersion: string): Lease => ({
  metadata: { name: 'lead', namespace: 'ns', resourceVersion },
  spec: { holderIdentity, leaseDurationSeconds: 10 },
});

/** The Lease, and what happens to it besides. */
class Scene {
  readonly server: ScriptedServer;
  readonly heard: string[] = [];
  lease: Lease | null = null;
  /** `away`: connections break. `forbidden`: Leases may not be used. */
  mood: 'well' | 'away' | 'forbidden' = 'well';
  #version = 0;

  private constructor(server: ScriptedServer) {
    this.server = server;
  }

  static async open(): Promise<Scene> {
    const server = await ScriptedServer.start(({ method, body }, reply) => {
      if (scene.mood === 'away') return reply.cut();
      if (scene.mood === 'forbidden') return reply.json({ reason: 'Forbidden', code: 403 }, 403);
      if (method === 'GET') return scene.lease === null ? reply.json({}, 404) : reply.json(scene.lease);
      const written = JSON.parse(body) as Lease;
      if (written.metadata.resourceVersion !== scene.lease?.metadata.resourceVersion) return reply.json({}, 409);
      return reply.json(scene.write(written.spec?.holderIdentity ?? ''));
    });
    const scene = new Scene(server);
    return scene;
  }

  /** As if `holder` had taken or renewed it. */
  write(holder: string): Lease {
    this.#version += 1;
    this.lease = leaseOf(holder, String(this.#version));
    return this.lease;
  }

  get holder(): string {
    return this.lease?.spec?.holderIdentity ?? '';
  }

  /** @returns what `lead` returned, or the error that ended it */
  async lead(signal: AbortSignal, approach: Approach = 'wait'): Promise<unknown> {
    const listener = {
      leading: () => void this.heard.push('leading'),
      standingBy: (holder: string) => void this.heard.push(`standing by ${holder}`),
      unavailable: () => void this.heard.push('unavailable'),
    };
    const work = (leading: AbortSignal): Promise<void> => {
      this.heard.push('working');
      return new Promise((resolve) => leading.addEventListener('abort', () => resolve(), { once: true }));
    };
    const election = new LeaderElection(this.server.client, { namespace: 'ns', name: 'lead', identity: 'me' }, listener);
    return election.lead(work, signal, approach).catch((error: unknown) => error);
  }
}

async function scene(play: (scene: Scene, stop: AbortController) => Promise<void>): Promise<void> {
  const opened = await Scene.open();
  const stop = new AbortController();
  try {
    await play(opened, stop);
  } finally {
    stop.abort();
    await opened.server.close();
  }
}

const working = (scene: Scene): Promise<void> => until('the work to begin', () => scene.heard.includes('working'));

describe('lease', { concurrency: true }, () => {
  it('it is written when nobody has it, when it is one’s own, and when nobody has renewed it for its duration', () => {
    const seen = { resourceVersion: '1', atMs: 1_000 };
    assert.equal(leaseDecision(null, 'me', seen, 1_000, 0), 'write');
    assert.equal(leaseDecision(leaseOf('', '1'), 'me', seen, 1_000, 0), 'write');
    assert.equal(leaseDecision(leaseOf('me', '1'), 'me', seen, 1_000, 0), 'write');
    assert.equal(leaseDecision(leaseOf('other', '1'), 'me', seen, 11_000, 0), 'wait');
    assert.equal(leaseDecision(leaseOf('other', '1'), 'me', seen, 11_001, 0), 'write');
  });

  it('one that has not been renewed for three durations is taken at first sight, however the clocks stand otherwise', () => {
    const seen = { resourceVersion: '1', atMs: 1_000 };
    const renewedMs = Date.parse('2026-11-21T10:00:00.000Z');
    const old = leaseOf('other', '1');
    const lease = { ...old, spec: { ...old.spec, renewTime: '2026-11-21T10:00:00.000000Z' } };
    for (const [afterMs, decision] of [
      [30_000, 'wait'],
      [30_001, 'write'],
      [-3_600_000, 'wait'],
    ] as const)
      assert.equal(leaseDecision(lease, 'me', seen, 1_000, renewedMs + afterMs), decision, `${afterMs} ms`);
  });

  it('it is let go at the end, so that the next one need not wait', async () => {
    await scene(async (on, stop) => {
      const leading = on.lead(stop.signal);
      await working(on);
      assert.equal(on.holder, 'me');
      stop.abort();
      assert.equal(await leading, true);
      assert.equal(on.holder, '');
    });
  });

  it('a leader goes on while the API server is away: nobody else could lead then either', async () => {
    await scene(async (on, stop) => {
      const leading = on.lead(stop.signal);
      await working(on);
      on.mood = 'away';
      const before = on.server.asked.length;
      // Longer than a lease lasts that nobody renews.
      const awayMs = Date.now();
      await until('it to ask for more than ten seconds', () => on.server.asked.length > before && Date.now() - awayMs > 11_000);
      on.mood = 'well';
      const { lease } = on;
      await until('it to renew', () => on.lease !== lease);
      assert.equal(on.holder, 'me');
      stop.abort();
      assert.equal(await leading, true);
    });
  });

  it('a leader stops when another one is seen to renew the lease', async () => {
    await scene(async (on, stop) => {
      const leading = on.lead(stop.signal);
      await working(on);
      const renewing = setInterval(() => on.write('other'), 500);
      const ended = await leading.finally(() => clearInterval(renewing));
      assert.ok(isCode(ended, 'LEASE_LOST'), String(ended));
      assert.equal(on.holder, 'other');
    });
  });

  it('a holder who never renews it, as a backup of etcd brings one back, ends no leader and runs out', async () => {
    await scene(async (on, stop) => {
      const leading = on.lead(stop.signal);
      await working(on);
      on.write('long gone');
      await until('it to be taken back', () => on.holder === 'me');
      stop.abort();
      assert.equal(await leading, true);
    });
  });

  it('if-free: whoever renews it is left alone; who does not is followed', async () => {
    await scene(async (on, stop) => {
      on.write('other');
      const renewing = setInterval(() => on.write('other'), 500);
      assert.equal(await on.lead(stop.signal, 'if-free').finally(() => clearInterval(renewing)), false);
      assert.deepEqual(on.heard, ['standing by other']);
    });
    await scene(async (on, stop) => {
      on.write('dead');
      const leading = on.lead(stop.signal, 'if-free');
      await working(on);
      assert.deepEqual(on.heard, ['standing by dead', 'leading', 'working']);
      stop.abort();
      assert.equal(await leading, true);
    });
  });

  it('take: from whoever has it, who stops; one who waits follows when it is free', async () => {
    await scene(async (on, stop) => {
      on.write('other');
      const leading = on.lead(stop.signal, 'take');
      await working(on);
      assert.equal(on.holder, 'me');
      stop.abort();
      assert.equal(await leading, true);
    });
    await scene(async (on, stop) => {
      on.write('other');
      const leading = on.lead(stop.signal);
      await until('it to stand by', () => on.heard.length > 0);
      on.write('');
      await working(on);
      assert.deepEqual(on.heard, ['standing by other', 'leading', 'working']);
      stop.abort();
      assert.equal(await leading, true);
    });
  });

  it('where Leases may not be used, it leads without one and says so', async () => {
    await scene(async (on, stop) => {
      on.mood = 'forbidden';
      const leading = on.lead(stop.signal);
      await working(on);
      assert.deepEqual(on.heard, ['unavailable', 'working']);
      stop.abort();
      assert.equal(await leading, true);
    });
  });
});
