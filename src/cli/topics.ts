/** `kubetape topics` */
import type { Command } from 'commander';
import type { Define } from './context.ts';
import { outTo } from './output/out.ts';
import { examples, settingFlags } from './setting-flags.ts';

export const defineTopics: Define = (command, context) => {
  command.description(
    'Create the topics that are missing and say how the others differ from what they should be. Running it again changes nothing.',
  );
  examples(command, [
    [`${context.name} topics`, 'for the default resources'],
    [`${context.name} topics --partitions-of pods=12 --replication-factor 3`, 'for production'],
    [`${context.name} topics --topic demo-messages`, 'others, for any JSON'],
  ]);
  settingFlags(command, 'topics').action(async (_options: object, { args }: Command) => {
    const { settings } = await import('../config/settings.ts');
    const { settings: values } = settings('topics', { argv: args, env: context.env });
    const { topics } = await import('../app/topics.ts');
    await topics(values, outTo(context.stdout));
  });
};
