/** What ovs-ofctl sends to a switch, as bytes. The switch has what is asked for, and answers barriers. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { encodeMessage, type Message, MessageFramer } from '../../src/index.js';
import { tableFeaturesReply } from './legal.js';
import { decoded } from './wire.js';

const protocols: Readonly<Record<number, string>> = {
  1: 'OpenFlow10',
  2: 'OpenFlow11',
  3: 'OpenFlow12',
  4: 'OpenFlow13',
  5: 'OpenFlow14',
  6: 'OpenFlow15',
};

/** ovs-ofctl's name of a version. */
export const protocolOf = (version: number): string => protocols[version]!;

/** With another xid. */
function withXid(bytes: Uint8Array, xid: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(xid, 4);
  return copy;
}

export class OfctlSink {
  readonly #server: Server;
  #received: Uint8Array[] = [];

  private constructor(
    server: Server,
    readonly version: number,
  ) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async open(version: number): Promise<OfctlSink> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OfctlSink(server, version);
  }

  #serve(socket: Socket): void {
    const framer = new MessageFramer();
    const { version } = this;
    const send = (message: unknown) => socket.write(encodeMessage({ ...(message as Message), version }));
    socket.on('error', () => {});
    send({ type: 'hello', xid: 0, elements: [], rest: new Uint8Array(0) });
    socket.on('data', (segment: Uint8Array) => {
      framer.push(segment);
      for (let bytes = framer.next(); bytes !== undefined; bytes = framer.next()) this.#take(bytes.slice(), send);
    });
  }

  #take(bytes: Uint8Array, send: (message: unknown) => void): void {
    const message = decoded(bytes);
    const { xid } = message;
    switch (message.type) {
      case 'hello':
        break;
      case 'echo_request':
        send({ type: 'echo_reply', xid, data: message.data });
        break;
      case 'barrier_request':
        send({ type: 'barrier_reply', xid });
        break;
      case 'features_request': {
        const counts = { nBuffers: 0, nTables: 254, auxiliaryId: 0, capabilities: 0, reserved: 0 };
        send({ type: 'features_reply', xid, datapathId: 1n, ...counts });
        break;
      }
      case 'multipart_request':
        if (message.body.type === 'table_features') send({ ...tableFeaturesReply, version: this.version, xid });
        if (message.body.type === 'port_desc') {
          send({ type: 'multipart_reply', xid, flags: 0, body: { type: 'port_desc', entries: [] } });
        }
        break;
      default:
        this.#received.push(withXid(bytes, 1));
    }
  }

  /** The messages by which a command does what it does, with xid 1. */
  async sent(command: string, ...args: readonly string[]): Promise<Uint8Array[]> {
    this.#received = [];
    const target = `tcp:127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const options = ['-O', protocolOf(this.version), '--timeout=30'];
    await promisify(execFile)('ovs-ofctl', [...options, ...command.split(' '), target, ...args]);
    return this.#received;
  }

  close(): void {
    this.#server.close();
  }
}
