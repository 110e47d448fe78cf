/** `kubetape dlq`: the records that could not become rows. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Letter, Retried, Shown } from '../app/dead-letters.ts';
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import type { Context, Define } from './context.ts';
import { columnsText, harmless } from './output/columns.ts';
import { bold, dim, mark } from './output/style.ts';
import { examples, settingFlags } from './setting-flags.ts';

interface Options {
  readonly output: 'table' | 'json';
  readonly resource?: string;
  readonly since?: number;
  readonly limit: number;
  readonly retried?: boolean;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

export const defineDlq: Define = (command, context) => {
  command
    .description('The dead letters: records that could not become rows. Each was set aside with its reason; the rest of its topic went on.')
    .usage('list | show ID | retry ID...|--all [flags]');
  defineList(command.command('list'), context);
  defineShow(command.command('show'), context);
  defineRetry(command.command('retry'), context);
};

function defineList(command: Command, context: Context): void {
  command.summary('list them').description('List the dead letters that were not written by a retry since, the oldest first.');
  examples(command, [
    [`${context.name} dlq list`, ''],
    [`${context.name} dlq list --resource configmaps --since 2h`, ''],
    [`${context.name} dlq list -o json`, 'for a script'],
  ]);
  settingFlags(command, 'dlq')
    .addOption(new Option('--resource <name>', 'only those of one resource, of event-stream or of kubetape-checkpoints'))
    .addOption(new Option('--since <time>', 'only those set aside since: 30m, 2h, 7d, or RFC 3339').argParser(sinceMs))
    .addOption(new Option('--limit <n>', 'most letters, the newest ones').argParser(count).default(500))
    .addOption(new Option('--retried', 'those that a retry has written, too'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['table', 'json']).default('table'))
    .action(async (options: Options, { args }: Command) => {
      const { letters } = await import('../app/dead-letters.ts');
      const { resource = null, since = null, retried = false, limit } = options;
      const found = await letters(await settingsOf(args, context), { resource, sinceMs: since, retried, limit });
      if (options.output === 'json') context.stdout.write(json({ items: found }));
      else if (found.length === 0) context.stderr.write('No dead letters found.\n');
      else context.stdout.write(table(found, Date.now()));
      if (found.length === limit) context.stderr.write(`${dim(`These are the newest ${limit}; --limit shows more.`, context.stderr)}\n`);
    });
}

function defineShow(command: Command, context: Context): void {
  command.summary('one of them, with its record').description('One dead letter: why it is one, where it lies in Kafka, and its record.');
  examples(command, [[`${context.name} dlq show 7`, '']]);
  settingFlags(command, 'dlq')
    .usage('ID [flags]')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['table', 'json']).default('table'))
    .action(async (options: Options, { args }: Command) => {
      const { ids, flags } = split(args);
      if (ids.length !== 1) throw new KubetapeError('CONFIG_INVALID', 'say which dead letter to show', { hint: hintOf(context) });
      const { letter } = await import('../app/dead-letters.ts');
      const found = await letter(await settingsOf(flags, context), ids[0] ?? '');
      context.stdout.write(options.output === 'json' ? json({ ...found.letter, record: found.record }) : detail(found, context));
    });
}

function defineRetry(command: Command, context: Context): void {
  command
    .summary('write them again')
    .description(
      'Write dead letters again, as a sink does it: what the present has overtaken goes to the history only. What is written is marked; Kafka and the positions of the sinks stay as they are. Exit 1 if any is refused again.',
    );
  examples(command, [
    [`${context.name} dlq retry 7 9`, ''],
    [`${context.name} dlq retry --all --dry-run`, 'which ones would be written now'],
  ]);
  settingFlags(command, 'dlq')
    .usage('ID...|--all [flags]')
    .addOption(new Option('--all', 'all that were not written by a retry since'))
    .addOption(new Option('--dry-run', 'try it and undo it'))
    .action(async (options: Options, { args }: Command) => {
      const { ids, flags } = split(args);
      if ((ids.length === 0) === (options.all !== true))
        throw new KubetapeError('CONFIG_INVALID', 'say which dead letters to retry, or --all', { hint: hintOf(context) });
      const { retryLetters } = await import('../app/dead-letters.ts');
      const dryRun = options.dryRun === true;
      let told = 0;
      const { refused } = await retryLetters(await settingsOf(flags, context), options.all === true ? null : ids, dryRun, (retried) => {
        told += 1;
        context.stdout.write(outcome(retried, dryRun, context));
      });
      if (told === 0) context.stderr.write('No dead letters found.\n');
      context.exitCode = refused === 0 ? 0 : 1;
    });
}

async function settingsOf(argv: readonly string[], { env }: Context): Promise<SettingsOf<'dlq'>> {
  const { settings } = await import('../config/settings.ts');
  return settings('dlq', { argv, env }).settings;
}

/** Ids come first; the settings' flags, of which this command knows nothing, follow. */
function split(args: readonly string[]): { readonly ids: readonly string[]; readonly flags: readonly string[] } {
  const at = args.findIndex((word) => word.startsWith('-'));
  const ids = at < 0 ? args : args.slice(0, at);
  const wrong = ids.filter((id) => !/^[1-9]\d{0,17}$/.test(id));
  if (wrong.length > 0)
    throw new KubetapeError('CONFIG_INVALID', `${wrong.map((id) => `"${id}"`).join(', ')} is not the id of a dead letter`, {
      hint: 'An id is a number; `kubetape dlq list` shows them.',
    });
  return { ids: [...new Set(ids)], flags: at < 0 ? [] : args.slice(at) };
}

