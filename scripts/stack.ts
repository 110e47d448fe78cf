/** `npm run stack -- up | down | status | env | reset [--dir DIR]`: the local servers alone, for development. */
import path from 'node:path';
import { BINARIES, KAFKA_HOME, ROOT } from './setup/places.mjs';
import { Stack } from './stack/stack.ts';

const USAGE = `usage: npm run stack -- up | down | status | env | reset [--dir DIR]

  up      start what does not run, and wait until all of it is ready
  down    end the servers; their data stays
  status  one line per server
  env     what the roles of kubetape read, as export lines:  eval "$(npm run -s stack -- env)"
  reset   end the servers and delete their data
`;

async function main(args: readonly string[]): Promise<number> {
  const at = args.indexOf('--dir');
  const dir = at < 0 ? path.join(ROOT, '.kubetape', 'stack') : path.resolve(args[at + 1] ?? '');
  const [verb, ...extra] = at < 0 ? args : [...args.slice(0, at), ...args.slice(at + 2)];
  if (extra.length > 0 || (at >= 0 && args[at + 1] === undefined)) return usage();
  const stack = new Stack(dir);
  switch (verb) {
    case 'up': {
      const startedMs = Date.now();
      await Stack.up(dir, (server, happened, seconds) => {
        if (happened === 'ready') process.stderr.write(`  ✔ ${server} ${seconds.toFixed(1)} s\n`);
      });
      process.stderr.write(
        `The local servers run (${((Date.now() - startedMs) / 1000).toFixed(1)} s). Next:\n\n  eval "$(npm run -s stack -- env${at < 0 ? '' : ` --dir ${args[at + 1]}`})"\n`,
      );
      return 0;
    }
    case 'down':
      await stack.down();
      return 0;
    case 'reset':
      await stack.reset();
      return 0;
    case 'status': {
      const lines = stack.status();
      for (const { name, pid, running } of lines)
        process.stdout.write(`${running ? '✔' : '✗'} ${name.padEnd(24)}${running ? `pid ${pid}` : 'does not run'}\n`);
      return lines.every(({ running }) => running) ? 0 : 1;
    }
    case 'env': {
      const variables = {
        ...stack.env,
        KAFKA_TOOLS: `java -cp ${path.join(KAFKA_HOME, 'libs', '*')}`,
        PATH: `${path.dirname(BINARIES.kubectl)}:${path.join(ROOT, 'bin')}:$PATH`,
      };
      for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}="${value}"\n`);
      return 0;
    }
    default:
      return usage();
  }
}

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`stack: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
