/** A controller in any version, over a session of node-openflow, that can tell what came back for each message. */
import { connect } from 'node:net';
import {
  errorName,
  type Message,
  type MessageOf,
  type MultipartReply,
  type MultipartRequestBody,
  neutralName,
  nicira,
  type Outgoing,
  Session,
} from 'node-openflow';
import { parseActive } from '../../../src/openflow/index.js';
import type { Bed } from './bed.js';

/** An experimenter nobody knows, so that each version answers it with an error. */
const nobody = { type: 'experimenter', experimenter: 1, expType: 1, data: new Uint8Array(0) } as const;

export class Client {
  /** What came without being an answer, since it was last looked at. */
  readonly events: Message[] = [];
  #xid = 500;

  constructor(
    readonly session: Session,
    readonly version: number,
  ) {}

  static async connect(bed: Bed, version: number): Promise<Client> {
    const target = parseActive(bed.address) as { host: string; port: number };
    const session = new Session(connect(target.port, target.host), { versions: [version] });
    await session.ready;
    return new Client(session, version);
  }

  /** Sends without waiting. */
  send(message: Outgoing): number {
    const xid = message.xid ?? this.#xid++;
    this.session.send({ ...message, xid });
    return xid;
  }

  /** What answers a message; whatever else comes until then is kept in `events`. */
  async say(message: Outgoing): Promise<Message[]> {
    const xid = this.send(message);
    return (await this.#untilFence()).filter((reply) => {
      if (reply.xid === xid) return true;
      this.events.push(reply);
      return false;
    });
  }

  /** Whole messages by hand. Their xid is for the caller to know. */
  async bytes(...messages: readonly Uint8Array[]): Promise<Message[]> {
    for (const bytes of messages) this.session.sendRaw(bytes);
    return this.#untilFence();
  }

  /** Events until all that was said before is done. */
  async settle(): Promise<Message[]> {
    this.events.push(...(await this.#untilFence()));
    return this.events.splice(0);
  }

  async #untilFence(): Promise<Message[]> {
    const fence = this.send(nobody);
    const heard: Message[] = [];
    const messages = this.session[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await messages.next();
      if (done) throw await this.session.closed;
      if (value.xid === fence) return heard;
      heard.push(value);
    }
  }

  /** The neutral name of the error that answers, Nicira's too; undefined when nothing does. */
  async error(message: Outgoing): Promise<string | undefined> {
    const [reply] = await this.say(message);
    return reply === undefined ? undefined : errorOf(reply);
  }

  async stats(body: MultipartRequestBody): Promise<MultipartReply['body']> {
    const [reply] = await this.say({ type: 'multipart_request', flags: 0, body });
    if (reply?.type !== 'multipart_reply') throw new Error(errorOf(reply!));
    return reply.body;
  }
}

const LAST_COMMON_TYPE = 2;
const OF13 = 4;

/** Name of an error, or the type of what is none. */
export function errorOf(reply: Message): string {
  if (reply.type !== 'error') return reply.type;
  const { version, errorType, errorCode, experimenter, data } = reply as MessageOf<'error'>;
  if (experimenter === nicira.NX_VENDOR_ID) return nicira.nxErrorName(errorCode) ?? `nicira ${errorCode}`;
  if (experimenter !== undefined) return `experimenter ${errorCode}`;
  if (errorType === nicira.NXET_VENDOR) {
    const { name, type, code } = nicira.readVendorError(data)!;
    return name ?? `vendor ${type}/${code}`;
  }
  // Up to here the numbers are the same in all versions.
  if (errorType > LAST_COMMON_TYPE && version < OF13) return errorName(errorType, errorCode, version);
  return neutralName({ type: errorType, code: errorCode }) ?? `${errorType}/${errorCode}`;
}
