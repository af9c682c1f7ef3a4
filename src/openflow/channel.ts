/**
 * One controller's connection: takes its messages to the switch in order, answers those about the connection itself,
 * and tells the controller of events. Memory stays bounded towards a controller that does not read: requests wait,
 * packet-ins are dropped and counted, and in the end the connection is cut.
 */
import type { Duplex } from 'node:stream';
import {
  type AsyncMasks,
  encodeMessage,
  type Message,
  type MessageOf,
  type Outgoing,
  of13,
  Session,
  type SessionError,
} from 'node-openflow';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import type { ControllerView } from '../ofproto/controller-view.js';
import { defaultMasks, noMasks, wants } from './async-masks.js';
import { STALL_MS, UNREAD_BYTES_MAX, UNREAD_PACKET_IN_BYTES } from './limits.js';
import { type Role, type RoleHolder, type Roles, roleNumber } from './roles.js';
import type { AsyncMessage, Switch } from './switch.js';

const { OFPBRC, OFPET } = of13;

/** OpenFlow 1.3.5 §6.3.6: what changes the switch is not for slaves. */
const forbiddenToSlaves: ReadonlySet<Message['type']> = new Set([
  'packet_out',
  'flow_mod',
  'group_mod',
  'meter_mod',
  'port_mod',
  'table_mod',
]);

const ERROR_DATA_BYTES = 64;

export interface ChannelOptions {
  readonly switch: Switch;
  readonly roles: Roles;
  /** A tool's connection: it is no controller, and hears of events only when it asked. */
  readonly management: boolean;
  readonly versions: readonly number[];
  readonly keepAliveMs: number;
  readonly logger: Logger;
  /** Who it is, for logs and status. */
  readonly peer: string;
}

export interface ChannelStatus {
  readonly peer: string;
  readonly management: boolean;
  readonly role: Role;
  readonly version: number | undefined;
  readonly received: number;
  readonly sent: number;
  readonly malformed: number;
  readonly packetInsDropped: number;
}

export class Channel implements ControllerView, RoleHolder {
  role: Role = 'equal';
  /** Resolves, never rejects, when the connection is over. */
  readonly closed: Promise<SessionError>;
  readonly #options: ChannelOptions;
  readonly #session: Session;
  #masks: AsyncMasks;
  #packetInsDropped = 0;

  constructor(socket: Duplex, options: ChannelOptions) {
    this.#options = options;
    this.#masks = options.management ? noMasks : defaultMasks;
    const log = new RateLimitedLog(options.logger);
    this.#session = new Session(socket, {
      versions: options.versions,
      keepAliveMs: options.keepAliveMs,
      onMalformed: (error) => log.warn({ peer: options.peer, reason: error.reason }, 'malformed OpenFlow message'),
    });
    this.closed = this.#session.closed;
    options.roles.join(this);
    void this.closed.then(() => options.roles.leave(this));
  }

  /** Resolves with true when hellos were exchanged, with false when that failed. */
  async greeted(): Promise<boolean> {
    return this.#session.ready.then(
      () => true,
      () => false,
    );
  }

  /** Handles messages until the connection is over. */
  async run(): Promise<void> {
    for await (const message of this.#session) {
      await this.#receive(message);
      if (!this.gone) await this.drained();
    }
  }

  close(): Promise<SessionError> {
    return this.#session.close();
  }

  get status(): ChannelStatus {
    const { received, sent, malformed } = this.#session.counters;
    const { peer, management } = this.#options;
    const { role, version } = { role: this.role, version: this.#session.version };
    return { peer, management, role, version, received, sent, malformed, packetInsDropped: this.#packetInsDropped };
  }

  // ---- what ofproto sees

  get version(): number {
    return this.#session.version ?? 0;
  }

  get gone(): boolean {
    return this.#session.isClosed;
  }

  send(message: Outgoing & { readonly xid: number }): void {
    this.#session.send(message);
  }

  sendRaw(bytes: Uint8Array): boolean {
    return this.#session.sendRaw(bytes);
  }

  async drained(): Promise<void> {
    const stalled = setTimeout(() => this.close(), STALL_MS);
    await this.#session.drained();
    clearTimeout(stalled);
  }

  // ---- events

  /** Tells the controller of an event, if it wants to know. */
  notify(message: AsyncMessage): void {
    if (this.#session.version === undefined || this.gone || !wants(this.#masks, this.role, message)) return;
    const unread = this.#session.writableLength;
    if (unread > UNREAD_BYTES_MAX) {
      this.#options.logger.warn({ peer: this.#options.peer, unread }, 'the controller does not read: disconnected');
      void this.close();
    } else if (message.type === 'packet_in' && unread > UNREAD_PACKET_IN_BYTES) {
      this.#packetInsDropped++;
    } else {
      this.#session.send({ ...message, xid: 0 });
    }
  }

  // ---- requests

  #receive(message: Message): Promise<void> | undefined {
    switch (message.type) {
      case 'barrier_request':
        this.#options.switch.barrier();
        this.send({ type: 'barrier_reply', xid: message.xid });
        return undefined;
      case 'role_request':
        this.#onRole(message);
        return undefined;
      case 'get_async_request':
        this.send({ type: 'get_async_reply', xid: message.xid, ...this.#masks });
        return undefined;
      case 'set_async':
        this.#setMasks(message);
        return undefined;
      case 'echo_reply':
        return undefined;
      case 'error':
        this.#options.logger.debug({ peer: this.#options.peer, ...errorFields(message) }, 'error from the controller');
        return undefined;
      default:
        return this.#toSwitch(message);
    }
  }

  #toSwitch(message: Message): Promise<void> | undefined {
    if (this.role === 'slave' && changesSwitch(message)) {
      this.#refuse(message, OFPET.BAD_REQUEST, OFPBRC.IS_SLAVE);
      return undefined;
    }
    // A tool asks for events by saying how much of a packet it wants (ovs-ofctl monitor).
    if (message.type === 'set_config' && this.#options.management) {
      this.#masks = message.missSendLen > 0 ? defaultMasks : noMasks;
    }
    return this.#options.switch.handle(this, message);
  }

  #onRole(message: MessageOf<'role_request'>): void {
    const outcome = this.#options.roles.request(this, message.role, message.generationId);
    if (!outcome.ok) {
      this.#refuse(message, OFPET.ROLE_REQUEST_FAILED, outcome.code);
      return;
    }
    const generationId = this.#options.roles.generation;
    this.send({ type: 'role_reply', xid: message.xid, role: roleNumber(this.role), generationId });
  }

  #setMasks({ packetInMask, portStatusMask, flowRemovedMask }: AsyncMasks): void {
    this.#masks = { packetInMask, portStatusMask, flowRemovedMask };
  }

  #refuse(message: Message, errorType: number, errorCode: number): void {
    const data = encodeMessage(message).slice(0, ERROR_DATA_BYTES);
    this.send({ type: 'error', xid: message.xid, errorType, errorCode, data });
  }
}

function changesSwitch(message: Message): boolean {
  if (message.type === 'multipart_request' && message.body.type === 'table_features') {
    return message.body.entries.length > 0;
  }
  return forbiddenToSlaves.has(message.type);
}

function errorFields({ errorType, errorCode, xid }: MessageOf<'error'>) {
  return { errorType, errorCode, xid };
}
