/**
 * `npm run bench -- [NAME …]`: measures kubetape on this machine, beside the limit of what it does there. Starts servers
 * of its own, and prints a table; the same goes to a file as JSON, with machine, versions, commit and every run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { commitOf, machineOf, versionsOf, type Machine } from './bench/machine.ts';
import { parseOptions, USAGE, type Options, type ScenarioName } from './bench/options.ts';
import { ratioLine, ratiosOf, rowsOf, tableOf, type Report } from './bench/report.ts';
import type { Scenario } from './bench/scenario.ts';
import { capture } from './bench/scenarios/capture.ts';
import { coldstart } from './bench/scenarios/coldstart.ts';
import { latency } from './bench/scenarios/latency.ts';
import { paths } from './bench/scenarios/paths.ts';
import { past } from './bench/scenarios/past.ts';
import { restart } from './bench/scenarios/restart.ts';
import { sink } from './bench/scenarios/sink.ts';
import { withLock } from './setup/artifact.mjs';
import { ROOT } from './setup/places.mjs';
import { Stack } from './stack/stack.ts';
import { SERVERS, type ServerName } from './stack/state.ts';

const SCENARIO: Readonly<Record<ScenarioName, { readonly run: Scenario; readonly servers: readonly ServerName[] }>> = {
  paths: { run: paths, servers: [] },
  capture: { run: capture, servers: ['kafka', 'postgres'] },
  sink: { run: sink, servers: ['kafka', 'postgres'] },
  coldstart: { run: coldstart, servers: ['kafka', 'postgres'] },
  restart: { run: restart, servers: ['kafka', 'postgres'] },
  past: { run: past, servers: ['kafka', 'postgres'] },
  latency: { run: latency, servers: SERVERS },
};

async function main(args: readonly string[]): Promise<number> {
  let options: Options | 'help';
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const machine = machineOf();
  const commit = commitOf();
  for (const name of options.scenarios) {
    const report = await measure(name, options);
    print(report, machine, commit);
    write(report, machine, commit, name, options);
  }
  return 0;
}

/** Each scenario on servers without a past: what an earlier one left would be paid for by the next. One bench at a time. */
async function measure(name: ScenarioName, options: Options): Promise<Report> {
  const { run, servers } = SCENARIO[name];
  const dir = process.env['KUBETAPE_BENCH_STACK'] ?? path.join(ROOT, '.kubetape', 'bench-stack');
  const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
  if (servers.length === 0) return run({ options, stack: new Stack(dir), say });
  return withLock(`${dir}.lock`, async () => {
    await new Stack(dir).reset();
    const stack = await Stack.up(dir, undefined, servers);
    const end = (signal: NodeJS.Signals): void => {
      void stack.reset().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
    };
    process.once('SIGINT', end).once('SIGTERM', end);
    try {
      return await run({ options, stack, say });
    } finally {
      process.off('SIGINT', end).off('SIGTERM', end);
      await stack.reset();
    }
  });
}

function print(report: Report, machine: Machine, commit: string): void {
  const parameters = Object.entries(report.parameters).map(([name, value]) => `${name} ${value.toLocaleString('en')}`);
  const where = `${machine.cpus} cores of ${machine.model}, load ${machine.loadAverage.join(' ')} before; commit ${commit}`;
  process.stdout.write(`\n${report.bench}: ${report.about}\n${parameters.join(', ')}\n${where}\n\n${tableOf(report)}\n\n`);
  for (const ratio of ratiosOf(report)) process.stdout.write(`${ratioLine(ratio)}\n`);
  for (const note of report.notes) process.stdout.write(`- ${note}\n`);
}

function write(report: Report, machine: Machine, commit: string, name: ScenarioName, options: Options): void {
  const at = new Date().toISOString();
  const file = path.join(path.resolve(ROOT, options.out), `${name}-${at.replaceAll(/[:.]/g, '-')}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  const { samples, ...rest } = report;
  const results = { at, commit, machine, versions: versionsOf(), ...rest, ratios: ratiosOf(report), rows: rowsOf(report), samples };
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  process.stdout.write(`\nResults: ${path.relative(process.cwd(), file)}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).stack ?? String(error)}\n`);
  process.exitCode = 1;
}
