/** The unix socket of the emulated xenstored. */
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import type { Logger } from '../../base/logger.js';
import { SocketTransport } from '../socket.js';
import type { XenstoreTransport } from '../transport.js';
import { socketConnectionsMax } from './limits.js';

export interface SocketServer {
  /** Ends listening and removes the socket; connections are their owner's affair. */
  close(): Promise<void>;
}

/** Whoever may connect is domain 0, hence nobody but the owner. */
const SOCKET_MODE = 0o600;

export async function listenOnSocket(
  path: string,
  accept: (transport: XenstoreTransport) => void,
  logger: Logger,
): Promise<SocketServer> {
  if (await isServed(path)) throw new Error(`cannot listen on ${path}: another daemon serves it`);
  await rm(path, { force: true });
  const server = createServer((socket: Socket) => accept(new SocketTransport(socket)));
  server.maxConnections = socketConnectionsMax;
  server.on('drop', () => logger.warn({ path }, 'too many xenstore connections'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => logger.error({ path, err: error }, 'xenstore socket failed'));
  await chmod(path, SOCKET_MODE);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** A socket left behind by a process that died refuses connections. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
