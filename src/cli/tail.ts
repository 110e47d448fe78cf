/** `kubetape tail`: changes as they come through Kafka. */
import { styleText } from 'node:util';
import { Argument, Option, type Command } from 'commander';
import { currentContext } from '../config/current-context.ts';
import type { SettingsOf } from '../config/roles.ts';
import type { ChangeRecord } from '../events/change.ts';
import { changeText, OP_SIGNS, OP_WORDS } from '../past/change-text.ts';
import { parseCondition, type Subject } from '../past/expression.ts';
import { findType, shortName, singularOf } from '../past/kinds.ts';
import { LiveChanges } from '../past/live.ts';
import { recordedObject } from '../past/manifest.ts';
import type { RecordedType, Requirement } from '../past/ports.ts';
import { labelsOf, matches } from '../past/selector.ts';
import { parseTargets, type Target } from '../past/targets.ts';
import { askFlags, invalid, placeFlags, remark, settingArgv, timeOf, type PlaceOptions } from './asking.ts';
import type { Context, Define } from './context.ts';
import { requirementsOf } from './get.ts';
import { KubetapeError } from '../events/errors.ts';
import { harmless } from './output/columns.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly where?: string;
  readonly selector?: string;
  readonly since?: string;
  readonly all?: boolean;
  readonly output: 'text' | 'jsonl';
}

/** So many objects are remembered, to tell what a change changed. */
const OBJECTS_MAX = 20_000;
const INTERRUPTED = 130;

export const defineTail: Define = (command, context) => {
  command.description(
    'Changes as they come through Kafka, from now on or from a time on. What an object was before the first change that is seen of it is asked of the database, where one is named (--database-url, DATABASE_URL).',
  );
  examples(command, [
    [`${context.name} tail -n shop`, ''],
    [`${context.name} tail deploy/checkout --since 10m`, 'with what Kafka still holds of the last ten minutes'],
    [`${context.name} tail -A --where 'op == "delete" || kind == "Deployment"'`, ''],
    [`${context.name} tail po -A --where 'object.status.phase == "Failed"' -o jsonl`, 'for a program'],
  ]);
  placeFlags(command)
    .usage('[TYPE[/NAME]] [flags]')
    .addArgument(new Argument('[type...]', 'types, with commas, or TYPE/NAME ...; without any: all but Events'))
    .addOption(
      new Option(
        '--where <condition>',
        'only changes of which it is true: op, resource, kind, namespace, name, by, summary, labels., object.',
      ),
    )
    .addOption(new Option('-l, --selector <labels>', 'only objects with these labels'))
    .addOption(new Option('--since <time>', 'begin then instead of now: 15m, 2h, 10:05, RFC 3339'))
    .addOption(new Option('--all', 'versions too that changed nothing of interest'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'jsonl']).default('text'));
  askFlags(askFlags(command, 'tail'), 'ask').action(async (words: readonly string[], options: Options) =>
    tail(command, context, words, options),
  );
};

async function tail(command: Command, context: Context, words: readonly string[], options: Options): Promise<void> {
  const parsed = parseTargets(words);
  if ('wrong' in parsed) throw invalid(parsed.wrong);
  const condition = options.where === undefined ? null : parseCondition(options.where);
  if (condition !== null && 'wrong' in condition) throw invalid(`--where: ${condition.wrong}`);
  const sinceMs = options.since === undefined ? null : timeOf('--since', options.since, Date.now());
  const { resolve, settings } = await import('../config/settings.ts');
  const { settings: values } = settings('tail', { argv: settingArgv(command, 'tail'), env: context.env });
  const namespace = options.allNamespaces === true ? null : (options.namespace ?? (await currentContext(values, context.env)).namespace);
  const { openTail, Predecessors } = await import('../app/tail.ts');
  const database = resolve('ask', { argv: settingArgv(command, 'ask'), env: context.env });
  const predecessors = await Predecessors.open(database.problems.length === 0 ? (database.values as SettingsOf<'ask'>) : null, (error) =>
    remark(`${error.message}; of the first change of an object, what it was before is not known`, context),
  );
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let targets: readonly Chosen[] = [];
  const live = await openTail(
    values,
    (resources) => (targets = chosenOf(parsed.targets, resources)).map(({ resource }) => resource),
    sinceMs,
  );
  const filter = {
    cluster: values.cluster,
    namespace,
    targets,
    labels: requirementsOf(options.selector),
    test: condition?.test ?? null,
    all: options.all === true,
  };
  const memory = new LiveChanges(OBJECTS_MAX);
  const print = printer(options.output, namespace === null, context);
  try {
    if (sinceMs === null)
      remark(
        `waiting for changes of ${[...new Set(targets.map(({ resource }) => resource))].join(', ')}${namespace === null ? '' : ` in namespace ${namespace}`}`,
        context,
      );
    const { unreadable } = await live.run(async (record) => {
      if (!isWanted(record, filter)) return;
      const seen = memory.changeOf(record);
      const before = seen.isFirst && seen.op === 'u' ? await predecessors.of(record.cluster, seen) : seen.before;
      const text = before === null && seen.op === 'u' ? FIRST : changeText({ ...seen, before });
      if (text === '' && !filter.all) return;
      if (filter.test === null || filter.test(subjectOf(record, text))) print(record, text);
    }, stop.signal);
    if (unreadable > 0) remark(`${unreadable} records were no change records.`, context);
  } finally {
    await live.stop();
    await predecessors.close();
  }
  context.exitCode = INTERRUPTED;
}

