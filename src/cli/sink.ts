/** `kubetape sink` */
import type { Define } from './context.ts';
import { longRunning } from './long-running.ts';
import { examples } from './setting-flags.ts';

export const defineSink: Define = (command, context) => {
  command.description('Read the recorded changes from Kafka and keep the present and the past in Postgres. More sinks share the work.');
  examples(command, [
    [`${context.name} sink --database-url postgres://me@localhost/kubetape`, ''],
    [`DATABASE_URL=… ${context.name} sink --batch-max-rows 5000`, 'bigger batches'],
    [`${context.name} sink --topic demo-messages`, 'any JSON, into a table of its own'],
    [`${context.name} sink --database-url-file /run/secrets/url --detach`, 'in the background'],
  ]);
  longRunning(command, context, 'sink', async () => (await import('../app/sink.ts')).sink);
};
