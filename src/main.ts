/** argv → verb → exit code. */
import path from 'node:path';
import process from 'node:process';
import { runCli } from './cli/program.ts';

// `kubetape config show | head`: whoever reads has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const asPlugin = path.basename(process.argv[1] ?? '').startsWith('kubectl-tape');
const code = await runCli(process.argv.slice(2), {
  name: asPlugin ? 'kubectl tape' : 'kubetape',
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
});
// Drivers may hold sockets and timers still; whatever had to be finished is.
process.exit(code);
