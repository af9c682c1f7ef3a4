/** Auxiliary connections (OpenFlow 1.3.5 §6.3.8): made by the switch, ended with the main one. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Message, MessageOf } from 'node-openflow';
import { afterEach, describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { apply, flowMod, output } from '../ofproto/bed.js';
import { CONTROLLER_PORT, Controller, hello, is, nameOf, raw, role, SLAVE, start, until } from './bed.js';

/** Where the switch comes to; every connection has said hello. */
class Host {
  readonly connections: Controller[] = [];
  readonly #server: Server;

  private constructor(server: Server, greeting: Uint8Array) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      const connection = new Controller(socket);
      connection.write(greeting);
      this.connections.push(connection);
    });
  }
  static async open(greeting = hello): Promise<Host> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Host(server, greeting);
  }
  get target(): string {
    return `tcp:127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }
  /** By their auxiliary ids, when there are that many. */
  async all(count: number): Promise<Map<number, Controller>> {
    await until(() => this.connections.length >= count);
    const found = new Map<number, Controller>();
    for (const connection of this.connections) {
      const features = (await connection.ask({ type: 'features_request' })) as MessageOf<'features_reply'>;
      found.set(features.auxiliaryId, connection);
    }
    return found;
  }
  close(): void {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
  }
}

let host: Host | undefined;
afterEach(() => host?.close());

async function pair(auxiliaries: number, greeting?: Uint8Array) {
  host = await Host.open(greeting);
  const bed = await start({ listen: [], controllers: [host.target], auxiliaries, versions: [3, 4] });
  return { bed, host };
}
const types = ({ messages }: Controller) =>
  messages.map((message: Message) => message.type).filter((t) => t !== 'hello');

describe('auxiliary connections', () => {
  it('have their numbers, and answer where they are asked', async () => {
    const { host } = await pair(2);
    const connections = await host.all(3);
    expect([...connections.keys()].sort()).toEqual([0, 1, 2]);
    await connections.get(2)!.barrier();
    connections.get(1)!.send(flowMod({ cookie: 4n }));
    await connections.get(1)!.barrier();
    expect(await connections.get(2)!.cookies()).toEqual([4n]);
    expect(nameOf(await connections.get(2)!.ask({ type: 'table_mod', tableId: 0, config: 0x100 }))).toBe(
      'OFPTMFC_BAD_CONFIG',
    );
    expect(types(connections.get(1)!)).toEqual([]);
  });

  it('belong to one controller: a role is that of all, and events go to the main one', async () => {
    const { bed, host } = await pair(1);
    const connections = await host.all(2);
    const [main, auxiliary] = [connections.get(0)!, connections.get(1)!];
    auxiliary.send(flowMod({ instructions: [apply(output(CONTROLLER_PORT, 0xffff))] }));
    await auxiliary.barrier();
    bed.inject(tcpFrame());
    await main.next(is('packet_in'));
    await auxiliary.ask(role(SLAVE!, 1n));
    expect(nameOf(await main.ask(flowMod()))).toBe('OFPBRC_IS_SLAVE');
    expect(types(auxiliary)).toEqual([]);
    expect(bed.channels.connections.map((status) => [status.auxiliaryId, status.role])).toEqual([
      [0, 'slave'],
      [1, 'slave'],
    ]);
  });

  it('end with the main one, and are made again with it', async () => {
    const { bed, host } = await pair(2);
    const before = await host.all(3);
    const closed = [...before.values()].map((connection) => connection.closed);
    host.connections.length = 0;
    before.get(0)!.socket.destroy();
    await Promise.all(closed);
    expect([...(await host.all(3)).keys()].sort()).toEqual([0, 1, 2]);
    expect(bed.channels.connections).toHaveLength(3);
  });

  it('end with the main one although the peer goes on talking', async () => {
    const { bed, host } = await pair(1);
    const before = await host.all(2);
    const [main, auxiliary] = [before.get(0)!, before.get(1)!];
    host.connections.length = 0;
    main.socket.end();
    const talking = setInterval(() => auxiliary.send(flowMod()), 1);
    await auxiliary.closed;
    clearInterval(talking);
    await host.all(2);
    expect(bed.channels.connections).toHaveLength(2);
  });

  it('one that is lost is made again, and nothing happens to the others', async () => {
    const { host } = await pair(2);
    const connections = await host.all(3);
    host.connections.splice(host.connections.indexOf(connections.get(1)!), 1);
    connections.get(1)!.socket.destroy();
    expect([...(await host.all(3)).keys()].sort()).toEqual([0, 1, 2]);
    await connections.get(0)!.barrier();
    await connections.get(2)!.barrier();
  });

  it('are not for a version that has none', async () => {
    const twelve = raw(0, [], { version: 3 });
    const { bed, host } = await pair(2, twelve);
    await until(() => bed.channels.connections.some(({ version }) => version === 3));
    host.connections[0]!.write(raw(20, [], { version: 3 }));
    await host.connections[0]!.next((message) => message.version === 3 && message.type === 'barrier_reply');
    expect(host.connections).toHaveLength(1);
  });
});
