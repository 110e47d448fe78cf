/** `kubetape changes`: what changed of late, of all objects or of some. */
import { Argument, Option } from 'commander';
import { linesOf, type Which } from '../past/history-lines.ts';
import type { RecordedType } from '../past/ports.ts';
import { parseTargets } from '../past/targets.ts';
import { rfc3339 } from '../past/times.ts';
import { ask, askFlags, invalid, placeFlags, timeOf, typeOf, type Asking, type PlaceOptions } from './asking.ts';
import type { Context, Define } from './context.ts';
import { follow } from './follow.ts';
import { CLOCKS_DIFFER_MS, hiddenText, limitOption, whichOf } from './history.ts';
import { changeJson, changesText, LIST_OUTPUTS, recordsText, type ListOutput } from './output/changes.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly since: string;
  readonly until?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly spec?: boolean;
  readonly watch?: boolean;
  readonly output: ListOutput;
  readonly headers: boolean;
}

export const defineChanges: Define = (command, context) => {
  command.description(
    'What changed, who did it, and what it was before; the newest first, with -w the newest last and then what comes. Events are left out unless they are named.',
  );
  examples(command, [
    [`${context.name} changes -n shop`, 'in the last 15 minutes'],
    [`${context.name} changes deploy,cm -A --since 2h`, ''],
    [`${context.name} changes -A -w`, 'and go on'],
    [`${context.name} changes --since 02:50 --until 03:10 -o jsonl`, 'for a script'],
  ]);
  placeFlags(command)
    .usage('[TYPE] [flags]')
    .addArgument(new Argument('[type...]', 'types, with commas, or TYPE/NAME ...; without any: all but Events'))
    .addOption(new Option('--since <time>', 'not what is older: 15m, 2h, 10:05, RFC 3339').default('15m'))
    .addOption(new Option('--until <time>', 'not what is newer'))
    .addOption(limitOption(500))
    .addOption(new Option('--spec', 'only what somebody wanted, not what the status says of it').conflicts('all'))
    .addOption(new Option('--all', 'versions too that changed nothing of interest'))
    .addOption(new Option('-w, --watch', 'then print what changes, as it is recorded'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(LIST_OUTPUTS).default('table'))
    .addOption(new Option('--no-headers', 'no line of column names'));
  askFlags(command, 'ask').action(async (words: readonly string[], options: Options) => {
    const parsed = parseTargets(words);
    if ('wrong' in parsed) throw invalid(parsed.wrong);
    if (options.watch === true && options.until !== undefined) throw invalid('--watch goes on from now: it does not go with --until');
    if (options.watch === true && options.output === 'json') throw invalid('--watch has no end, and JSON would need one: take -o jsonl');
    await ask(command, context, options, (asking) => changes(asking, parsed.targets, options, context));
  });
};

async function changes(
  asking: Asking,
  targets: readonly { readonly type: string; readonly name?: string }[],
  options: Options,
  { stdout }: Context,
): Promise<number> {
  const { past, nowMs } = asking;
  const sinceMs = timeOf('--since', options.since, nowMs);
  const untilMs = options.until === undefined ? null : timeOf('--until', options.until, nowMs);
  if (untilMs !== null && untilMs < sinceMs) throw invalid('--until is before --since');
  const types = typesOf(targets, asking.types);
  const uids = await uidsOf(asking, targets);
  const cursor = options.watch === true ? await past.end(types) : null;
  const which = { sinceMs, untilMs: untilMs ?? nowMs + CLOCKS_DIFFER_MS, limit: options.limit + 1, uids };
  const read = await past.changes(types, asking, which);
  const shown = read.slice(0, options.limit);
  const fromMs = shown.length < read.length ? (shown.at(-1)?.changedAtMs ?? sinceMs) : sinceMs;
  const gaps = await past.gaps(types, asking, fromMs, untilMs ?? nowMs);
  const { lines, hidden } = linesOf(shown, gaps, whichOf(options));
  const shape = {
    headers: options.headers,
    nowMs,
    objects: asking.namespace === null ? 'namespaces' : 'names',
    types: asking.types,
    stream: stdout,
  } as const;
  const ordered = cursor === null ? lines : lines.toReversed();
  if (options.output !== 'table') stdout.write(recordsText(ordered.map(changeJson), options.output));
  else if (ordered.length > 0) stdout.write(changesText(ordered, shape));
  await sayAround(asking, {
    types,
    sinceMs,
    lines: lines.length,
    hidden,
    which: whichOf(options),
    cut: shown.length < read.length,
    limit: options.limit,
  });
  if (cursor === null) return 0;
  return follow(asking, types, cursor, (change) => {
    if (uids !== null && !uids.includes(change.uid)) return;
    const { lines: more } = linesOf([change], [], whichOf(options));
    if (more.length === 0) return;
    stdout.write(
      options.output === 'table'
        ? changesText(more, { ...shape, headers: false, nowMs: Date.now() })
        : recordsText(more.map(changeJson), 'jsonl'),
    );
  });
}

interface Around {
  readonly types: readonly RecordedType[];
  readonly sinceMs: number;
  readonly lines: number;
  readonly hidden: number;
  readonly which: Which;
  readonly cut: boolean;
  readonly limit: number;
}

async function sayAround(asking: Asking, { types, sinceMs, lines, hidden, which, cut, limit }: Around): Promise<void> {
  const where = asking.namespace === null ? '' : ` in namespace ${asking.namespace}`;
  if (lines === 0) asking.remark(`Nothing${hidden > 0 ? ' of interest' : ''} has changed${where} since ${rfc3339(sinceMs)}.`);
  if (hidden > 0) asking.remark(hiddenText(hidden, which));
  if (cut) asking.remark(`There is more; --limit shows more than ${limit}.`);
  const began = Math.min(...(await asking.past.beginning(types, asking.cluster)).values());
  if (began > sinceMs && Number.isFinite(began)) asking.remark(`The record begins at ${rfc3339(began)}.`);
}

/** Events are no changes of the cluster: they tell of some. */
export function typesOf(targets: readonly { readonly type: string }[], types: readonly RecordedType[]): RecordedType[] {
  if (targets.length === 0) return types.filter(({ resource }) => resource !== 'events');
  return [...new Set(targets.map(({ type }) => typeOf(type, types)))];
}

/** Of the objects that are named; null where none is. */
async function uidsOf(asking: Asking, targets: readonly { readonly type: string; readonly name?: string }[]): Promise<string[] | null> {
  const named = targets.filter(({ name }) => name !== undefined);
  if (named.length === 0) return null;
  const uids: string[] = [];
  for (const { type, name } of named) {
    const found = await asking.past.incarnations(typeOf(type, asking.types), asking, name ?? '');
    uids.push(...found.map(({ uid }) => uid));
  }
  return uids;
}
