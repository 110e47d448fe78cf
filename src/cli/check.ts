/** `kubetape check` */
import { Option, type Command } from 'commander';
import type { CheckLine } from '../app/check.ts';
import type { Context, Define } from './context.ts';
import { bold, dim, mark } from './output/style.ts';
import { examples, settingFlags } from './setting-flags.ts';

export const defineCheck: Define = (command, context) => {
  command.description(
    'Check every connection and permission, and say what to do about what is missing. Changes nothing. Exit 1 if anything is.',
  );
  examples(command, [
    [`${context.name} check`, 'everything that `run` needs'],
    [`${context.name} check --context prod -o json`, 'for a script'],
  ]);
  settingFlags(command, 'check')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
    .action(async (options: { readonly output: string }, { args }: Command) => {
      const { settings } = await import('../config/settings.ts');
      const { settings: values } = settings('check', { argv: args, env: context.env });
      const { check } = await import('../app/check.ts');
      const lines = await check(values);
      const failed = lines.filter((line) => line.ok === false).length;
      context.stdout.write(
        options.output === 'json' ? `${JSON.stringify({ ok: failed === 0, checks: lines }, null, 2)}\n` : rendered(lines, failed, context),
      );
      context.exitCode = failed === 0 ? 0 : 1;
    });
};

/** `✔ kafka       3 brokers` and, under what failed, the remedy. */
export function rendered(lines: readonly CheckLine[], failed: number, { stdout }: Pick<Context, 'stdout'>): string {
  const width = Math.max(0, ...lines.map((line) => line.area.length));
  const text = lines.map(({ area, ok, name, message, remedy }) => {
    const head = `${mark(ok === 'warn' ? 'warn' : ok ? 'ok' : 'fail', stdout)} ${area.padEnd(width)}  ${name}: ${message}\n`;
    return ok === true || remedy === undefined ? head : `${head}${' '.repeat(width + 4)}${dim(`→ ${remedy}`, stdout)}\n`;
  });
  const end =
    failed === 0
      ? `${mark('ok', stdout)} ${bold('all checks passed', stdout)}`
      : `${mark('fail', stdout)} ${bold(`${failed} of ${lines.length} checks failed`, stdout)}`;
  return `${text.join('')}${end}\n`;
}
