/** What befalls Postgres: the sinks wait, say why, and go on; nothing is lost, nothing is in the tables twice. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Stack } from '../../scripts/stack/stack.ts';
import { FLOODED, flooded, type Flooded } from '../support/flooded.ts';
import { until } from '../support/kube.ts';
import type { Running } from '../support/kubetape.ts';
import { times } from '../support/length.ts';
import { metric } from '../support/metrics.ts';
import { ownStack } from '../support/stack.ts';
import { seeded } from '../support/workload.ts';

const NAME = 'the sink of this test';

describe('Postgres in trouble', () => {
  let stack: Stack;
  /** Looks, changes settings, ends sessions; never through what is tested. */
  let admin: pg.Pool;

  before(async () => {
    stack = await ownStack('postgres', ['kafka', 'postgres']);
    admin = new pg.Pool({ connectionString: stack.databaseUrl, max: 2 });
    admin.on('error', () => undefined);
  });
  after(async () => {
    await admin?.end();
    await stack?.reset();
  });

  /** A sink that writes small batches under load, while `work` makes trouble. */
  function underLoad(name: string, fault: string, work: (under: Flooded & { readonly sink: Running }) => Promise<void>): Promise<void> {
    return flooded(stack, name, fault, [], async (under) => {
      const url = new URL(under.installation.databaseUrl);
      url.searchParams.set('application_name', NAME);
      const sink = under.installation.start(['sink'], {
        DATABASE_URL: url.toString(),
        KUBETAPE_RESOURCES: FLOODED.join(','),
        KUBETAPE_BATCH_MAX_ROWS: '50',
      });
      under.flood.run(200, 100);
      for (const resource of FLOODED)
        await until(`${resource} to be written`, async () => (await metric(sink, 'kubetape_rows_written_total', resource)) > 0);
      await work({ ...under, sink });
      const before = await written(sink);
      await until('the sink to write again', async () => (await written(sink)) > before);
      await sink.ready();
      assert.ok(sink.alive, 'it has lived through it');
    });
  }

  const written = (sink: Running): Promise<number> => metric(sink, 'kubetape_rows_written_total');

  /** /ready must say no, and why. */
  const saysWhy = (sink: Running, why: RegExp): Promise<void> =>
    until(`/ready to say ${why.source}`, async () => {
      const { status, text } = await sink.get('/ready');
      return status === 503 && why.test(text);
    });

  /** Sessions of the sink that are in a certain state, ended as an administrator or a fail-over would. */
  async function terminate(where: string): Promise<number> {
    const { rows } = await admin.query<{ ended: boolean }>(
      `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE application_name = $1 AND ${where}`,
      [NAME],
    );
    return rows.filter(({ ended }) => ended).length;
  }

  async function setting(name: string, value: string | null): Promise<void> {
    await admin.query(value === null ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = '${value}'`);
    await admin.query('SELECT pg_reload_conf()');
  }

  it('G1 G2: stopped and started again: the sink waits, /ready says so, and everything comes', async () => {
    await underLoad('pg-stopped', 'Postgres stopped', async ({ sink, injected }) => {
      for (let round = 0; round < times(2, 10); round += 1) {
        await stack.stop('postgres');
        injected();
        await saysWhy(sink, /no answer from Postgres at 127\.0\.0\.1/);
        await sleep(times(500, 20_000));
        await stack.start('postgres');
        await sink.ready();
      }
    });
  });

  it('G1 G2: a server process that is killed takes all sessions with it, and recovers', async () => {
    await underLoad('pg-crash', 'Postgres crashed', async ({ sink, injected }) => {
      for (let round = 0; round < times(2, 10); round += 1) {
        const { rows } = await admin.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE application_name = $1', [NAME]);
        assert.ok(rows[0] !== undefined);
        const before = await written(sink);
        process.kill(rows[0].pid, 'SIGKILL');
        injected();
        // It recovers within a fifth of a second: too soon for somebody who asks /ready, and some crashes fall between batches.
        await until('the sink to write again', async () => (await written(sink)) > before + 200);
        await sink.ready();
      }
      assert.ok((await metric(sink, 'kubetape_batch_retries_total', 'POSTGRES_UNREACHABLE')) > 0, 'some batch was cut');
    });
  });

  it('G1 G2: read-only, as during a fail-over: the sink waits, and goes on', async () => {
    await underLoad('pg-read-only', 'Postgres read-only', async ({ sink, injected }) => {
      await setting('default_transaction_read_only', 'on');
      injected();
      await saysWhy(sink, /read-only/);
      await setting('default_transaction_read_only', null);
    });
  });

  it('G1 G2: sessions that are cut at any time, in the middle of statements and of COMMIT', async () => {
    await underLoad('pg-cut', 'sessions cut', async ({ installation, seed, sink, injected }) => {
      const random = seeded(seed);
      // What is deferred happens within COMMIT: now it takes long enough to be hit.
      await installation.query(`
        CREATE FUNCTION k8s.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER dawdle AFTER UPDATE ON k8s.sink_offsets DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION k8s.dawdle()`);
      let cuts = 0;
      let commits = 0;
      while (cuts + commits < times(30, 300) || commits < times(10, 100)) {
        assert.ok(sink.alive, 'it lives on');
        commits += await terminate("state = 'active' AND query = 'COMMIT'");
        await sleep(random() * 60);
        if (random() < 0.3) cuts += await terminate('xact_start IS NOT NULL');
      }
      console.log(`    ${cuts} sessions cut, and ${commits} within COMMIT`);
      injected(cuts + commits);
      await installation.query('DROP TRIGGER dawdle ON k8s.sink_offsets');
    });
  });

  it('G2: a COMMIT that happened and was not answered is read back, neither repeated nor taken for a stranger', async () => {
    await underLoad('pg-unknown', 'COMMIT without an answer', async ({ installation, sink, injected }) => {
      const fenced = (): Promise<number> => metric(sink, 'kubetape_batch_retries_total', 'OFFSET_FENCED');
      const position = async (): Promise<number> => {
        const [row] = await installation.query<{ sum: number }>('SELECT sum(next_offset)::int AS sum FROM k8s.sink_offsets');
        return row?.sum ?? 0;
      };
      let ended = 0;
      // Commits wait for a replica that there is not; whoever is ended while it waits has committed and cannot say so.
      await setting('synchronous_standby_names', 'nobody');
      try {
        for (let round = 0; round < times(10, 100); round += 1) {
          const before = await position();
          await until('a commit without an answer to have happened', async () => {
            ended += await terminate("wait_event = 'SyncRep'");
            return (await position()) > before;
          });
        }
      } finally {
        await setting('synchronous_standby_names', null);
      }
      injected(ended);
      assert.equal(await fenced(), 0, 'each was found by its position');
    });
  });

  it('G1 G2: no room left on its disk (SQLSTATE 53100): the sink waits, and no record is taken for bad', async () => {
    await underLoad('pg-full', 'disk full', async ({ installation, sink, injected }) => {
      await installation.query(`
        CREATE FUNCTION k8s.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT ON k8s.anvils_example_com FOR EACH STATEMENT EXECUTE FUNCTION k8s.no_room()`);
      injected();
      await saysWhy(sink, /anvils[^}]*No space left on device[^}]*53100/);
      const [others] = await installation.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.widgets_example_com_history');
      await until('the other topic to go on', async () => {
        const [row] = await installation.query<{ n: number }>('SELECT count(*)::int AS n FROM k8s.widgets_example_com_history');
        return (row?.n ?? 0) > (others?.n ?? 0);
      });
      await installation.query('DROP TRIGGER no_room ON k8s.anvils_example_com');
    });
  });
});
