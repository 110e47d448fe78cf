/** `kubetape status` */
import { Option, type Command } from 'commander';
import { nameOf, shareText, troublesOf, type StatusFacts } from '../past/status.ts';
import { humanDuration, rfc3339 } from '../past/times.ts';
import { timeOf } from './asking.ts';
import type { Context, Define } from './context.ts';
import { columnsText } from './output/columns.ts';
import { bold, dim, mark } from './output/style.ts';
import { examples, settingFlags } from './setting-flags.ts';

interface Options {
  readonly output: 'table' | 'json';
  readonly since: string;
}

export const defineStatus: Define = (command, context) => {
  command.description(
    'How the recording stands: what is watched and how fresh it is, how much of the time could be seen, how far the sinks are behind, what was set aside. Exit 1 if something needs a person.',
  );
  examples(command, [
    [`${context.name} status`, 'coverage of the last seven days'],
    [`${context.name} status --since 24h`, 'of the last day'],
    [`${context.name} status -o json`, 'for a script'],
  ]);
  settingFlags(command, 'status')
    .addOption(new Option('--since <time>', 'where the coverage begins: 24h, 7d, RFC 3339').default('7d'))
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['table', 'json']).default('table'))
    .action(async ({ output, since }: Options, { args }: Command) => {
      const { settings } = await import('../config/settings.ts');
      const { settings: values } = settings('status', { argv: args, env: context.env });
      const sinceMs = timeOf('--since', since, Date.now());
      const { status } = await import('../app/status.ts');
      const facts = await status(values, sinceMs);
      context.stdout.write(output === 'json' ? json(facts) : rendered(facts, since, context));
      context.exitCode = troublesOf(facts).length === 0 ? 0 : 1;
    });
};

function json(facts: StatusFacts): string {
  const watches = facts.watches.map(({ sinceMs, seenUntilMs, ...rest }) => ({
    ...rest,
    since: new Date(sinceMs).toISOString(),
    seenUntil: new Date(seenUntilMs).toISOString(),
  }));
  const topics = facts.topics.map(({ writtenMs, ...rest }) => ({ ...rest, written: new Date(writtenMs).toISOString() }));
  const troubles = troublesOf(facts);
  return `${JSON.stringify({ ok: troubles.length === 0, watches, topics, deadLetters: facts.deadLetters, troubles }, null, 2)}\n`;
}

export function rendered(facts: StatusFacts, since: string, { stdout }: Pick<Context, 'stdout'>): string {
  const ago = (ms: number): string => humanDuration(Math.max(0, facts.nowMs - ms));
  const parts: string[] = [];
  for (const [cluster, watches] of Map.groupBy(facts.watches, (watch) => watch.cluster)) {
    const rows = watches.map((watch) => [
      nameOf(watch),
      rfc3339(watch.sinceMs),
      ago(watch.seenUntilMs),
      String(watch.objects),
      shareText(watch.coverage),
      String(watch.gaps),
    ]);
    const header = ['WATCHED', 'SINCE', 'LAST SEEN', 'OBJECTS', `COVERAGE ${since}`, 'GAPS'];
    parts.push(`${bold(`cluster ${cluster}`, stdout)}\n${columnsText(header, rows)}`);
  }
  if (facts.topics.length > 0) {
    const rows = facts.topics.map(({ topic, lag, writtenMs }) => [topic, lag === null ? '?' : String(lag), ago(writtenMs)]);
    parts.push(columnsText(['TOPIC', 'BEHIND', 'LAST WRITTEN'], rows));
  }
  const troubles = troublesOf(facts);
  const end =
    troubles.length === 0
      ? `${mark('ok', stdout)} everything is watched, and all of it is in the tables\n`
      : troubles.map(({ what, remedy }) => `${mark('fail', stdout)} ${what}\n  ${dim(`→ ${remedy}`, stdout)}\n`).join('');
  return [...parts, end].join('\n');
}