function hintOf({ name }: Context): string {
  return `\`${name} dlq list\` shows their ids.`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function table(letters: readonly Letter[], nowMs: number): string {
  const header = ['ID', 'AGE', 'RESOURCE', 'NAMESPACE', 'NAME', 'CODE', 'REASON'];
  const rows = letters.map(({ id, at, resource, namespace, name, code, message, retriedAt }) => [
    id,
    age(nowMs - at.getTime()),
    resource,
    namespace,
    name,
    code,
    retriedAt === null ? message : `written by a retry; it was: ${message}`,
  ]);
  return columnsText(header, rows);
}

function detail({ letter, record }: { readonly letter: Letter; readonly record: Shown }, { stdout }: Context): string {
  const { id, resource, cluster, namespace, name, topic, partition, offset, code, sqlstate, message, writtenAt, at, retriedAt } = letter;
  const lines = [
    ['ID', id],
    ['Reason', message],
    ['Code', code],
    ['SQLSTATE', sqlstate ?? '-'],
    ['Object', `${resource} ${namespace === '' ? '' : `${namespace}/`}${name}${cluster === '' ? '' : ` of ${cluster}`}`],
    ['Record', `${topic}, partition ${partition}, offset ${offset}`],
    ['Written', writtenAt.toISOString()],
    ['Set aside', at.toISOString()],
    ['Retried', retriedAt?.toISOString() ?? 'no'],
  ];
  const head = lines.map(([label = '', text = '']) => `${bold(`${label}:`.padEnd(11), stdout)}${harmless(text)}\n`).join('');
  if ('withheld' in record) return `${head}\n${dim(`The record is not shown: ${record.withheld}.`, stdout)}\n`;
  return `${head}\n${harmless('json' in record ? JSON.stringify(record.json, null, 2) : record.text)}\n`;
}

const DONE: Readonly<Record<Retried['outcome'], string>> = {
  written: 'written',
  past: 'written to the history; a newer version is the present',
  known: 'in the tables already',
  'retried before': 'was written by a retry before, at',
  refused: 'refused',
};

function outcome({ letter, outcome: what, message }: Retried, dryRun: boolean, { stdout }: Context): string {
  const { id, resource, namespace, name } = letter;
  const object = `${resource} ${namespace === '' ? '' : `${namespace}/`}${name}`;
  const sign = mark(what === 'refused' ? 'fail' : what === 'retried before' ? 'warn' : 'ok', stdout);
  const text = what === 'refused' ? `refused: ${message}` : `${DONE[what]}${message === '' ? '' : ` ${message}`}`;
  return `${sign} ${id} (${harmless(object)}) ${dryRun && what !== 'refused' ? 'would be: ' : ''}${harmless(text)}\n`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** kubectl's: the largest unit that gives two digits, more or less. */
function age(ms: number): string {
  for (const [unit, size] of Object.entries(UNITS).toReversed()) if (ms >= 2 * size) return `${Math.floor(ms / size)}${unit}`;
  return `${Math.max(0, Math.floor(ms / 1000))}s`;
}

function sinceMs(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const at = digits === undefined ? Date.parse(text) : Date.now() - Number(digits) * (UNITS[unit] ?? 0);
  if (Number.isNaN(at)) throw new InvalidArgumentError('It is a time like 30m, 2h, 7d or 2026-11-20T17:00:00Z.');
  return at;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('It is a number.');
  return Number(text);
}
