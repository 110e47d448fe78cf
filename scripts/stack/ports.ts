/** Free ports of this machine's loopback. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below those that systems give to outgoing connections (32768 on Linux, 49152 elsewhere): while a server is restarted, one of
 * them could take its port.
 */
const FIRST = 15_000;
const AFTER_LAST = 32_000;
const ATTEMPTS = 200;

/** @returns `count` distinct ports that nothing listens on; another process may take one before it is used */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt += 1) {
    if (attempt >= count + ATTEMPTS) throw new Error(`no ${count} free ports between ${FIRST} and ${AFTER_LAST}`);
    const port = randomInt(FIRST, AFTER_LAST);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
