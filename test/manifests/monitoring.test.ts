/** Monitoring: rules by promtool, and a real Prometheus that scrapes running roles and is asked what the dashboards ask. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { onDemand } from '../../scripts/setup/on-demand.mjs';
import { ROOT } from '../../scripts/setup/places.mjs';
import { freePorts } from '../../scripts/stack/ports.ts';
import { endProcess, launch, type ProcessId } from '../../scripts/stack/processes.ts';
import { Kube, until } from '../support/kube.ts';
import { Installation } from '../support/kubetape.ts';
import { sharedStack } from '../support/stack.ts';
import { filledPromql, filledSql, panels } from './dashboards.ts';

const MONITORING = path.join(ROOT, 'manifests', 'monitoring');

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly annotations?: { readonly runbook_url?: string } }[];
  }[];
}

/** What Prometheus reads: the part of the operator's resource that is its own. */
function writeRules(folder: string): Rules[] {
  return ['alerts.yaml', 'recording.yaml'].map((name) => {
    const { spec } = parse(readFileSync(path.join(MONITORING, 'rules', name), 'utf8')) as { spec: Rules };
    writeFileSync(path.join(folder, name), stringify(spec));
    return spec;
  });
}

describe('the rules', () => {
  let folder: string;
  let promtool: string;
  let alerts: string[];

  before(async () => {
    promtool = await onDemand('promtool');
    folder = mkdtempSync(path.join(tmpdir(), 'kubetape-rules-'));
    alerts = writeRules(folder).flatMap(({ groups }) => groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? [])));
    cpSync(path.join(MONITORING, 'tests'), folder, { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('promtool finds nothing wrong with them', () => {
    const { status, stdout, stderr } = spawnSync(
      promtool,
      ['check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yaml', 'recording.yaml'],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    );
    assert.equal(status, 0, stdout + stderr);
  });

  it('every alert has a test of its name, which passes, and a runbook of its name', () => {
    const names = [...new Set(alerts)].toSorted();
    assert.ok(names.length >= 9);
    const bare = (name: string, kind: string): string[] =>
      readdirSync(path.join(MONITORING, name))
        .map((file) => path.basename(file, kind))
        .toSorted();
    assert.deepEqual(bare('tests', '.yaml'), names);
    assert.deepEqual(bare('runbooks', '.md'), names);
    const operations = readFileSync(path.join(ROOT, 'docs', 'operations.md'), 'utf8');
    for (const name of names) assert.ok(operations.includes(`[${name}](../manifests/monitoring/runbooks/${name}.md)`), name);
    const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', ...names.map((name) => `${name}.yaml`)], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
    for (const name of names) assert.match(readFileSync(path.join(folder, `${name}.yaml`), 'utf8'), new RegExp(`alertname: ${name}\\b`));
  });
});

describe('the dashboards', () => {
  it('every panel has a description, and a unit where it shows numbers', () => {
    const all = panels();
    assert.ok(all.length > 50);
    for (const { dashboard, title, description, unit, type, queries } of all) {
      assert.ok(description.length > 10, `${dashboard}: ${title} has no description`);
      assert.ok(queries.length > 0 && queries.every(({ text }) => text !== ''), `${dashboard}: ${title} asks nothing`);
      if (type !== 'table' && type !== 'state-timeline') assert.notEqual(unit, '', `${dashboard}: ${title} has no unit`);
    }
  });

  /** These have something to show only when something is amiss, or was there already. */
  const QUIET = new Set([
    'Gaps',
    'Clock steps',
    'Dead letters',
    'Transactions repeated',
    'Errors',
    'Errors of the Kafka clients',
    'Batches written again',
    'Changes that were there already',
    'Not recorded on purpose',
    'Watches that ended',
    'Time not watched',
    'Part of the attempts that fails',
    'Pods that restart',
    'Deployments that are not ready',
  ]);

  it('a Prometheus that scrapes running roles, and their database, answer what the panels ask', async () => {
    const prometheus =
      spawnSync('prometheus', ['--version'], { stdio: 'ignore' }).status === 0 ? 'prometheus' : await onDemand('prometheus');
    const stack = await sharedStack();
    const kube = new Kube(stack);
    const installation = await Installation.create(stack, 'monitoring');
    const folder = mkdtempSync(path.join(tmpdir(), 'kubetape-prometheus-'));
    let server: ProcessId | null = null;
    try {
      await kube.namespace(installation.id);
      const collector = installation.start(['collect']);
      const sink = installation.start(['sink']);
      await Promise.all([collector.ready(), sink.ready()]);
      const audit = installation.start(['audit', '--every', '1h']);
      // Its first audit is done, before anything changes.
      await audit.ready();
      const target = async (role: typeof sink, job: string): Promise<object> => ({
        job_name: job,
        static_configs: [{ targets: [new URL(await role.url()).host], labels: { namespace: 'kubetape', pod: `${job}-0` } }],
      });
      writeRules(folder);
      writeFileSync(
        path.join(folder, 'prometheus.yaml'),
        stringify({
          global: { scrape_interval: '1s', evaluation_interval: '1s' },
          rule_files: ['alerts.yaml', 'recording.yaml'],
          scrape_configs: [
            await target(collector, 'kubetape-collector'),
            await target(sink, 'kubetape-sink'),
            await target(audit, 'kubetape-audit'),
          ],
        }),
      );
      const [port = 0] = await freePorts(1);
      server = launch(
        {
          command: prometheus,
          args: [
            `--config.file=${path.join(folder, 'prometheus.yaml')}`,
            `--storage.tsdb.path=${path.join(folder, 'data')}`,
            `--web.listen-address=127.0.0.1:${port}`,
          ],
        },
        path.join(folder, 'log'),
      );
      const ask = async (query: string): Promise<{ status: string; error?: string; data?: { result: unknown[] } }> => {
        const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
        return (await response.json()) as Awaited<ReturnType<typeof ask>>;
      };
      await until('every role to be scraped', async () => (await ask('up == 1')).data?.result.length === 3, 60_000);

      let made = 0;
      const change = async (): Promise<void> => {
        made += 1;
        const metadata = { name: `c-${made}`, namespace: installation.id };
        await kube.create('configmaps', { metadata, data: { made: String(made) } });
        await kube.create('pods', {
          metadata,
          spec: { containers: [{ name: 'main', image: 'none' }] },
        });
        const labels = { app: metadata.name };
        await kube.create('deployments', {
          metadata,
          spec: {
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none' }] } },
          },
        });
      };

      const prom = panels().flatMap(({ dashboard, title, queries }) =>
        queries.flatMap(({ language, text }) => (language === 'promql' ? [{ name: `${dashboard}: ${title}`, title, text }] : [])),
      );
      assert.ok(prom.length > 40);
      let empty: string[] = [];
      await until(
        'every panel to have data',
        async () => {
          await change();
          empty = [];
          for (const { name, title, text } of prom) {
            const answer = await ask(filledPromql(text));
            assert.equal(answer.status, 'success', `${name}: ${answer.error}`);
            if (answer.data?.result.length === 0 && !QUIET.has(title)) empty.push(name);
          }
          return empty.length === 0;
        },
        120_000,
      ).catch((error: Error) => assert.fail(`${error.message}; these have none: ${empty.join('; ')}; ${String(error.cause)}`));
      const firing = (await ask('ALERTS{alertstate="firing"}')).data?.result;
      assert.deepEqual(firing, [], 'nothing is amiss');

      const sql = panels().flatMap(({ dashboard, title, queries }) =>
        queries.flatMap(({ language, text }) => (language === 'sql' ? [{ name: `${dashboard}: ${title}`, title, text }] : [])),
      );
      assert.ok(sql.length >= 8);
      for (const { name, title, text } of sql) {
        const filled = filledSql(text, installation.cluster, [installation.id]);
        assert.doesNotMatch(filled, /\$/, name);
        const rows = await installation.query(filled);
        if (!QUIET.has(title)) assert.ok(rows.length > 0, `${name} shows nothing`);
      }
    } finally {
      if (server !== null) await endProcess(server, 5_000);
      await installation.close();
      await kube.call('DELETE', `/api/v1/namespaces/${installation.id}`).catch(() => undefined);
      kube.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
