/**
 * The command line: which verbs there are, and what an error of any of them looks like.
 * Only the verb that is called is loaded, so that the others cost it nothing.
 */
import { Command, CommanderError } from 'commander';
import { exitCodeOf } from '../app/exit-code.ts';
import { VERSION } from '../config/version.ts';
import type { Context, Define } from './context.ts';
import { failureText } from './output/failure.ts';

interface Verb {
  readonly about: string;
  readonly group: string;
  readonly load: () => Promise<Define>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  run: {
    about: 'collector and sink in one process, for a workstation',
    group: 'Record:',
    load: async () => (await import('./run.ts')).defineRun,
  },
  collect: {
    about: 'record the changes of a cluster into Kafka',
    group: 'Record:',
    load: async () => (await import('./collect.ts')).defineCollect,
  },
  snapshot: {
    about: 'record what differs since the last time, and end',
    group: 'Record:',
    load: async () => (await import('./snapshot.ts')).defineSnapshot,
  },
  audit: {
    about: 'compare what was recorded with what there is',
    group: 'Record:',
    load: async () => (await import('./audit.ts')).defineAudit,
  },
  sink: { about: 'write the recorded changes into Postgres', group: 'Record:', load: async () => (await import('./sink.ts')).defineSink },
  load: { about: 'load a file into a topic, each record once', group: 'Record:', load: async () => (await import('./load.ts')).defineLoad },
  stop: { about: 'stop what runs in the background', group: 'Record:', load: async () => (await import('./stop.ts')).defineStop },
  status: {
    about: 'what is watched, how fresh, how far behind',
    group: 'Operate:',
    load: async () => (await import('./status.ts')).defineStatus,
  },
  dlq: {
    about: 'records that could not become rows: list, show, retry',
    group: 'Operate:',
    load: async () => (await import('./dlq.ts')).defineDlq,
  },
  get: { about: 'objects as they are, or as they were', group: 'Ask:', load: async () => (await import('./get.ts')).defineGet },
  history: { about: 'what happened to one object', group: 'Ask:', load: async () => (await import('./history.ts')).defineHistory },
  diff: { about: 'two versions of an object, field by field', group: 'Ask:', load: async () => (await import('./diff.ts')).defineDiff },
  changes: { about: 'what changed, and who did it', group: 'Ask:', load: async () => (await import('./changes.ts')).defineChanges },
  blame: { about: 'who last set each line of an object', group: 'Ask:', load: async () => (await import('./blame.ts')).defineBlame },
  timeline: {
    about: 'a namespace over time, under its owners',
    group: 'Ask:',
    load: async () => (await import('./timeline.ts')).defineTimeline,
  },
  search: {
    about: 'objects by name, label or image, deleted ones too',
    group: 'Ask:',
    load: async () => (await import('./search.ts')).defineSearch,
  },
  tail: { about: 'changes as they come through Kafka', group: 'Ask:', load: async () => (await import('./tail.ts')).defineTail },
  query: { about: 'tables, columns, rows, and SQL of your own', group: 'Ask:', load: async () => (await import('./query.ts')).defineQuery },
  topics: { about: 'create the topics in Kafka', group: 'Set up:', load: async () => (await import('./topics.ts')).defineTopics },
  migrate: {
    about: 'create or upgrade the schema in Postgres',
    group: 'Set up:',
    load: async () => (await import('./migrate.ts')).defineMigrate,
  },
  retention: {
    about: 'drop what is older than what is to be kept',
    group: 'Set up:',
    load: async () => (await import('./retention.ts')).defineRetention,
  },
  check: { about: 'check every connection and permission', group: 'Set up:', load: async () => (await import('./check.ts')).defineCheck },
  config: {
    about: 'show the settings and where each comes from',
    group: 'Set up:',
    load: async () => (await import('./config.ts')).defineConfig,
  },
  completion: {
    about: 'a script for the shell, so that Tab completes',
    group: 'About:',
    load: async () => (await import('./completion.ts')).defineCompletion,
  },
  version: { about: 'print the version', group: 'About:', load: async () => (await import('./version.ts')).defineVersion },
};

/** @returns the exit code: 0, 1 failed, 2 wrong usage or settings, 130 interrupted */
export async function runCli(argv: readonly string[], world: Omit<Context, 'exitCode' | 'failureCode'>): Promise<number> {
  const context: Context = { ...world, exitCode: 0 };
  try {
    if (argv[0] === '__complete') {
      await (await import('./complete.ts')).complete(argv.slice(1), VERBS, context);
      return 0;
    }
    const root = await program(argv, context);
    if (argv.length === 0) root.outputHelp();
    else await root.parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    context.stderr.write(failureText(error, context.stderr));
    return Math.max(exitCodeOf(error), context.failureCode ?? 1);
  }
}

async function program(argv: readonly string[], context: Context): Promise<Command> {
  const root = new Command(context.name)
    .description('The flight recorder for Kubernetes: every change of every object, exactly once, into Kafka and Postgres.')
    .usage('<verb> [flags]')
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({ writeOut: (text) => context.stdout.write(text), writeErr: (text) => context.stderr.write(text) })
    .showHelpAfterError(`\`${context.name} --help\` lists the verbs.`)
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .commandsGroup('About:')
    .helpCommand('help [verb]', 'show help of a verb')
    .addHelpText('after', rootExamples(context.name));
  const called = argv.find((word) => !word.startsWith('-') && word !== 'help');
  for (const [name, verb] of Object.entries(VERBS)) {
    const command = root.command(name).summary(verb.about).description(verb.about).helpGroup(verb.group);
    if (name === called) (await verb.load())(command, context);
  }
  return root;
}

function rootExamples(name: string): string {
  return `
Examples:
  ${name} check            # can everything be reached, is everything allowed
  ${name} topics           # create the topics; then the tables:
  ${name} migrate
  ${name} run --resources pods,deployments
  ${name} collect --help   # flags of one verb

Every flag can also be a variable (--log-level: KUBETAPE_LOG_LEVEL) or a line in a
YAML file (--config FILE); \`${name} config show\` prints what counts.
`;
}
