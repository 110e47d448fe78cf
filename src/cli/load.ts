/** `kubetape load` */
import type { Command } from 'commander';
import { KubetapeError } from '../events/errors.ts';
import type { Context, Define } from './context.ts';
import { outTo } from './output/out.ts';
import { examples, settingFlags } from './setting-flags.ts';

export const defineLoad: Define = (command, context) => {
  command.description(
    'Load a file into a topic, each record once: every line of NDJSON as it is, every row of CSV as an object. Loaded again, it changes nothing; killed, it goes on where it was. k8s.load_jobs tells of every file.',
  );
  examples(command, [
    [`${context.name} load readings.ndjson --topic demo-messages`, ''],
    [`${context.name} load prices.csv --topic prices`, 'the first line names the columns'],
    [`${context.name} sink --topic prices`, 'keeps the topic in k8s.prices'],
  ]);
  settingFlags(command, 'load')
    .usage('FILE --topic TOPIC [flags]')
    .action(async (_options: object, { args }: Command) => {
      context.exitCode = await run(args, context);
    });
};

async function run(args: readonly string[], context: Context): Promise<number> {
  const [file, ...argv] = args;
  if (file === undefined || file.startsWith('-'))
    throw new KubetapeError('CONFIG_INVALID', `the file comes first: ${context.name} load FILE --topic TOPIC`);
  const { settings } = await import('../config/settings.ts');
  const { settings: values } = settings('load', { argv, env: context.env });
  if (values.messageTopics.length !== 1) throw new KubetapeError('CONFIG_INVALID', '--topic names the one topic that the file goes to');
  const { createTelemetry } = await import('../telemetry/telemetry.ts');
  const { VERSION } = await import('../config/version.ts');
  const { live } = await import('../app/lifecycle.ts');
  const { load } = await import('../app/load.ts');
  const telemetry = createTelemetry({
    role: 'load',
    version: VERSION,
    cluster: undefined,
    level: values.logLevel,
    format: values.logFormat,
  });
  return live({
    telemetry,
    http: { host: '', port: -1 },
    work: (signal) => load(values, file, outTo(context.stdout), signal),
  });
}
