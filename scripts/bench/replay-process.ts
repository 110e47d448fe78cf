/** The replay server as a process of its own: prints its address as one line of JSON, and serves until it is ended. */
import { ReplayServer, type ReplaySettings } from './replay.ts';

const server = new ReplayServer(JSON.parse(process.argv[2] ?? '') as ReplaySettings);
const url = await server.listen();
process.stdout.write(`${JSON.stringify({ url })}\n`);
process.on('SIGTERM', () => process.exit(0));
// Whoever started it has gone.
process.stdin.on('end', () => process.exit(0)).resume();
