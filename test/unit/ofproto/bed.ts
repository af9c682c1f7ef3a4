/** An Ofproto on a model datapath with ports 1 to 3, and a controller that keeps what it is sent. */
import {
  type Action,
  decodeMessage,
  encodeMessage,
  type Instruction,
  type MatchSpec,
  type Message,
  type MessageOf,
  type MultipartReply,
  type MultipartRequestBody,
  match,
  type Outgoing,
} from 'node-openflow';
import type { PortNo } from '../../../src/datapath/datapath.js';
import { ModelDatapath } from '../../../src/datapath/model.js';
import type { ControllerConfig } from '../../../src/ofproto/controller-view.js';
import { encodeEvent } from '../../../src/ofproto/event-forms.js';
import { type FlowFormat, plainFormat } from '../../../src/ofproto/flow-formats.js';
import { type AsyncEvent, type ControllerView, Ofproto, type TableLimit } from '../../../src/ofproto/index.js';

export const NO_BUFFER = 0xffffffff;
export const ANY = 0xffffffff;
const DEFAULT_VERSION = 4;

export class FakeController implements ControllerView {
  gone = false;
  flowFormat: FlowFormat = plainFormat;
  readonly auxiliaryId = 0;
  config: ControllerConfig = { missSendLen: 128, invalidTtl: false };
  readonly received: Message[] = [];
  rawMessages = 0;

  constructor(readonly version = DEFAULT_VERSION) {}

  send(message: Outgoing & { readonly xid: number }): void {
    this.#take(encodeMessage({ ...message, version: this.version } as Message));
  }
  sendRaw(bytes: Uint8Array): boolean {
    this.rawMessages++;
    this.#take(bytes);
    return true;
  }
  drained(): Promise<void> {
    return Promise.resolve();
  }
  abandon(): void {
    this.gone = true;
  }
  #take(bytes: Uint8Array): void {
    const result = decodeMessage(bytes, { version: this.version });
    if (!result.ok) throw new Error(`Ofproto sent what cannot be decoded: ${result.error.reason}`);
    this.received.push(result.message);
  }
}

export class Bed {
  now = 0n;
  readonly datapath = new ModelDatapath(() => this.now);
  readonly controller: FakeController;
  readonly asyncEvents: AsyncEvent[] = [];
  /** As the controller is told of them. */
  readonly asyncMessages: Message[] = [];
  readonly outputs: { readonly port: number; readonly frame: Uint8Array }[] = [];
  readonly ofproto: Ofproto;
  #xid = 100;

  constructor(
    readonly version = DEFAULT_VERSION,
    tableLimits: readonly TableLimit[] = [],
  ) {
    this.controller = new FakeController(version);
    this.ofproto = new Ofproto({
      datapath: this.datapath,
      datapathId: 0x1122334455667788n,
      tableLimits,
      description: { manufacturer: 'm', hardware: 'h', software: 's', serial: 'n', datapath: 'br0' },
      onPortOutput: (port, frame) => this.outputs.push({ port, frame: frame.slice() }),
    });
    this.ofproto.onAsync((event) => this.#tell(event));
    for (const n of [1, 2, 3]) {
      this.datapath.portAttach(n as PortNo, { kind: 'capture' });
      this.ofproto.portAdded({ number: n, name: `p${n}`, mac: `02:00:00:00:00:0${n}` });
    }
    this.ofproto.controllersChanged(true);
    this.asyncMessages.length = 0;
  }

  #tell(event: AsyncEvent): void {
    this.asyncEvents.push(event);
    const { missSendLen } = this.controller.config;
    const bytes = encodeEvent(event, { version: this.version, nxm: false, packetInFormat: 0, missSendLen });
    const told = bytes === undefined ? undefined : decodeMessage(bytes);
    if (told?.ok) this.asyncMessages.push(told.message);
  }

  /** Sends a message through the codec, and a flush after it; returns what came back for it. */
  async say(message: Outgoing): Promise<Message[]> {
    const xid = this.#xid++;
    const bytes = encodeMessage({ ...message, version: this.version, xid } as Message);
    const decoded = decodeMessage(bytes, { version: this.version, unknown: 'refuse' });
    if (!decoded.ok) {
      const { type: errorType, code: errorCode, data } = decoded.error;
      return [{ version: this.version, xid, type: 'error', errorType, errorCode, data }];
    }
    await this.ofproto.handle(this.controller, decoded.message);
    this.ofproto.barrier();
    return this.controller.received.splice(0).filter((reply) => reply.xid === xid);
  }

  /** [type, code] of the error that answers, undefined when nothing does. */
  async error(message: Outgoing): Promise<readonly [number, number] | undefined> {
    const [reply] = await this.say(message);
    if (reply === undefined) return undefined;
    if (reply.type !== 'error') throw new Error(`${reply.type} is no error`);
    return [reply.errorType, reply.errorCode];
  }

  async stats<T extends MultipartReply['body']['type']>(body: MultipartRequestBody & { readonly type: T }) {
    const replies = (await this.say({ type: 'multipart_request', flags: 0, body })) as MessageOf<'multipart_reply'>[];
    return replies.map((reply) => reply.body as Extract<MultipartReply['body'], { readonly type: T }>);
  }

  /** Frames' ports since the last call. */
  ports(): number[] {
    return this.outputs.splice(0).map(({ port }) => port);
  }
  inject(port: number, frame: Uint8Array): void {
    this.datapath.inject(port as PortNo, frame);
  }
}

export type FlowSpec = Partial<Omit<Outgoing<MessageOf<'flow_mod'>>, 'match'>> & { readonly match?: MatchSpec };

export function flowMod({ match: spec = {}, ...over }: FlowSpec = {}): Outgoing<MessageOf<'flow_mod'>> {
  return {
    type: 'flow_mod',
    cookie: 0n,
    cookieMask: 0n,
    tableId: 0,
    command: 0,
    idleTimeout: 0,
    hardTimeout: 0,
    priority: 0,
    bufferId: NO_BUFFER,
    outPort: ANY,
    outGroup: ANY,
    flags: 0,
    instructions: [],
    match: match(spec),
    ...over,
  };
}

export const apply = (...actions: Action[]): Instruction => ({ type: 'apply_actions', actions });
export const output = (port: number, maxLen = 0): Action => ({ type: 'output', port, maxLen });

export function packetOut(over: Partial<Outgoing<MessageOf<'packet_out'>>> = {}): Outgoing<MessageOf<'packet_out'>> {
  return {
    type: 'packet_out',
    bufferId: NO_BUFFER,
    inPort: 0xfffffffd,
    actions: [],
    data: new Uint8Array(60),
    ...over,
  };
}
