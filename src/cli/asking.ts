/** What the verbs that ask about the past have in common: flags, the database, the place, and what is said on the side. */
import { Option, type Command } from 'commander';
import type { AskedPast } from '../app/past.ts';
import { settingsOfRole } from '../config/catalogue.ts';
import { currentContext, type CurrentContext } from '../config/current-context.ts';
import type { Role } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { findType } from '../past/kinds.ts';
import type { RecordedType } from '../past/ports.ts';
import { parseTime } from '../past/times.ts';
import type { Context } from './context.ts';
import { dim } from './output/style.ts';
import { optionOf } from './setting-flags.ts';

export interface PlaceOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

/** `-n` and `-A`. */
export function placeFlags(command: Command): Command {
  return command
    .addOption(new Option('-n, --namespace <name>', "namespace (default: the kubeconfig context's)"))
    .addOption(new Option('-A, --all-namespaces', 'all namespaces'));
}

/** The flags of a role's settings, as options of the command: so that an unknown flag is told at once. */
export function askFlags(command: Command, role: 'ask' | 'tail'): Command {
  const has = (flag: string): boolean => command.options.some(({ long }) => long === flag);
  if (!has('--config')) command.addOption(new Option('--config <file>', 'YAML file with settings (KUBETAPE_CONFIG)').helpGroup(WHERE));
  for (const setting of settingsOfRole(role)) {
    if (setting.flag === null || has(setting.flag)) continue;
    const option = optionOf(setting).helpGroup(WHERE);
    // `-n` and `-A` are what most people look for in the help.
    if (!SHOWN.has(setting.key)) option.hideHelp();
    command.addOption(
      setting.kind.placeholder === null ? option : option.argParser((value: string, before: unknown) => [...listed(before), value]),
    );
  }
  return command;
}

const WHERE = 'Where the record is:';
const SHOWN: ReadonlySet<string> = new Set(['cluster', 'databaseUrl', 'databaseUrlFile', 'context', 'kafkaBrokers', 'topicPrefix']);

function listed(before: unknown): readonly unknown[] {
  return Array.isArray(before) ? (before as unknown[]) : [];
}

/** The settings that were given as flags, in the form in which settings are read. */
export function settingArgv(command: Command, role: Role): string[] {
  const flags = new Set([
    '--config',
    ...settingsOfRole(role).flatMap(({ flag }) => (flag === null ? [] : [flag, `--no-${flag.slice(2)}`])),
  ]);
  return command.options.flatMap((option) => {
    const key = option.attributeName();
    if (!flags.has(option.long ?? '') || command.getOptionValueSource(key) !== 'cli') return [];
    const value: unknown = command.getOptionValue(key);
    if (typeof value === 'boolean') return [value === option.negate ? '' : `${option.long}`].filter((word) => word !== '');
    return (Array.isArray(value) ? value : [value]).map((one) => `${option.long}=${String(one)}`);
  });
}

export interface Asking extends AskedPast {
  /** null for all. */
  readonly namespace: string | null;
  readonly nowMs: number;
  /** A remark for the reader, not part of the answer. */
  readonly remark: (text: string) => void;
}

/** Runs a question, from the flags to the end of the connection; what it returns becomes the exit code. */
export async function ask(
  command: Command,
  context: Context,
  options: PlaceOptions,
  work: (asking: Asking) => Promise<number | void>,
): Promise<void> {
  const { settings } = await import('../config/settings.ts');
  const { settings: values } = settings('ask', { argv: settingArgv(command, 'ask'), env: context.env });
  let current: Promise<CurrentContext> | null = null;
  const here = (): Promise<CurrentContext> => (current ??= currentContext(values, context.env));
  const { openPast } = await import('../app/past.ts');
  const asked = await openPast(values, async () => (await here()).name);
  try {
    const namespace = options.allNamespaces === true ? null : (options.namespace ?? (await here()).namespace);
    context.exitCode = (await work({ ...asked, namespace, nowMs: Date.now(), remark: (text) => remark(text, context) })) ?? 0;
  } finally {
    await asked.past.close();
  }
}

export function remark(text: string, { stderr }: Pick<Context, 'stderr'>): void {
  stderr.write(`${dim(text, stderr)}\n`);
}

/** @throws KubetapeError NOT_RECORDED */
export function typeOf(word: string, types: readonly RecordedType[]): RecordedType {
  const found = findType(word, types);
  if ('type' in found) return found.type;
  throw new KubetapeError('NOT_RECORDED', found.wrong, { hint: found.hint });
}

/** @throws KubetapeError QUESTION_INVALID */
export function timeOf(flag: string, text: string, nowMs: number): number {
  const moment = parseTime(text, nowMs);
  if ('ms' in moment) return moment.ms;
  throw new KubetapeError('QUESTION_INVALID', `${flag}: ${moment.wrong}`);
}

export function invalid(message: string, hint?: string): KubetapeError {
  return new KubetapeError('QUESTION_INVALID', message, hint === undefined ? {} : { hint });
}
