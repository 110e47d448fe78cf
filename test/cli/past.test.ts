/**
 * The verbs that ask about the past, as people call them: the real binary against a real database, what it prints against
 * test/cli/golden/. The history is that of the recorded fixtures.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freshDatabase } from '../postgres/database.ts';
import { run, type Ended } from './child.ts';
import { compareGolden, transcript } from './golden.ts';
import { recordFixtures } from './recording.ts';

const BIN = fileURLToPath(new URL('../../bin/kubetape.js', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'kubetape-past-'));
const { url, database, connect } = await freshDatabase();
const empty = await freshDatabase({ schema: false });
await recordFixtures(database);

const ENV = { DATABASE_URL: url, KUBECONFIG: path.join(folder, 'kubeconfig'), TZ: 'UTC', NO_COLOR: '1' };
writeFileSync(ENV.KUBECONFIG, 'current-context: here\ncontexts:\n- name: here\n  context: { namespace: shop }\n');

/** Splits as a shell does, as far as these tests need it. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? '');
}

const kubetape = (line: string, env: Record<string, string> = {}): Promise<Ended> => run(BIN, words(line), { ...ENV, ...env });

async function golden(name: string, lines: readonly string[], env: Record<string, string> = {}): Promise<void> {
  let text = '';
  for (const line of lines) text += `${transcript(`kubetape ${line}`, await kubetape(line, env))}\n`;
  compareGolden(name, text);
}

const AT = '2026-11-21T08:11:05Z';

describe('verbs that ask', () => {
  before(() => assert.ok(url));

  it('get: the present and the past of each kind', async () => {
    await golden('get', [
      'get pods',
      'get po -o wide',
      `get pods --at ${AT}`,
      'get deploy,sts,svc,cm,secret',
      'get deploy checkout -o wide --no-headers',
      'get events --at 2026-11-21T08:10:30Z',
      'get pods -A --show-labels',
      'get po,deploy -o name -l app=checkout',
      'get -A secrets,svc -l "app notin (database)"',
    ]);
  });

  it('get: what was stored before a column existed is shown from its object', async () => {
    const older = await freshDatabase();
    await recordFixtures(older.database);
    const lines = ['get pods -A', `get pods -A --at ${AT}`, 'get deploy,cm -A'];
    const ask = (): Promise<string[]> =>
      Promise.all(lines.map(async (line) => transcript(line, await kubetape(line, { DATABASE_URL: older.url }))));
    const before = await ask();
    await older.database.query(`
      UPDATE k8s.pods SET status = NULL, ready = 'wrong'; UPDATE k8s.pods_history SET status = NULL, ready = 'wrong';
      UPDATE k8s.deployments SET available = NULL, ready = 99; UPDATE k8s.configmaps SET keys = NULL`);
    assert.deepEqual(await ask(), before);
    await older.database.query('ALTER TABLE k8s.pods DROP COLUMN status CASCADE');
    await older.database.query('UPDATE k8s.resources SET columns = jsonb_path_query_array(columns, \'$[*] ? (@.name != "status")\')');
    assert.equal((await ask())[0], before[0], 'a schema without it is read as well');
  });

  it('get -o yaml, json and jsonl: one by itself, several in a list, Secrets without values', async () => {
    await golden('get-objects', [
      `get pod/importer --at ${AT} -o yaml`,
      'get svc -o yaml',
      'get secret/database -o yaml',
      'get secret/database -o jsonl',
      `get deploy/checkout --at ${AT} -o json`,
      'get cm -o json',
    ]);
  });

  it('history: versions, gaps, and what is hidden', async () => {
    await golden('history', [
      'history pod/importer',
      'history secret database --no-headers',
      'history sts/ledger --limit 3',
      'history deploy/checkout --spec',
      'history deploy/checkout --since 2026-11-21T08:18:00Z --all',
      'history pod/ledger-0 -o jsonl',
    ]);
  });

  it('diff: the last change, revisions, then and now; exit 0, 1 and 2', async () => {
    await golden('diff', [
      'diff pod/importer',
      'diff secret/database',
      `diff deploy/checkout --since ${AT}`,
      'diff deploy/checkout 264 264',
      'diff deploy/checkout 264 1',
      'diff svc/checkout -o json',
      'diff pod/ledger-0',
    ]);
  });

  it('changes: what changed, of all or of some', async () => {
    await golden('changes', [
      `changes --since 2026-11-21T08:10:00Z --until ${AT}`,
      'changes deploy,svc -A --since 2026-11-21T08:10:00Z --until 2026-11-21T08:12:00Z',
      'changes pod/web --since 2026-11-21T08:10:00Z -o jsonl',
      'changes ev --since 2026-11-21T08:10:00Z',
      'changes --since 2026-11-21T08:10:00Z --limit 2',
      'changes -n elsewhere --since 2026-11-21T08:10:00Z',
    ]);
    assert.match((await kubetape('changes -n elsewhere --since 1s')).stderr, /^Nothing has changed in namespace elsewhere since 20/);
  });

  it('blame: who last set each line', async () => {
    await golden('blame', ['blame svc/checkout', 'blame secret/database', 'blame pod/ledger-0', `blame pod/importer --at ${AT} -o jsonl`]);
  });

  it('timeline: bars under their owners, gaps drawn', async () => {
    await golden('timeline', [
      'timeline --since 2026-11-21T08:09:00Z --until 2026-11-21T08:16:00Z --width 42',
      'timeline --since 2026-11-21T08:10:00Z --until 2026-11-21T08:11:00Z --width 20 -o jsonl',
      'timeline --since 2026-11-21T08:16:00Z --until 2026-11-21T08:15:00Z',
    ]);
  });

  it('search: names, labels and images, deleted ones too', async () => {
    await golden('search', [
      'search ledger',
      'search app=checkout',
      'search TRAIN --type po',
      'search checkout:v -o jsonl',
      'search nothing-like-this',
      'search %',
    ]);
  });

  it('query: tables, columns, rows, and SQL that cannot write', async () => {
    await golden('query', [
      'query "SELECT resource, kind, columns FROM k8s.resources ORDER BY resource"',
      "query 'SELECT name, phase, restarts FROM k8s.pods ORDER BY name'",
      "query 'SELECT count(*) AS n, max(changed_at) AS last FROM pods_history' -o json",
      "query 'DELETE FROM k8s.pods'",
      "query 'SELECT 1; SELECT 2'",
      "query 'SELECT nam FROM k8s.pods'",
    ]);
    assert.match(
      (await kubetape('query podz')).stderr,
      /^error: there is no table k8s\.podz; did you mean pods\?\nThere are .*configmaps, /,
    );
    assert.match(
      (await kubetape('query pods --schema')).stdout,
      /^COLUMN +TYPE +ABOUT\ncluster +text.*\n(.*\n)*phase +text +status\.phase$/m,
    );
    assert.equal((await kubetape('query pods_history --limit 3 -o jsonl')).stdout.split('\n').length, 4);
    const { stdout } = await kubetape('query');
    assert.match(stdout, /^TABLE +KIND +ROWS +ABOUT\n/);
    assert.match(stdout, /^pods_history +table +\d+ +Every change of every one of pods/m);
  });

  it('what cannot be answered says why, and what to do', async () => {
    await golden('mistakes', [
      'get podz',
      'get nodes',
      'get',
      'get pod/web po',
      'get pod/chekout-1',
      'get deploy/chekout',
      'get pod/ledger-0',
      'get pod/web -n elsewhere',
      'get pod/nowhere nowhere',
      'get pods/nobody pods/importer -o name',
      'get pods --at 2026-11-20T09:00:00Z',
      'get pods --at 2999-01-01',
      'get pods --at yesterday',
      "get pods -l 'a b'",
      'get pods -o xml',
      'get pods --att 5m',
      'get pods --at 5m -w',
      'history pods',
      'history pod/nobody',
      'diff deploy/checkout one',
      'diff deploy/checkout 264 266 300',
      'diff deploy/checkout 264 --since 5m',
      'diff deploy/nobody',
      'changes -w -o json',
      'changes --limit 0',
      'blame deploy',
      'search',
      "tail --where 'op = 1'",
      'completion tcsh',
      'get pods --cluster prodd',
    ]);
  });

  it('the database: away, without a schema, empty; several clusters', async () => {
    const away = await kubetape('get pods', { DATABASE_URL: 'postgres://me:hush@127.0.0.1:1/x' });
    assert.equal(away.code, 1);
    assert.match(away.stderr, /^error: no answer from Postgres at 127\.0\.0\.1:1\/x: .*ECONNREFUSED/);
    assert.doesNotMatch(away.stderr, /hush/);
    const none = await run(BIN, ['get', 'pods'], { KUBECONFIG: ENV.KUBECONFIG });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /databaseUrl: is needed: --database-url, DATABASE_URL/);

    const bare = await kubetape('changes', { DATABASE_URL: empty.url });
    assert.equal(bare.code, 1);
    assert.match(bare.stderr, /kubetape migrate/);
    assert.equal((await kubetape('diff deploy/checkout', { DATABASE_URL: empty.url })).code, 2, 'a failure is not a difference');
    const migrated = await kubetape(`migrate --database-url ${empty.url}`);
    assert.equal(migrated.code, 0, migrated.stderr);
    const nothing = await kubetape('get pods', { DATABASE_URL: empty.url });
    assert.match(nothing.stderr, /^error: nothing is recorded in this database yet\nDo a collector and a sink run\?/);

    await empty.database.query('UPDATE k8s.schema_migrations SET version = version + 1000');
    const newer = await kubetape('get pods', { DATABASE_URL: empty.url });
    assert.equal(newer.code, 1);
    assert.match(newer.stderr, /upgrade this one/);
    await empty.database.query('UPDATE k8s.schema_migrations SET version = version - 1000');
    await empty.database.query('DELETE FROM k8s.schema_migrations WHERE version = (SELECT max(version) FROM k8s.schema_migrations)');
    const older = await kubetape('get pods', { DATABASE_URL: empty.url });
    assert.equal(older.code, 1);
    assert.match(older.stderr, /the schema of the database is at version \d+, this kubetape needs \d+\nRun `kubetape migrate` first/);
  });

  it('of several clusters one is named, or is that of the context', async () => {
    const both = await freshDatabase();
    await recordFixtures(both.database);
    await recordFixtures(both.database, 'other');
    const env = { DATABASE_URL: both.url };
    const which = await kubetape('get pods', env);
    assert.equal(which.code, 2);
    assert.match(which.stderr, /^error: several clusters are recorded: other, prod\nSay which with --cluster/);
    assert.equal((await kubetape('get pods --cluster other -o name', env)).stdout, 'pod/importer\npod/web\n');
    assert.equal((await kubetape('get pods -o name --context prod -n shop', env)).stdout, 'pod/importer\npod/web\n');
  });

  it('unwatched time shows: in the present too, while no collector is heard', async () => {
    const silent = await freshDatabase();
    await recordFixtures(silent.database);
    await silent.database.query(
      `INSERT INTO k8s.watches (cluster, resource, namespace, since, seen_until, unwatched, resource_version, epoch)
       SELECT 'prod', r, '', '2026-11-21T07:40:00Z', now() - t, interval '0', 1, 1
         FROM (VALUES ('pods', interval '1 hour'), ('deployments', interval '1 minute'), ('events', interval '2 hours')) AS v (r, t)`,
    );
    const env = { DATABASE_URL: silent.url };
    assert.match((await kubetape('get pods', env)).stderr, /^pods: nothing is known of the last 60m: no collector has been heard since$/m);
    assert.equal((await kubetape('get deploy,ev', env)).stderr, '');
    assert.match((await kubetape('history pod/web', env)).stdout, /^REV.*\n- +0s +gap +- +nothing is known of the last 60m/);
    assert.match((await kubetape('timeline --since 2h --width 20', env)).stderr, /░ pods, .*nothing is known/);
    // The record of pods begins with the watch, though nothing happened at first.
    assert.match((await kubetape('get pods --at 2026-11-21T07:50:00Z', env)).stderr, /^No resources found in shop namespace\.$/m);
  });

  it('Tab completes verbs, flags, types, names and namespaces; and never fails', async () => {
    await golden('complete', [
      "__complete 'h'",
      "__complete get 'depl'",
      "__complete get 'deploy/'",
      "__complete history pod 'l'",
      "__complete get pods -n ''",
      "__complete changes -o ''",
      "__complete history '--s'",
      "__complete completion ''",
      "__complete nothing 'x'",
    ]);
    const away = await kubetape("__complete get 'po'", { DATABASE_URL: 'postgres://me@127.0.0.1:1/x' });
    assert.deepEqual([away.code, away.stdout, away.stderr], [0, 'pods\n', '']);
    for (const shell of ['bash', 'zsh', 'fish']) assert.match((await kubetape(`completion ${shell}`)).stdout, /kubetape __complete/);
  });

  it('colour is for terminals: not in a pipe, and never with NO_COLOR', async () => {
    const plain = await run(BIN, ['history', 'pod/importer'], { DATABASE_URL: url, KUBECONFIG: ENV.KUBECONFIG });
    assert.doesNotMatch(plain.stdout, /\u001b/);
    const forced = await run(BIN, ['history', 'pod/importer'], { DATABASE_URL: url, KUBECONFIG: ENV.KUBECONFIG, FORCE_COLOR: '1' });
    assert.match(forced.stdout, /\u001b\[33mupdate\u001b\[39m/);
  });

  it('who reads slowly gets the whole answer all the same', async () => {
    const child = spawn(
      process.execPath,
      [BIN, 'query', "SELECT repeat('x', 1000) AS x FROM generate_series(1, 2000)", '-o', 'jsonl', '--limit', '5000'],
      {
        env: { PATH: process.env['PATH'], ...ENV },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const ended = new Promise((resolve) => child.once('close', resolve));
    // A pipe holds 64 KiB: most of it is still on its way when the answer is complete.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    let lines = 0;
    child.stdout.on('data', (chunk: Buffer) => (lines += chunk.toString().split('\n').length - 1));
    assert.equal(await ended, 0);
    assert.equal(lines, 2000);
  });

  it('a reader without any other right can ask everything', async () => {
    await database.query('CREATE ROLE past_reader_of_tests LOGIN');
    try {
      await database.query(
        'GRANT USAGE ON SCHEMA k8s TO past_reader_of_tests; GRANT SELECT ON ALL TABLES IN SCHEMA k8s TO past_reader_of_tests',
      );
      const reader = new URL(url);
      reader.username = 'past_reader_of_tests';
      for (const line of [
        'get pods',
        'history pod/web',
        'diff pod/web',
        'changes --since 2026-11-20',
        'blame pod/web',
        'timeline --since 2026-11-20',
        'search web',
        'query',
        'query pods',
      ]) {
        const { code, stderr } = await kubetape(line, { DATABASE_URL: reader.toString() });
        assert.equal(code, line.startsWith('diff') ? 1 : 0, `${line}: ${stderr}`);
      }
    } finally {
      const admin = connect();
      await admin.query('DROP OWNED BY past_reader_of_tests; DROP ROLE past_reader_of_tests');
    }
  });
});
