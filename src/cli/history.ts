/** `kubetape history`: the versions of one object, each with what it changed. */
import { Argument, InvalidArgumentError, Option } from 'commander';
import { historyLines, type Which } from '../past/history-lines.ts';
import { nameOfType } from '../past/kinds.ts';
import { rfc3339 } from '../past/times.ts';
import { ask, askFlags, placeFlags, timeOf, type Asking, type PlaceOptions } from './asking.ts';
import type { Context, Define } from './context.ts';
import { oneName, wantedOf, type Wanted } from './one-name.ts';
import { changeJson, changesText, LIST_OUTPUTS, recordsText, type ListOutput } from './output/changes.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly since?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly spec?: boolean;
  readonly output: ListOutput;
  readonly headers: boolean;
}

export const defineHistory: Define = (command, context) => {
  command.description(
    'What happened to an object, the newest first; of all objects that have had its name. Time that nobody watched is a line of its own.',
  );
  examples(command, [
    [`${context.name} history deploy/checkout -n shop`, ''],
    [`${context.name} history pod checkout-7d9f-x2k --all`, 'with the versions that changed nothing of interest'],
    [`${context.name} history cm/settings --since 2d -o json`, 'for a script'],
  ]);
  placeFlags(command)
    .usage('TYPE/NAME [flags]')
    .addArgument(new Argument('[object...]', 'TYPE/NAME, or TYPE NAME'))
    .addOption(new Option('--since <time>', 'not what is older: 15m, 2h, 10:05, RFC 3339'))
    .addOption(limitOption(200))
    .addOption(new Option('--spec', 'only what somebody wanted, not what the status says of it').conflicts('all'))
    .addOption(new Option('--all', 'versions too that changed nothing of interest'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(LIST_OUTPUTS).default('table'))
    .addOption(new Option('--no-headers', 'no line of column names'));
  askFlags(command, 'ask').action(async (words: readonly string[], options: Options) => {
    const wanted = wantedOf(words);
    await ask(command, context, options, (asking) => history(asking, wanted, options, context));
  });
};

/** The collector's clock may be ahead of this one. */
export const CLOCKS_DIFFER_MS = 3_600_000;

async function history(asking: Asking, wanted: Wanted, options: Options, { stdout }: Context): Promise<void> {
  const { past, cluster, nowMs } = asking;
  const sinceMs = options.since === undefined ? null : timeOf('--since', options.since, nowMs);
  const one = await oneName(asking, wanted);
  // One more than is shown, to know whether there is more.
  const which = { sinceMs: sinceMs ?? 0, untilMs: nowMs + CLOCKS_DIFFER_MS, limit: options.limit + 1, uids: one.uids };
  const read = await past.changes([one.type], { cluster, namespace: one.namespace }, which);
  const changes = read.slice(0, options.limit);
  const oldestMs = changes.length < read.length ? (changes.at(-1)?.changedAtMs ?? 0) : which.sinceMs;
  const gaps = await past.gaps([one.type], { cluster, namespace: one.namespace }, oldestMs, nowMs);
  const { lines, hidden } = historyLines(changes, gaps, whichOf(options));
  if (options.output === 'table') {
    if (lines.length > 0)
      stdout.write(changesText(lines, { headers: options.headers, nowMs, objects: 'none', types: asking.types, stream: stdout }));
  } else stdout.write(recordsText(lines.map(changeJson), options.output));
  if (lines.length === 0 && hidden === 0)
    asking.remark(`Nothing has happened to ${nameOfType(one.type)}/${one.name}${sinceMs === null ? '' : ` since ${rfc3339(sinceMs)}`}.`);
  if (hidden > 0) asking.remark(hiddenText(hidden, whichOf(options)));
  if (changes.length < read.length) asking.remark(`There are older versions; --limit shows more than ${options.limit}.`);
}

export function whichOf({ all, spec }: { readonly all?: boolean; readonly spec?: boolean }): Which {
  return all === true ? 'all' : spec === true ? 'spec' : 'interest';
}

/** What is said of lines that are not shown. */
export function hiddenText(hidden: number, which: Which): string {
  const of = which === 'spec' ? 'changed the status only, or nothing of interest' : 'changed nothing of interest';
  return `${hidden} version${hidden === 1 ? '' : 's'} ${of}; --all shows ${hidden === 1 ? 'it' : 'them'}.`;
}

export function limitOption(most: number): Option {
  return new Option('--limit <n>', 'most lines').argParser(count).default(most);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It is a number from 1 on.');
  return Number(text);
}
