/** `kubetape get`: objects as they are, or as they were. */
import { Argument, Option } from 'commander';
import type { TableColumn } from '../columns/table.ts';
import type { KubetapeError } from '../events/errors.ts';
import { gapText } from '../past/gap-text.ts';
import type { Listed, RecordedType, Requirement, Which } from '../past/ports.ts';
import { labelsOf, matches, parseSelector } from '../past/selector.ts';
import { parseTargets, type Target } from '../past/targets.ts';
import { ask, askFlags, invalid, placeFlags, timeOf, typeOf, type Asking, type PlaceOptions } from './asking.ts';
import type { Context, Define } from './context.ts';
import { follow } from './follow.ts';
import { checkBeginning, missing } from './missing.ts';
import { columnsFor, foundText, listedOf, OUTPUTS, type OfType, type Output } from './output/objects.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly at?: string;
  readonly selector?: string;
  readonly output?: Output;
  readonly watch?: boolean;
  readonly headers: boolean;
  readonly showLabels?: boolean;
}

export const defineGet: Define = (command, context) => {
  command.description(
    'Objects as they are recorded now, or as they were at a time, in the columns of kubectl. With -o yaml they are what `kubectl apply` takes.',
  );
  examples(command, [
    [`${context.name} get pods -n shop --at 15m`, 'as they were a quarter of an hour ago'],
    [`${context.name} get deploy/checkout --at 10:05 -o yaml | kubectl apply -f -`, 'back to how it was'],
    [`${context.name} get po,svc -A -l app=checkout -o wide`, ''],
    [`${context.name} get pods -w`, 'and go on with what changes'],
  ]);
  placeFlags(command)
    .usage('TYPE[/NAME] [NAME ...] [flags]')
    .addArgument(new Argument('[type...]', 'TYPE, TYPE/NAME, or TYPE NAME ...; several types with commas'))
    .addOption(new Option('--at <time>', 'as of then: 15m, 2h, 10:05, 2026-11-20T10:05, RFC 3339'))
    .addOption(new Option('-l, --selector <labels>', 'only objects with these labels: app=web,tier!=db,env in (a,b)'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(OUTPUTS))
    .addOption(new Option('-w, --watch', 'then print what changes, as it is recorded'))
    .addOption(new Option('--no-headers', 'no line of column names'))
    .addOption(new Option('--show-labels', 'a column with all labels'));
  askFlags(command, 'ask').action(async (words: readonly string[], options: Options) => {
    const targets = targetsOf(words);
    const labels = requirementsOf(options.selector);
    if (options.watch === true && options.at !== undefined) throw invalid('--watch goes on from now: it does not go with --at');
    if (targets.some(({ name }) => name !== undefined) && labels.length > 0) throw invalid('a name and -l do not go together');
    if (options.allNamespaces === true && targets.some(({ name }) => name !== undefined))
      throw invalid('an object by its name is in one namespace: say which with -n');
    await ask(command, context, options, async (asking) => get(asking, targets, labels, options, context));
  });
};

function targetsOf(words: readonly string[]): readonly Target[] {
  const parsed = parseTargets(words);
  if ('wrong' in parsed) throw invalid(parsed.wrong);
  if (parsed.targets.length === 0) throw invalid('say what to get: a type like pods, or TYPE/NAME');
  return parsed.targets;
}

export function requirementsOf(selector: string | undefined): readonly Requirement[] {
  const parsed = parseSelector(selector ?? '');
  if ('wrong' in parsed) throw invalid(parsed.wrong);
  return parsed.requirements;
}

/** Objects of one type, as they were asked for together. */
interface Batch {
  readonly type: RecordedType;
  /** null for all. */
  readonly names: string[] | null;
}

async function get(
  asking: Asking,
  targets: readonly Target[],
  labels: readonly Requirement[],
  options: Options,
  context: Context,
): Promise<number> {
  const atMs = options.at === undefined ? null : timeOf('--at', options.at, asking.nowMs);
  const batches = batchesOf(targets, asking.types);
  const types = batches.map(({ type }) => type);
  if (atMs !== null) await checkBeginning(asking, types, atMs);
  const cursor = options.watch === true ? await asking.past.end(types) : null;
  const single = targets.length === 1 && targets[0]?.name !== undefined;
  const shape = {
    output: options.output ?? 'table',
    single,
    headers: options.headers,
    namespaces: asking.namespace === null,
    prefixed: batches.length > 1,
    labels: options.showLabels === true,
    nowMs: atMs ?? asking.nowMs,
  } as const;
  const listed: OfType<Listed>[] = [];
  const errors: KubetapeError[] = [];
  for (const { type, names } of batches) {
    const found = await read(asking, type, { names, labels, atMs }, columnsFor(type, shape));
    listed.push({ type, found });
    const at = atMs === null ? '' : ` at ${new Date(atMs).toISOString()}`;
    for (const name of names ?? []) if (!found.some((one) => one.name === name)) errors.push(await missing(asking, type, name, at));
  }
  const { text, remarks } = foundText(listed, shape);
  context.stdout.write(text);
  for (const one of remarks) asking.remark(one);
  if (errors.length === 0 && listed.every(({ found }) => found.length === 0))
    asking.remark(`No resources found${asking.namespace === null ? '' : ` in ${asking.namespace} namespace`}.`);
  await sayGaps(asking, types, atMs);
  const [first, ...others] = errors;
  for (const { message } of others) context.stderr.write(`error: ${message}\n`);
  if (first !== undefined) throw first;
  if (cursor === null) return 0;
  const names = new Map(batches.map((batch) => [batch.type.resource, batch.names]));
  return follow(asking, types, cursor, (change) => {
    const wanted = names.get(change.resource);
    if (change.object === null || (wanted !== null && wanted?.includes(change.name) !== true) || !matches(labels, labelsOf(change.object)))
      return;
    const type = types.find(({ resource }) => resource === change.resource);
    if (type === undefined) return;
    const now = { ...shape, headers: false, nowMs: Date.now(), single: true, prefixed: types.length > 1 };
    context.stdout.write(foundText([{ type, found: listedOf(change) }], now).text);
  });
}

/** @param columns null: whole objects are needed */
async function read(asking: Asking, type: RecordedType, which: Which, columns: readonly TableColumn[] | null): Promise<readonly Listed[]> {
  if (columns !== null) return asking.past.listed(type, asking, which, columns);
  return (await asking.past.objects(type, asking, which)).flatMap(listedOf);
}

/** What is shown is what was seen: at a time that nobody watched it may have been otherwise. */
async function sayGaps(asking: Asking, types: readonly RecordedType[], atMs: number | null): Promise<void> {
  const then = atMs ?? asking.nowMs;
  for (const gap of await asking.past.gaps(types, asking, then - 1, then)) asking.remark(`${gap.resource}: ${gapText(gap)}`);
}

function batchesOf(targets: readonly Target[], types: readonly RecordedType[]): Batch[] {
  const batches = new Map<string, Batch>();
  for (const { type: word, name } of targets) {
    const type = typeOf(word, types);
    const batch = batches.get(type.resource) ?? { type, names: name === undefined ? null : [] };
    if (name !== undefined) batch.names?.push(name);
    batches.set(type.resource, batch);
  }
  return [...batches.values()];
}
