/** `kubetape blame`: an object as YAML, and who last set each line. */
import { Argument, Option } from 'commander';
import { KubetapeError } from '../events/errors.ts';
import { blameLines, type BlamedLine } from '../past/blame.ts';
import { shortName } from '../past/kinds.ts';
import { humanDuration } from '../past/times.ts';
import { ask, askFlags, placeFlags, timeOf, type Asking, type PlaceOptions } from './asking.ts';
import type { Context, Define } from './context.ts';
import { oneName, wantedOf, type Wanted } from './one-name.ts';
import { recordsText } from './output/changes.ts';
import { columnsText } from './output/columns.ts';
import { dim } from './output/style.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly at?: string;
  readonly output: 'table' | 'json' | 'jsonl';
}

/** So many versions of an object are looked through. */
const VERSIONS_MAX = 5_000;

export const defineBlame: Define = (command, context) => {
  command.description('An object as YAML, and for each line the revision, the time and the field manager that last set it.');
  examples(command, [
    [`${context.name} blame deploy/checkout -n shop`, ''],
    [`${context.name} blame cm/settings --at 2h`, 'as it was two hours ago'],
  ]);
  placeFlags(command)
    .usage('TYPE/NAME [flags]')
    .addArgument(new Argument('[object...]', 'TYPE/NAME, or TYPE NAME'))
    .addOption(new Option('--at <time>', 'as of then: 15m, 2h, 10:05, RFC 3339'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['table', 'json', 'jsonl']).default('table'));
  askFlags(command, 'ask').action(async (words: readonly string[], options: Options) => {
    const wanted = wantedOf(words);
    await ask(command, context, options, (asking) => blame(asking, wanted, options, context));
  });
};

async function blame(asking: Asking, wanted: Wanted, options: Options, { stdout }: Context): Promise<void> {
  const { past, cluster, nowMs } = asking;
  const atMs = options.at === undefined ? null : timeOf('--at', options.at, nowMs);
  const { type, name, uids } = await oneName(asking, wanted);
  const [newest] = await past.versions(type, cluster, uids, { untilMs: atMs, limit: 1 });
  if (newest === undefined) throw new KubetapeError('NOT_RECORDED', `no version of ${shortName(type)}/${name} is kept from that time`);
  const versions = await past.versions(type, cluster, [newest.uid], { untilMs: atMs, limit: VERSIONS_MAX });
  const lines = blameLines(versions.toReversed());
  if (newest.op === 'd') asking.remark(`It was deleted ${humanDuration(nowMs - newest.changedAtMs)} ago; this is its last state.`);
  if (lines.some(({ atBoundary }) => atBoundary))
    asking.remark('^ was there when the record begins: it may be older, and somebody else’s.');
  if (options.output !== 'table') {
    stdout.write(recordsText(lines.map(lineJson), options.output));
    return;
  }
  const rows = lines.map(({ text, version, atBoundary }) => [
    `${atBoundary ? '^' : ''}${version.resourceVersion}`,
    humanDuration(Math.max(0, nowMs - version.changedAtMs)),
    version.by ?? '-',
    text,
  ]);
  stdout.write(columnsText(null, rows, (cell, column) => (column < 3 ? dim(cell, stdout) : cell)));
}

function lineJson({ text, version, atBoundary }: BlamedLine): unknown {
  const { resourceVersion, changedAtMs, by } = version;
  return { line: text, resourceVersion, at: new Date(changedAtMs).toISOString(), by, atBoundary };
}
