/** `kubetape search`: objects by what is in their names, labels and images; deleted ones too. */
import { Argument, Option } from 'commander';
import { foundWhere } from '../past/found-where.ts';
import type { Found } from '../past/ports.ts';
import { humanDuration } from '../past/times.ts';
import { ask, askFlags, invalid, placeFlags, type Asking, type PlaceOptions } from './asking.ts';
import { typesOf } from './changes.ts';
import type { Context, Define } from './context.ts';
import { limitOption } from './history.ts';
import { LIST_OUTPUTS, recordsText, typeText, type ListOutput } from './output/changes.ts';
import { columnsText } from './output/columns.ts';
import { dim } from './output/style.ts';
import { examples } from './setting-flags.ts';

interface Options extends PlaceOptions {
  readonly type?: string;
  readonly limit: number;
  readonly output: ListOutput;
  readonly headers: boolean;
}

export const defineSearch: Define = (command, context) => {
  command.description(
    'Objects with a text in their name, a label or an image, whatever the case of its letters; in all namespaces unless one is named, and deleted ones too.',
  );
  examples(command, [
    [`${context.name} search checkout`, ''],
    [`${context.name} search v42 --type po,deploy`, 'who had that image'],
    [`${context.name} search app.kubernetes.io/part-of=shop -o json`, ''],
  ]);
  placeFlags(command)
    .usage('TEXT [flags]')
    .addArgument(new Argument('[text]', 'what to look for'))
    .addOption(new Option('--type <types>', 'only these types, with commas'))
    .addOption(limitOption(200))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(LIST_OUTPUTS).default('table'))
    .addOption(new Option('--no-headers', 'no line of column names'));
  askFlags(command, 'ask').action(async (text: string | undefined, options: Options) => {
    if (text === undefined || text.trim() === '') throw invalid('say what to look for');
    const everywhere = options.namespace === undefined ? { ...options, allNamespaces: true } : options;
    await ask(command, context, everywhere, (asking) => search(asking, text.trim(), options, context));
  });
};

async function search(asking: Asking, text: string, options: Options, { stdout }: Context): Promise<void> {
  const words = (options.type ?? '').split(',').filter((word) => word !== '');
  const types = typesOf(
    words.map((type) => ({ type })),
    asking.types,
  );
  const found = await asking.past.search(types, asking, text, options.limit);
  if (found.length === 0) {
    asking.remark(`Nothing that is recorded has "${text}" in its name, labels or images.`);
    return;
  }
  if (options.output !== 'table') {
    stdout.write(
      recordsText(
        found.map((one) => foundJson(one, text)),
        options.output,
      ),
    );
    return;
  }
  const rows = found.map((one) => [
    one.namespace === '' ? '-' : one.namespace,
    `${typeText(one.resource, asking.types)}/${one.name}`,
    stateText(one, asking.nowMs),
    one.createdAtMs === null ? '-' : humanDuration(asking.nowMs - one.createdAtMs),
    foundWhere(one, text).join(', '),
  ]);
  const header = ['NAMESPACE', 'OBJECT', 'STATE', 'AGE', 'FOUND IN'];
  stdout.write(
    columnsText(options.headers ? header : null, rows, (cell, _column, row) =>
      found[row]?.deletedAtMs == null ? cell : dim(cell, stdout),
    ),
  );
}

function stateText({ deletedAtMs }: Found, nowMs: number): string {
  return deletedAtMs === null ? 'there' : `deleted ${humanDuration(Math.max(0, nowMs - deletedAtMs))} ago`;
}

function foundJson(one: Found, text: string): unknown {
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const { resource, namespace, name } = one;
  return { resource, namespace, name, created: time(one.createdAtMs), deleted: time(one.deletedAtMs), foundIn: foundWhere(one, text) };
}
