/** `kubetape stop` */
import { Argument } from 'commander';
import { backgrounds, stateDirectory, stop } from '../app/detach.ts';
import type { Define } from './context.ts';
import { mark } from './output/style.ts';
import { examples } from './setting-flags.ts';

export const defineStop: Define = (command, context) => {
  command.description('Stop what `--detach` started: it finishes what is under way, commits it, and ends.');
  examples(command, [
    [`${context.name} stop`, 'everything'],
    [`${context.name} stop collect`, 'the collector only'],
  ]);
  command
    .addArgument(new Argument('[role]', 'what to stop').choices(['collect', 'sink', 'run']))
    .action(async (role: string | undefined) => {
      const { stdout, stderr, env } = context;
      const running = backgrounds(env).filter((one) => role === undefined || one.role === role);
      if (running.length === 0)
        stderr.write(`${role ?? 'nothing'} ${role === undefined ? 'runs' : 'does not run'} in the background (${stateDirectory(env)})\n`);
      await Promise.all(
        running.map(async (one) => {
          const tookMs = await stop(one, env);
          if (tookMs !== null) {
            stdout.write(`${mark('ok', stdout)} ${one.role} stopped after ${(tookMs / 1000).toFixed(1)} s (pid ${one.pid})\n`);
            return;
          }
          stderr.write(
            `${mark('fail', stderr)} ${one.role} (pid ${one.pid}) still runs; its log is ${one.log}\n  \`kill -9 ${one.pid}\` loses nothing that was committed\n`,
          );
          context.exitCode = 1;
        }),
      );
    });
};
