/** argv → verb → exit code. */
import path from 'node:path';
import process from 'node:process';
import { runCli } from './cli/program.ts';

// `kubetape config show | head`: whoever reads has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const calledAs = path.basename(process.argv[1] ?? '');
// kubectl runs this one for Tab, and wants to be told at the end that no files are meant.
const completes = calledAs.startsWith('kubectl_complete-tape');
const code = await runCli([...(completes ? ['__complete'] : []), ...process.argv.slice(2)], {
  name: calledAs.startsWith('kubectl-tape') ? 'kubectl tape' : 'kubetape',
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
});
if (completes) process.stdout.write(':4\n');
// What a reader at the other end of a pipe has not taken yet waits in this process.
for (const stream of [process.stdout, process.stderr]) await new Promise<void>((resolve) => stream.write('', () => resolve()));
// Drivers may hold sockets and timers still; whatever had to be finished is.
process.exit(code);
