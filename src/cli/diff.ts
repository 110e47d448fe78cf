/** `kubetape diff`: two versions of an object, field by field. Exit 0 where nothing differs, 1 where something does, 2 where it failed. */
import { styleText } from 'node:util';
import { Argument, Option } from 'commander';
import { KubetapeError } from '../events/errors.ts';
import { isBefore } from '../events/version-order.ts';
import { pathText } from '../diff/path.ts';
import { shownSides } from '../diff/masking.ts';
import { differenceLines, shownDifferences } from '../past/difference-lines.ts';
import { changeText } from '../past/change-text.ts';
import { shortName } from '../past/kinds.ts';
import type { Version } from '../past/ports.ts';
import { rfc3339 } from '../past/times.ts';
import { ask, askFlags, invalid, placeFlags, timeOf, type Asking, type PlaceOptions } from './asking.ts';
import type { Context, Define } from './context.ts';
import { CLOCKS_DIFFER_MS } from './history.ts';
import { checkBeginning } from './missing.ts';
import { oneName, wantedOf, type OneName, type Wanted } from './one-name.ts';
import { bold } from './output/style.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly since?: string;
  readonly all?: boolean;
  readonly output: 'text' | 'json';
}

export const defineDiff: Define = (command, context) => {
  command.description(
    'What differs between two versions of an object. Without a revision: what the last change was; with one: from it to now; with --since: from then to now. Exit 0 same, 1 differs, 2 failed.',
  );
  examples(command, [
    [`${context.name} diff deploy/checkout -n shop`, 'the last change'],
    [`${context.name} diff deploy/checkout 48190 48213 -n shop`, 'two revisions, as `history` names them'],
    [`${context.name} diff deploy/checkout --since 1h`, 'an hour ago and now'],
  ]);
  placeFlags(command)
    .usage('TYPE/NAME [REV [REV]] [flags]')
    .addArgument(new Argument('[object...]', 'TYPE/NAME or TYPE NAME, and up to two revisions'))
    .addOption(new Option('--since <time>', 'from then to now: 15m, 2h, 10:05, RFC 3339'))
    .addOption(new Option('--all', 'everything that differs: counters, heartbeats and time stamps too'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'));
  askFlags(command, 'ask').action(async (words: readonly string[], options: Options) => {
    // Whatever fails must not look like a difference.
    context.failureCode = 2;
    const wanted = wantedOf(words);
    const bad = wanted.rest.find((word) => !/^[1-9]\d{0,18}$/.test(word));
    if (bad !== undefined)
      throw invalid(
        `"${bad}" is no revision`,
        `Revisions are numbers, as \`${context.name} history ${wanted.type}/${wanted.name}\` shows them.`,
      );
    if (wanted.rest.length > 2) throw invalid('two revisions at most can be compared');
    if (wanted.rest.length > 0 && options.since !== undefined) throw invalid('revisions and --since do not go together');
    await ask(command, context, options, (asking) => diff(asking, wanted, options, context));
  });
};

type Side = Version | null;

async function diff(asking: Asking, wanted: Wanted, options: Options, context: Context): Promise<number> {
  const one = await oneName(asking, wanted);
  const all = options.all === true;
  const [before, after] =
    options.since !== undefined
      ? await sinceThen(asking, one, options.since)
      : wanted.rest.length > 0
        ? await betweenRevisions(asking, one, wanted.rest, context)
        : await lastChange(asking, one, all);
  const differences = shownDifferences(objectOf(before), objectOf(after), all);
  const { stdout } = context;
  if (options.output === 'json') {
    const shown = differences.map((one) => ({ path: pathText(one.path), kind: one.kind, ...shownSides(one) }));
    stdout.write(`${JSON.stringify({ before: sideJson(before), after: sideJson(after), differences: shown }, null, 2)}\n`);
  } else if (differences.length > 0) {
    const name = `${shortName(one.type)}/${one.name}`;
    stdout.write(`${bold(`--- ${sideText(name, before)}`, stdout)}\n${bold(`+++ ${sideText(name, after)}`, stdout)}\n`);
    for (const { sign, text } of differenceLines(differences))
      stdout.write(`${painted(`${sign}${sign === ' ' ? '' : ' '}${text}`, sign, stdout)}\n`);
  }
  if (differences.length === 0) asking.remark('Nothing of interest differs.');
  return differences.length === 0 ? 0 : 1;
}

/** Of something that is gone, nothing is there. */
function objectOf(side: Side): Version['object'] {
  return side === null || side.op === 'd' ? null : side.object;
}

function painted(text: string, sign: string, stream: NodeJS.WritableStream): string {
  return sign === ' ' ? text : styleText(sign === '-' ? 'red' : 'green', text, { stream });
}

function sideText(name: string, side: Side): string {
  if (side === null) return `${name}  not there`;
  const by = side.by === null ? '' : `  (${side.by})`;
  return `${name}  rev ${side.resourceVersion}  ${rfc3339(side.changedAtMs)}${side.op === 'd' ? '  deleted' : ''}${by}`;
}

function sideJson(side: Side): unknown {
  if (side === null) return null;
  const { uid, resourceVersion, epoch, changedAtMs, by, op } = side;
  return { uid, resourceVersion, epoch, at: new Date(changedAtMs).toISOString(), by, deleted: op === 'd' };
}

/** The newest change in which something of interest differs. */
async function lastChange({ past, cluster, nowMs }: Asking, one: OneName, all: boolean): Promise<[Side, Side]> {
  const which = { sinceMs: 0, untilMs: nowMs + CLOCKS_DIFFER_MS, limit: 100, uids: one.uids };
  const changes = await past.changes([one.type], { cluster, namespace: one.namespace }, which);
  const newest = changes.find((change) => all || changeText(change) !== '') ?? changes[0];
  if (newest === undefined) throw new KubetapeError('NOT_RECORDED', `no version of ${one.name} is kept any more`);
  const older = changes.find((change) => change.uid === newest.uid && isBefore(change, newest));
  if (older !== undefined || newest.before === null) return [older ?? null, newest];
  return [{ ...newest, ...newest.before, resourceVersion: 'before', by: null }, newest];
}

async function betweenRevisions(asking: Asking, one: OneName, revisions: readonly string[], { name }: Context): Promise<[Side, Side]> {
  const found = await asking.past.revisions(one.type, asking.cluster, one.uids, revisions);
  const sides = revisions.map((revision) => {
    const version = found.find(({ resourceVersion }) => resourceVersion === revision);
    if (version !== undefined) return version;
    throw new KubetapeError('NOT_RECORDED', `${shortName(one.type)}/${one.name} has no revision ${revision}`, {
      hint: `\`${name} history ${shortName(one.type)}/${one.name} -n ${one.namespace} --all\` shows those that are kept.`,
    });
  });
  return [sides[0] ?? null, sides[1] ?? (await now(asking, one))];
}

async function sinceThen(asking: Asking, one: OneName, since: string): Promise<[Side, Side]> {
  const atMs = timeOf('--since', since, asking.nowMs);
  await checkBeginning(asking, [one.type], atMs);
  return [await sideAt(asking, one, atMs), await now(asking, one)];
}

function now(asking: Asking, one: OneName): Promise<Side> {
  return sideAt(asking, one, null);
}

/** The history knows who; of what has not changed for long, only the present is left. */
async function sideAt({ past, cluster }: Asking, one: OneName, atMs: number | null): Promise<Side> {
  const [version] = await past.versions(one.type, cluster, one.uids, { untilMs: atMs, limit: 1 });
  if (version !== undefined) return version;
  const [there] = await past.objects(one.type, { cluster, namespace: one.namespace }, { names: [one.name], labels: [], atMs });
  return there ?? null;
}
