/** `kubetape audit` */
import { Option, type Command } from 'commander';
import type { AuditOutcome } from '../app/audit.ts';
import { formatSpan } from '../config/kinds.ts';
import { VERSION } from '../config/version.ts';
import type { Context, Define } from './context.ts';
import { bold, dim, mark } from './output/style.ts';
import { examples, settingFlags } from './setting-flags.ts';

interface Options {
  readonly output: 'text' | 'json';
}

type Finding = AuditOutcome['findings'][number];
type Drift = Finding['drift'][number];

const SHOWN_MAX = 10;

export const defineAudit: Define = (command, context) => {
  command.description(
    'Compare the objects of the cluster and their versions with what the collector remembers and what the tables hold. Exit 0 when they are equal, 1 when they are not or it could not be found out.',
  );
  examples(command, [
    [`${context.name} audit`, 'once, by hand'],
    [`${context.name} audit --repair`, 'have everything said again of a resource that differs'],
    [`${context.name} audit --every 10m`, 'go on, with metrics, for a Deployment'],
  ]);
  settingFlags(command, 'audit')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
    .action(async ({ output }: Options, { args }: Command) => {
      context.exitCode = await run(args, output, context);
    });
};

async function run(argv: readonly string[], output: Options['output'], { env, name, stdout, stderr }: Context): Promise<number> {
  const { settings } = await import('../config/settings.ts');
  const { settings: values } = settings('audit', { argv, env });
  const { createTelemetry } = await import('../telemetry/telemetry.ts');
  const { live } = await import('../app/lifecycle.ts');
  const { auditing, auditOnce } = await import('../app/audit.ts');
  const { auditEvery, logFormat, cluster } = values;
  // Once and by hand, the result is the output; the log of it would say everything twice.
  const level = auditEvery === undefined && values.logLevel === 'info' ? 'error' : values.logLevel;
  const telemetry = createTelemetry({ role: 'audit', version: VERSION, cluster, level, format: logFormat });
  if (auditEvery !== undefined) {
    const http = { host: values.httpHost, port: values.httpPort };
    return live({ telemetry, http, work: (signal) => auditing(values, telemetry, auditEvery, signal) });
  }
  let outcome: AuditOutcome | null = null;
  const listener = {
    differs: (resource: string, differences: number, withinMs: number): void =>
      void stderr.write(`${resource}: ${differences} differ at first sight; looking again for ${formatSpan(withinMs)}\n`),
    repairing: (resources: readonly string[]): void =>
      void stderr.write(`taking over from the collector, to say ${resources.join(', ')} again\n`),
  };
  const code = await live({
    telemetry,
    http: { host: '', port: -1 },
    work: async (signal) => {
      outcome = await auditOnce(values, telemetry, listener, signal);
    },
  });
  const made = outcome as AuditOutcome | null;
  if (made === null) return code === 0 ? 1 : code;
  stdout.write(output === 'json' ? `${JSON.stringify(made, null, 2)}\n` : rendered(made, values.auditRepair, name, stdout));
  return code === 0 && made.findings.some((finding) => finding.outcome !== 'equal') ? 1 : code;
}

/** `✔ pods  1,204 objects, equal everywhere`, and under what differs, in what. */
export function rendered(outcome: AuditOutcome, repairing: boolean, name: string, stdout: NodeJS.WritableStream): string {
  const width = Math.max(0, ...outcome.findings.map(({ resource }) => resource.length));
  const lines = outcome.findings.flatMap((finding) => linesOf(finding, width, outcome.repaired.includes(finding.resource), stdout));
  const bad = outcome.findings.filter((finding) => finding.outcome === 'drift').length;
  const unknown = outcome.findings.filter((finding) => finding.outcome === 'unknown').length;
  const parts = [...(bad > 0 ? [`${bad} differ`] : []), ...(unknown > 0 ? [`${unknown} could not be audited`] : [])];
  const all = outcome.findings.length;
  const end =
    parts.length === 0
      ? `${mark('ok', stdout)} ${bold(`what is recorded of ${outcome.cluster} is what there is`, stdout)}`
      : `${mark('fail', stdout)} ${bold(`of ${all} ${all === 1 ? 'resource' : 'resources'}, ${parts.join(' and ')}`, stdout)}`;
  const remedy = bad > 0 && !repairing ? `  ${dim(`→ \`${name} audit --repair\` has everything of them said again`, stdout)}\n` : '';
  return `${lines.join('')}${end}\n${remedy}`;
}

function linesOf(finding: Finding, width: number, repaired: boolean, stdout: NodeJS.WritableStream): string[] {
  const { resource, outcome, objects, hash, drift, reason } = finding;
  const head = `${mark(outcome === 'equal' ? 'ok' : outcome === 'drift' ? 'fail' : 'warn', stdout)} ${resource.padEnd(width)}  `;
  if (outcome === 'unknown') return [`${head}${reason ?? ''}\n`];
  const count = `${objects.toLocaleString('en')} ${objects === 1 ? 'object' : 'objects'}`;
  if (outcome === 'equal') return [`${head}${count}, equal${repaired ? ' now' : ''}  ${dim(`sha256 ${hash.slice(0, 12)}`, stdout)}\n`];
  const shown = drift.slice(0, SHOWN_MAX).map((one) => `  ${dim(describe(one), stdout)}\n`);
  const more = drift.length > SHOWN_MAX ? [`  ${dim(`and ${drift.length - SHOWN_MAX} more; \`-o json\` has them all`, stdout)}\n`] : [];
  return [`${head}${count}; ${drift.length} differ\n`, ...shown, ...more];
}

const SIDES = { state: 'shared-state', table: 'the tables' } as const;

function describe({ side, is, namespace, name, actual, recorded }: Drift): string {
  const object = namespace === '' ? name : `${namespace}/${name}`;
  switch (is) {
    case 'missing':
      return `${object} is not in ${SIDES[side]}`;
    case 'gone':
      return `${object} is in ${SIDES[side]} (${recorded ?? ''}) and not in the cluster`;
    case 'older':
    case 'newer':
      return `${object} is in ${SIDES[side]} as ${recorded ?? ''}; in the cluster it is ${actual ?? ''}`;
  }
}
