/** `kubetape migrate` */
import type { Command } from 'commander';
import type { Define } from './context.ts';
import { outTo } from './output/out.ts';
import { examples, settingFlags } from './setting-flags.ts';

export const defineMigrate: Define = (command, context) => {
  command.description('Create the schema `k8s`, or bring it up to this version. Running it again changes nothing.');
  examples(command, [
    [`${context.name} migrate --database-url postgres://me@localhost/kubetape`, ''],
    [`${context.name} migrate --resources pods,certificates.cert-manager.io`, 'tables for these, custom ones too'],
  ]);
  settingFlags(command, 'migrate').action(async (_options: object, { args }: Command) => {
    const { settings } = await import('../config/settings.ts');
    const { settings: values } = settings('migrate', { argv: args, env: context.env });
    const { migrate } = await import('../app/migrate.ts');
    await migrate(values, outTo(context.stdout));
  });
};
