/** `kubetape collect` */
import type { Define } from './context.ts';
import { longRunning } from './long-running.ts';
import { examples } from './setting-flags.ts';

export const defineCollect: Define = (command, context) => {
  command.description('Watch a cluster and record every change of every object into Kafka, each once.');
  examples(command, [
    [`${context.name} collect`, 'the current context, the default resources, Kafka on localhost'],
    [`${context.name} collect --resources pods,certificates.cert-manager.io`, 'custom resources too'],
    [`${context.name} collect --exclude-namespaces kube-system --detach`, 'in the background'],
  ]);
  longRunning(command, context, 'collect', async () => (await import('../app/collect.ts')).collect);
};
