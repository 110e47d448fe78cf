/** `kubetape timeline`: a namespace over time, one bar for each object, under its owner. */
import { InvalidArgumentError, Option } from 'commander';
import { gapText } from '../past/gap-text.ts';
import { shortName } from '../past/kinds.ts';
import type { Gap } from '../past/ports.ts';
import { timeline, MARKS, type TimelineRow } from '../past/timeline.ts';
import { humanDuration, rfc3339 } from '../past/times.ts';
import { ask, askFlags, invalid, placeFlags, timeOf, type Asking, type PlaceOptions } from './asking.ts';
import type { Context, Define } from './context.ts';
import { CLOCKS_DIFFER_MS } from './history.ts';
import { LIST_OUTPUTS, recordsText, typeText, type ListOutput } from './output/changes.ts';
import { columnsText } from './output/columns.ts';
import { dim } from './output/style.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly since: string;
  readonly until?: string;
  readonly width: number;
  readonly output: ListOutput;
}

/** More than anybody would look at. */
const CHANGES_MAX = 20_000;

export const defineTimeline: Define = (command, context) => {
  command.description(
    `What happened in a namespace, object by object, under their owners: ${MARKS.there} there, ${MARKS.create} created, ${MARKS.change} changed, ${MARKS.delete} deleted, ${MARKS.warning} warning, ${MARKS.gap} not watched.`,
  );
  examples(command, [
    [`${context.name} timeline -n shop`, 'the last hour'],
    [`${context.name} timeline -n shop --since 02:50 --until 03:10`, ''],
  ]);
  placeFlags(command)
    .addOption(new Option('--since <time>', 'where it begins: 15m, 2h, 10:05, RFC 3339').default('1h'))
    .addOption(new Option('--until <time>', 'where it ends').default('now'))
    .addOption(new Option('--width <cells>', 'how wide a bar is').argParser(cells).default(60))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(LIST_OUTPUTS).default('table'));
  askFlags(command, 'ask').action(async (options: Options) => {
    await ask(command, context, options, (asking) => show(asking, options, context));
  });
};

async function show(asking: Asking, options: Options, { stdout }: Context): Promise<void> {
  const { past, cluster, nowMs, types } = asking;
  const fromMs = timeOf('--since', options.since, nowMs);
  const toMs = timeOf('--until', options.until ?? 'now', nowMs);
  if (toMs <= fromMs) throw invalid('--until is not after --since');
  const untilMs = options.until === 'now' ? nowMs + CLOCKS_DIFFER_MS : toMs;
  const read = await past.changes(types, asking, { sinceMs: fromMs, untilMs, limit: CHANGES_MAX, uids: null });
  const gaps = await past.gaps(types, { cluster, namespace: asking.namespace }, fromMs, toMs);
  const began = Math.min(...(await past.beginning(types, cluster)).values());
  const unwatched = [
    ...gaps,
    ...types.map(({ resource }) => ({ resource, namespace: '', cause: 'before the record', fromMs: 0, toMs: began })),
  ];
  const namespaces = [...new Set(read.map(({ namespace }) => namespace))].toSorted();
  const window = { fromMs, toMs, width: options.width };
  const parts = namespaces.map((namespace) => ({
    namespace,
    rows: timeline(
      read.filter((change) => change.namespace === namespace),
      (began > fromMs ? unwatched : gaps).filter((gap) => gap.namespace === '' || gap.namespace === namespace),
      types,
      window,
    ),
  }));
  if (options.output !== 'table') {
    const records = parts.flatMap(({ namespace, rows }) => rows.map((row) => rowJson(namespace, row)));
    stdout.write(recordsText([...records, ...gaps.map(gapJson)], options.output));
    return;
  }
  const filled = parts.filter(({ rows }) => rows.length > 0);
  for (const [at, { namespace, rows }] of filled.entries())
    stdout.write(`${at === 0 ? '' : '\n'}${partText(namespace, rows, asking, fromMs, toMs, stdout)}`);
  if (filled.length === 0) asking.remark(`Nothing of interest has changed from ${rfc3339(fromMs)} to ${rfc3339(toMs)}.`);
  if (read.length === CHANGES_MAX) asking.remark(`Only the newest ${CHANGES_MAX} changes are shown.`);
  for (const gap of gaps) asking.remark(`${MARKS.gap} ${gap.resource}, until ${rfc3339(gap.toMs)}: ${gapText(gap)}`);
  if (began > fromMs && Number.isFinite(began)) asking.remark(`The record begins at ${rfc3339(began)}.`);
}

function partText(
  namespace: string,
  rows: readonly TimelineRow[],
  { types, nowMs }: Asking,
  fromMs: number,
  toMs: number,
  stream: NodeJS.WritableStream,
): string {
  const width = rows[0]?.bar.length ?? 0;
  const [left, right] = [rfc3339(fromMs), rfc3339(toMs)];
  const axis = width >= left.length + right.length + 1 ? `${left}${' '.repeat(width - left.length - right.length)}${right}` : left;
  const cells = rows.map(({ depth, kind, name, resource, bar, changes, warnings }) => {
    const last = changes.at(-1);
    const count = changes.length + warnings.length;
    const type = resource === '' ? shortName({ resource: `${kind.toLowerCase()}s`, kind }) : typeText(resource, types);
    const text =
      last === undefined
        ? (warnings.at(-1)?.text ?? '')
        : `${humanDuration(Math.max(0, nowMs - last.change.changedAtMs))} ago: ${last.text}`;
    return [`${'  '.repeat(depth)}${type}/${name}`, bar, count === 0 ? '' : String(count), text];
  });
  return columnsText([namespace === '' ? '(cluster)' : namespace, axis, '#', 'LAST'], cells, (cell, column, row) =>
    row >= 0 && rows[row]?.resource === '' && column === 0 ? dim(cell, stream) : cell,
  );
}

function rowJson(namespace: string, { kind, name, resource, depth, changes, warnings }: TimelineRow): unknown {
  return {
    namespace,
    kind,
    name,
    resource: resource === '' ? null : resource,
    depth,
    changes: changes.map(({ change, text }) => ({
      at: new Date(change.changedAtMs).toISOString(),
      op: change.op,
      resourceVersion: change.resourceVersion,
      by: change.by,
      summary: text,
    })),
    warnings: warnings.map(({ atMs, text }) => ({ at: new Date(atMs).toISOString(), text })),
  };
}

function gapJson({ resource, namespace, cause, fromMs, toMs }: Gap): unknown {
  return { gap: true, resource, namespace, cause, from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

function cells(text: string): number {
  const width = Number(text);
  if (!Number.isInteger(width) || width < 10 || width > 500) throw new InvalidArgumentError('It is a number from 10 to 500.');
  return width;
}
