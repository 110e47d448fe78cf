/** `kubetape config show` */
import { Option, type Command } from 'commander';
import { isRole, ROLES, type Role } from '../config/roles.ts';
import { resolve } from '../config/settings.ts';
import { settingsYaml, shownSettings } from '../config/show.ts';
import { problemsText } from '../config/sources.ts';
import type { Context, Define } from './context.ts';
import { bold } from './output/style.ts';
import { examples, settingFlags } from './setting-flags.ts';

export const defineConfig: Define = (command, context) => {
  command.description('The settings.').usage('show [role] [flags]');
  const show = command.command('show').summary('print every setting with its value and its source');
  show.description('Print every setting with its value and where it comes from; secrets are masked. Exit 2 if any is wrong.');
  examples(show, [
    [`${context.name} config show`, 'all settings, as a YAML file that --config takes'],
    [`${context.name} config show sink -o json`, 'those of one role, for a script'],
  ]);
  settingFlags(show, 'run')
    .usage(`[${ROLES.join('|')}] [flags]`)
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['yaml', 'json']).default('yaml'))
    .action((options: { readonly output: string }, { args }: Command) => {
      const role = args[0] !== undefined && isRole(args[0]) ? args[0] : undefined;
      context.exitCode = print(role ?? 'run', role === undefined ? args : args.slice(1), options.output, context);
    });
};

function print(role: Role, argv: readonly string[], output: string, { env, stdout, stderr }: Context): number {
  const resolved = resolve(role, { argv, env });
  const shown = shownSettings(resolved);
  const asJson = Object.fromEntries(shown.map(({ key, value, source }) => [key, { value, source }]));
  stdout.write(output === 'json' ? `${JSON.stringify(asJson, null, 2)}\n` : settingsYaml(shown));
  if (resolved.problems.length === 0) return 0;
  stderr.write(`${bold('error:', stderr)} ${problemsText(resolved.problems)}\n`);
  return 2;
}
