/** Two sessions over a real loopback socket. */
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { type FlowMod, match, type Outgoing, of13, Session, type SessionOptions } from '../../src/index.js';

const opened: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = createConnection(address.port, '127.0.0.1');
  const [far] = await accepted;
  server.close();
  opened.push(near, far);
  return [near, far];
}

export async function sessionPair(a: SessionOptions = {}, b: SessionOptions = {}): Promise<[Session, Session]> {
  const [near, far] = await socketPair();
  const pair: [Session, Session] = [new Session(near, a), new Session(far, b)];
  await Promise.all(pair.map((session) => session.ready));
  return pair;
}

/** Of two that speak 1.3, whose messages are written by hand below. */
export const pair13 = (a: SessionOptions = {}, b: SessionOptions = {}) =>
  sessionPair({ versions: [4], ...a }, { versions: [4], ...b });

export async function eventually<T>(probe: () => T | undefined | false): Promise<T> {
  for (let i = 0; i < 1000; i++) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it never happened');
}

export const flowMod: Outgoing<FlowMod> = {
  type: 'flow_mod',
  cookie: 0n,
  cookieMask: 0n,
  tableId: 0,
  command: 0,
  idleTimeout: 0,
  hardTimeout: 0,
  priority: 1,
  bufferId: of13.OFP_NO_BUFFER,
  outPort: of13.OFPP.ANY,
  outGroup: of13.OFPG.ANY,
  flags: 0,
  match: match({ in_port: 1 }),
  instructions: [],
};
