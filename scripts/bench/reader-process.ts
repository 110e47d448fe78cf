/**
 * The limit line of everything that reads a watch: the same request, and nothing done with the bytes but counting lines.
 *   in    the server's address, how many lines to read, and whether each is parsed
 *   out   one line of JSON per phase: lines, bytes, seconds, CPU seconds
 */
import { request } from 'undici';

interface Wanted {
  readonly url: string;
  /** Lines of the list, its end bookmark included. */
  readonly listed: number;
  readonly events: number;
  readonly parse: boolean;
}

const { url, listed, events, parse } = JSON.parse(process.argv[2] ?? '') as Wanted;
const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=3600';
const response = await request(`${url}/api/v1/pods?${query}`, { bodyTimeout: 0 });
let lines = 0;
let bytes = 0;
let startedMs = performance.now();
let cpu = process.cpuUsage();
let parts: Buffer[] = [];

function phase(name: string): void {
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - startedMs) / 1000;
  process.stdout.write(`${JSON.stringify({ phase: name, lines, bytes, seconds, cpuSeconds: (used.user + used.system) / 1e6 })}\n`);
  lines = 0;
  bytes = 0;
  cpu = process.cpuUsage();
}

let listing = true;
for await (const chunk of response.body as AsyncIterable<Buffer>) {
  if (!listing && lines === 0) {
    // The events come when the parent allows them, not when the list has ended.
    startedMs = performance.now();
    cpu = process.cpuUsage();
  }
  bytes += chunk.length;
  let from = 0;
  for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
    lines += 1;
    if (parse) {
      parts.push(chunk.subarray(from, at));
      JSON.parse(Buffer.concat(parts).toString('utf8'));
      parts = [];
    }
    from = at + 1;
  }
  if (parse && from < chunk.length) parts.push(chunk.subarray(from));
  if (listing && lines >= listed) {
    phase('list');
    listing = false;
    if (events === 0) break;
  } else if (!listing && lines >= events) {
    phase('watch');
    break;
  }
}
process.exit(0);
