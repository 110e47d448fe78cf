/** `kubetape retention` */
import type { Command } from 'commander';
import { VERSION } from '../config/version.ts';
import type { Context, Define } from './context.ts';
import { outTo } from './output/out.ts';
import { examples, settingFlags } from './setting-flags.ts';

export const defineRetention: Define = (command, context) => {
  command.description(
    'Drop the days of the history that are older than what is to be kept, and purge the objects that were deleted before. Nothing else ever deletes. What each object was when the kept days begin stays, so that every moment of them can be told.',
  );
  examples(command, [
    [`${context.name} retention --keep 30d --dry-run`, 'what would go'],
    [`${context.name} retention --keep 30d`, 'once, for a CronJob'],
    [`${context.name} retention --keep 30d --every 6h`, 'go on'],
  ]);
  settingFlags(command, 'retention')
    .option('--dry-run', 'say what would go, and change nothing')
    .action(async ({ dryRun = false }: { readonly dryRun?: boolean }, { args }: Command) => {
      context.exitCode = await run(args, dryRun, context);
    });
};

async function run(argv: readonly string[], dryRun: boolean, { env, stdout }: Context): Promise<number> {
  const { settings } = await import('../config/settings.ts');
  const { settings: values } = settings('retention', { argv, env });
  const { retainForEver, retention } = await import('../app/retention.ts');
  const { retentionEvery, logLevel, logFormat } = values;
  if (retentionEvery === undefined || dryRun) return (await retention(values, outTo(stdout), dryRun)) ? 0 : 1;
  const { createTelemetry } = await import('../telemetry/telemetry.ts');
  const { live } = await import('../app/lifecycle.ts');
  const telemetry = createTelemetry({ role: 'retention', version: VERSION, level: logLevel, format: logFormat });
  return live({
    telemetry,
    http: { host: '', port: -1 },
    work: (signal) => retainForEver(values, retentionEvery, telemetry, signal),
  });
}
