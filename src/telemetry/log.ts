/**
 * The log: JSON lines on stderr, readable ones on a terminal.
 * Written at once, not behind the process's back: what a process said before it died is there.
 */
import { createRequire } from 'node:module';
import process from 'node:process';
import { pino } from 'pino';
import { errorFacts } from './error-facts.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'auto' | 'json' | 'pretty';

/** Facts of a line; objects of Kubernetes never are. */
export type LogFacts = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[] | Error>>;

export interface Log {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warn(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
  fatal(message: string, facts?: LogFacts): void;
  /** True when lines of this level are written. */
  isEnabled(level: 'debug' | 'trace'): boolean;
}

export interface LogOptions {
  readonly role: string;
  readonly cluster?: string | undefined;
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Where lines go; stderr unless a test listens. */
  readonly destination?: { write(line: string): void } | undefined;
}

/** @returns a log for each part of the process, which it names in `stage` */
export function createLog(options: LogOptions): (stage: string) => Log {
  const root = pino(
    {
      level: options.level,
      base: { role: options.role, ...(options.cluster === undefined ? {} : { cluster: options.cluster }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    options.destination ?? stderrStream(options.format),
  );
  return (stage) => {
    const child = root.child({ stage });
    const write =
      (level: 'debug' | 'info' | 'warn' | 'error' | 'fatal') =>
      (message: string, facts: LogFacts = {}): void => {
        if (child.isLevelEnabled(level)) child[level](shown(facts, child.isLevelEnabled('debug')), message);
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      fatal: write('fatal'),
      isEnabled: (level) => child.isLevelEnabled(level),
    };
  };
}

/** Whatever else an object brings along at run time (the body of an object of the cluster, perhaps) stays out. */
function shown(facts: LogFacts, stack: boolean): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value instanceof Error) record[name] = errorFacts(value, { stack });
    else if (Array.isArray(value)) record[name] = value.filter((one) => typeof one === 'string');
    else if (typeof value !== 'object' && typeof value !== 'function') record[name] = value;
  }
  return record;
}

function stderrStream(format: LogFormat): pino.DestinationStream {
  const pretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY);
  if (!pretty) {
    const stream = pino.destination({ fd: 2, sync: true });
    // A reader that went away is no reason to stop recording.
    stream.on('error', () => undefined);
    return stream;
  }
  const load = createRequire(import.meta.url);
  const prettyStream = load('pino-pretty') as (options: object) => pino.DestinationStream & { on(event: 'error', heard: () => void): void };
  const stream = prettyStream({
    destination: 2,
    sync: true,
    singleLine: true,
    colorize: process.stderr.isTTY && process.stderr.hasColors(),
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'role,cluster,stage',
    messageFormat: '{stage}: {msg}',
  });
  stream.on('error', () => undefined);
  return stream;
}
