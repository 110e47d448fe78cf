/** `kubetape check` */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CheckedSettings, CheckLine } from '../app/check.ts';
import type { Context, Define } from './context.ts';
import { bold, dim, mark } from './output/style.ts';
import { examples, settingFlags } from './setting-flags.ts';

const ROLES = ['run', 'collect', 'sink'] as const;
type Checked = (typeof ROLES)[number];

interface Options {
  readonly output: 'text' | 'json';
  readonly wait?: boolean;
  readonly timeout: number;
}

export const defineCheck: Define = (command, context) => {
  command.description(
    'Check every connection and permission that a role (run, collect or sink) needs, and say what to do about what is missing. Changes nothing. Exit 1 if anything is.',
  );
  examples(command, [
    [`${context.name} check`, 'everything that `run` needs'],
    [`${context.name} check sink --wait`, 'wait until a sink could work, 5 minutes at most'],
    [`${context.name} check --context prod -o json`, 'for a script'],
  ]);
  settingFlags(command, 'run')
    .usage('[run|collect|sink] [flags]')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
    .addOption(new Option('--wait', 'look again until nothing is missing'))
    .addOption(new Option('--timeout <seconds>', 'longest to wait').argParser(seconds).default(300))
    .action(async (options: Options, { args }: Command) => {
      const named = ROLES.find((role) => role === args[0]);
      const values = await settingsOf(named ?? 'run', named === undefined ? args : args.slice(1), context);
      const { check, checkUntilGood } = await import('../app/check.ts');
      const lines = options.wait === true ? await checkUntilGood(values, options.timeout * 1000, teller(context)) : await check(values);
      const failed = lines.filter((line) => line.ok === false).length;
      context.stdout.write(
        options.output === 'json' ? `${JSON.stringify({ ok: failed === 0, checks: lines }, null, 2)}\n` : rendered(lines, failed, context),
      );
      context.exitCode = failed === 0 ? 0 : 1;
    });
};

async function settingsOf(role: Checked, argv: readonly string[], { env }: Context): Promise<CheckedSettings> {
  const { settings } = await import('../config/settings.ts');
  return settings(role, { argv, env }).settings;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It is a number of seconds.');
  return value;
}

/** While it waits: one line each time that something else is missing. */
function teller({ stderr }: Context): (lines: readonly CheckLine[]) => void {
  let before = '';
  return (lines) => {
    const missing = lines.filter(({ ok }) => ok === false).map(({ area, name, message }) => `${area} ${name}: ${message}`);
    const text = missing.join('; ');
    if (text !== '' && text !== before) stderr.write(`waiting: ${text}\n`);
    before = text;
  };
}

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
