/** A TCP proxy that fails in chosen ways, on this side of the wire. */
import { createServer, connect as connectTo, type AddressInfo, type Server, type Socket } from 'node:net';

export interface Proxy {
  readonly port: number;
  /** Asked for each piece of data that the client sends. What is held goes on with `release`. */
  onClientData: (data: Buffer) => 'pass' | 'cut' | 'pass, then cut' | 'pass, then silence' | 'silence' | 'hold';
  release(): void;
  /** What becomes of each piece of data that the server sends. */
  onServerData: (data: Buffer) => Buffer;
  connections: number;
  close(): Promise<void>;
}

export async function proxyTo(target: URL): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  const server: Server = createServer((client) => {
    proxy.connections += 1;
    const upstream = connectTo({ host: target.hostname, port: Number(target.port) });
    let answer: 'pass' | 'cut' | 'silence' = 'pass';
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        if (answer !== 'silence') for (const other of [client, upstream]) other.destroy();
      });
    }
    client.on('data', (data) => {
      const what = proxy.onClientData(data);
      if (what === 'cut') {
        client.destroy();
        return;
      }
      if (what === 'hold') {
        held.push(() => void upstream.write(data));
        return;
      }
      if (what !== 'silence') upstream.write(data);
      if (what === 'pass, then cut') answer = 'cut';
      if (what === 'silence' || what === 'pass, then silence') answer = 'silence';
    });
    upstream.on('data', (data) => {
      if (answer === 'pass') client.write(proxy.onServerData(data));
      else if (answer === 'cut') client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: Proxy = {
    port: (server.address() as AddressInfo).port,
    onClientData: () => 'pass',
    onServerData: (data) => data,
    release: () => {
      for (const goOn of held.splice(0)) goOn();
    },
    connections: 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return proxy;
}
