/** `kubetape snapshot` */
import type { Command } from 'commander';
import type { Context, Define } from './context.ts';
import { outTo } from './output/out.ts';
import { examples, settingFlags } from './setting-flags.ts';

export const defineSnapshot: Define = (command, context) => {
  command.description(
    'List everything once, record what differs from what was recorded, and end: for a CronJob. What happened in between is known by its net effect, and k8s.gaps says so. Where a collector runs, there is nothing to do.',
  );
  examples(command, [
    [`${context.name} snapshot`, 'the current context, the default resources'],
    [`${context.name} snapshot --resources pods,deployments`, ''],
  ]);
  settingFlags(command, 'snapshot').action(async (_options: unknown, { args }: Command) => {
    context.exitCode = await run(args, context);
  });
};

async function run(argv: readonly string[], context: Context): Promise<number> {
  const { settings } = await import('../config/settings.ts');
  const { settings: values } = settings('snapshot', { argv, env: context.env });
  const { createTelemetry } = await import('../telemetry/telemetry.ts');
  const { VERSION } = await import('../config/version.ts');
  const { live } = await import('../app/lifecycle.ts');
  const { snapshot } = await import('../app/snapshot.ts');
  const telemetry = createTelemetry({
    role: 'snapshot',
    version: VERSION,
    cluster: values.cluster,
    level: values.logLevel,
    format: values.logFormat,
  });
  let complete = true;
  const code = await live({
    telemetry,
    http: { host: '', port: -1 },
    work: async (signal) => {
      complete = await snapshot(values, telemetry, outTo(context.stdout), signal);
    },
  });
  return code === 0 && !complete ? 1 : code;
}
