/** `kubetape run` */
import type { Define } from './context.ts';
import { longRunning } from './long-running.ts';
import { examples } from './setting-flags.ts';

export const defineRun: Define = (command, context) => {
  command.description('Collector and sink in one process: the whole of kubetape on a workstation.');
  examples(command, [
    [`${context.name} run --database-url postgres://me@localhost/kubetape`, ''],
    [`${context.name} run --resources pods --namespaces shop`, 'a part of the cluster'],
    [`${context.name} run --detach`, 'in the background'],
  ]);
  longRunning(command, context, 'run', async () => (await import('../app/run.ts')).run);
};
