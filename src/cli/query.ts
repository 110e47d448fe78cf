/** `kubetape query`: the tables, their columns and rows, and SQL of one's own. */
import { Argument, Option, type Command } from 'commander';
import type { Sql, SqlAnswer as Answer } from '../app/query.ts';
import { nearest } from '../config/nearest.ts';
import { KubetapeError } from '../events/errors.ts';
import { askFlags, invalid, remark, settingArgv } from './asking.ts';
import type { Context, Define } from './context.ts';
import { limitOption } from './history.ts';
import { recordsText } from './output/changes.ts';
import { columnsText } from './output/columns.ts';
import { examples } from './setting-flags.ts';

interface Options {
  readonly schema?: boolean;
  readonly limit: number;
  readonly output: 'table' | 'json' | 'jsonl';
  readonly headers: boolean;
}

/** Longest cell of a table: objects are for JSON. */
const CELL_MAX = 60;

export const defineQuery: Define = (command, context) => {
  command.description(
    'The record in SQL, read-only: without an argument the tables of schema k8s, with the name of one its rows, with a statement its result.',
  );
  examples(command, [
    [`${context.name} query`, 'tables, rows, and what they hold'],
    [`${context.name} query pods --schema`, 'columns'],
    [`${context.name} query pods_history --limit 5 -o json`, 'rows'],
    [`${context.name} query "SELECT name, restarts FROM k8s.pods ORDER BY restarts DESC LIMIT 5"`, ''],
  ]);
  command
    .usage('[TABLE | SQL] [flags]')
    .addArgument(new Argument('[question]', 'a table, or a statement'))
    .addOption(new Option('--schema', 'the columns of the table instead of its rows'))
    .addOption(limitOption(20))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['table', 'json', 'jsonl']).default('table'))
    .addOption(new Option('--no-headers', 'no line of column names'));
  askFlags(command, 'ask').action(async (question: string | undefined, options: Options) => query(command, context, question, options));
};

async function query(command: Command, context: Context, question: string | undefined, options: Options): Promise<void> {
  const { settings } = await import('../config/settings.ts');
  const { settings: values } = settings('ask', { argv: settingArgv(command, 'ask'), env: context.env });
  const { withSql } = await import('../app/query.ts');
  await withSql(values, async (sql) => {
    if (question === undefined) {
      if (options.schema === true) throw invalid('--schema is of one table: say which');
      print(await tables(sql), options, context);
      return;
    }
    if (/\s/.test(question.trim())) {
      print(await sql.run(question), options, context);
      return;
    }
    const name = question.trim().replace(/^k8s\./, '');
    const columns = await sql.columns(name);
    if (columns.length === 0) throw await noTable(sql, name);
    if (options.schema === true)
      print({ columns: ['column', 'type', 'about'], rows: columns.map((one) => [one.name, one.type, one.about]) }, options, context);
    else {
      const answer = await sql.rows(name, options.limit);
      print(answer, options, context);
      if (answer.rows.length === options.limit) remark(`These are ${options.limit} rows; --limit shows more.`, context);
    }
  });
}

async function tables(sql: Sql): Promise<Answer> {
  const rows = (await sql.tables()).map(({ name, kind, rows: count, exact, about }) => [
    name,
    kind,
    count === null ? null : exact ? count : `~${count}`,
    about,
  ]);
  return { columns: ['table', 'kind', 'rows', 'about'], rows };
}

async function noTable(sql: Sql, name: string): Promise<KubetapeError> {
  const names = (await sql.tables()).map((table) => table.name);
  const near = nearest(name, names);
  return new KubetapeError('NOT_RECORDED', `there is no table k8s.${name}${near === undefined ? '' : `; did you mean ${near}?`}`, {
    hint: `There are ${names.join(', ')}.`,
  });
}

function print({ columns, rows }: Answer, options: Options, { stdout }: Context): void {
  if (options.output !== 'table') {
    const records = rows.map((row) => Object.fromEntries(row.map((value, at) => [columns[at] ?? '', value])));
    stdout.write(recordsText(records, options.output));
    return;
  }
  const cells = rows.map((row) => row.map(cellOf));
  stdout.write(columnsText(options.headers ? columns.map((name) => name.toUpperCase()) : null, cells));
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'string') return value;
  const text = value instanceof Date ? value.toISOString() : JSON.stringify(value);
  return text.length <= CELL_MAX || typeof value !== 'object' ? text : `${text.slice(0, CELL_MAX - 1)}…`;
}