const FIRST = 'changed; what it was before is not known here';

interface Chosen {
  readonly resource: string;
  readonly name: string | null;
}

/** Topics know no kinds: a kind is guessed from the plural. */
function chosenOf(targets: readonly Target[], resources: readonly string[]): Chosen[] {
  if (targets.length === 0) return resources.filter((resource) => resource !== 'events').map((resource) => ({ resource, name: null }));
  const types = resources.map((resource): RecordedType => {
    const [plural = '', ...group] = resource.split('.');
    return { resource, table: '', group: group.join('.'), kind: singularOf(plural), columns: [] };
  });
  return targets.map(({ type, name }) => {
    const found = findType(type, types);
    if ('wrong' in found) throw new KubetapeError('NOT_RECORDED', found.wrong, { hint: found.hint });
    return { resource: found.type.resource, name: name ?? null };
  });
}

interface Filter {
  readonly cluster: string | undefined;
  readonly namespace: string | null;
  readonly targets: readonly Chosen[];
  readonly labels: readonly Requirement[];
}

function isWanted({ cluster, source, object }: ChangeRecord, filter: Filter): boolean {
  if (filter.cluster !== undefined && cluster !== filter.cluster) return false;
  if (filter.namespace !== null && source.namespace !== '' && source.namespace !== filter.namespace) return false;
  if (!filter.targets.some(({ resource, name }) => resource === source.resource && (name === null || name === source.name))) return false;
  return matches(filter.labels, labelsOf(object));
}

function subjectOf({ op, source, by, object }: ChangeRecord, summary: string): Subject {
  const { resource, kind, namespace, name, synthetic } = source;
  return {
    op: OP_WORDS[op],
    resource,
    kind,
    namespace,
    name,
    by: by?.manager ?? null,
    summary,
    synthetic,
    labels: labelsOf(object),
    object: recordedObject(object),
  };
}

const COLOURS = { c: 'green', r: 'green', u: 'yellow', d: 'red' } as const;
const WIDTH = 32;

function printer(output: Options['output'], withNamespace: boolean, { stdout }: Context): (record: ChangeRecord, text: string) => void {
  if (output === 'jsonl')
    return (record, summary) => {
      const { op, ts, cluster, source, by, object } = record;
      stdout.write(
        `${JSON.stringify({ op: OP_WORDS[op], at: ts, cluster, ...source, by: by?.manager ?? null, summary, object: recordedObject(object) })}\n`,
      );
    };
  return ({ op, ts, source, by }, text) => {
    const name = `${withNamespace && source.namespace !== '' ? `${source.namespace} ` : ''}${shortName(source)}/${source.name}`;
    const at = new Date(ts);
    const clock = `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
    const sign = styleText(COLOURS[op], OP_SIGNS[op], { stream: stdout });
    const age = styleText('dim', `(${by === null ? '' : `${by.manager}, `}age ${ageText(Date.now() - at.getTime())})`, { stream: stdout });
    stdout.write(`${clock} ${sign} ${harmless(name).padEnd(WIDTH)} ${harmless(text === '' ? '-' : text)}  ${age}\n`);
  };
}

function ageText(ms: number): string {
  return ms < 1000 ? `${Math.max(0, ms)}ms` : `${(ms / 1000).toFixed(1)}s`;
}
