/**
 * One controller's connection: takes its messages to the switch in order, answers those about the connection itself,
 * and tells the controller of events.
 */
import type { Duplex } from 'node:stream';
import {
  type AsyncChanges,
  type AsyncMasks,
  applyAsync,
  type Message,
  type MessageOf,
  type Outgoing,
  of13,
  of14,
  Session,
  type SessionError,
} from 'node-openflow';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import { isDefaultMiss } from '../ofproto/async-events.js';
import type { ControllerView } from '../ofproto/controller-view.js';
import { sendError } from '../ofproto/of-error.js';
import { hasInvalidTtlFlag, INVALID_TTL_TO_CONTROLLER, OF14, sendsMisses } from '../ofproto/versions.js';
import { defaultMasks, defaultMasks14, invalidTtlMasks, noMasks, wants, wantsPackets } from './async-masks.js';
import { type BundleRequest, Bundles } from './bundles.js';
import type { Event } from './event.js';
import { HANDSHAKE_MS } from './limits.js';
import { Outlet } from './outlet.js';
import { type Role, type RoleHolder, type Roles, roleNumber } from './roles.js';
import type { Switch } from './switch.js';

const { OFPBRC, OFPET } = of13;

/** OpenFlow 1.3.5 §6.3.6: what changes the switch is not for slaves. */
const forbiddenToSlaves: ReadonlySet<Message['type']> = new Set([
  'packet_out',
  'flow_mod',
  'group_mod',
  'meter_mod',
  'port_mod',
  'table_mod',
  'bundle_control',
  'bundle_add_message',
]);

export interface ChannelOptions {
  readonly switch: Switch;
  readonly roles: Roles;
  /** A tool's connection: it is no controller. */
  readonly management: boolean;
  /**
   * It hears of events only when it asked for them, by SET_CONFIG or SET_ASYNC: as with Open vSwitch this is so for all
   * that connected to us, since clients that only want to change flows take no other message (Xen Orchestra).
   */
  readonly muted: boolean;
  readonly versions: readonly number[];
  readonly keepAliveMs: number;
  /** It may want other events than before: its own role changed or another's, or it asked. */
  readonly onInterest: () => void;
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
  /** Resolves, never rejects, with the reason when the connection is over. */
  readonly closed: Promise<SessionError>;
  /** Resolves when the socket is closed too: the peer may take a moment to read our last words. */
  readonly released: Promise<unknown>;
  readonly #options: ChannelOptions;
  readonly #session: Session;
  readonly #outlet: Outlet;
  readonly #bundles: Bundles;
  /** By OFPT_SET_CONFIG before 1.3: packets whose TTL ran out too. */
  #invalidTtl = false;
  /** By OFPT_SET_ASYNC. */
  #masksSet: AsyncMasks | undefined;
  /** By OFPT_SET_CONFIG, which is how a tool asks for events (ovs-ofctl monitor). */
  #asksForEvents: boolean;

  constructor(socket: Duplex, options: ChannelOptions) {
    const { peer, logger, versions, keepAliveMs, roles, muted } = options;
    this.#options = options;
    this.#asksForEvents = !muted;
    this.#bundles = new Bundles((changes) => options.switch.commit(this, changes));
    const log = new RateLimitedLog(logger);
    this.#session = new Session(socket, {
      unknown: 'refuse',
      versions,
      keepAliveMs,
      handshakeTimeoutMs: HANDSHAKE_MS,
      onMalformed: (error) => log.warn({ peer, reason: error.reason }, 'malformed OpenFlow message'),
    });
    const giveUp = (unread: number) => {
      logger.warn({ peer, unread }, 'the controller does not read: disconnected');
      void this.close();
    };
    this.#outlet = new Outlet({ socket, session: this.#session, giveUp });
    this.closed = this.#session.closed;
    this.released = new Promise((resolve) => socket.once('close', resolve));
    roles.join(this);
    void this.closed.then(() => roles.leave(this));
  }

  /** Resolves with true when hellos were exchanged, with false when that failed. */
  greeted(): Promise<boolean> {
    return this.#session.ready.then(
      () => true,
      () => false,
    );
  }

  /** Handles messages until the connection is over. */
  async run(): Promise<void> {
    for await (const message of this.#session) {
      const answering = this.#receive(message);
      if (answering !== undefined) await answering;
      if (this.#outlet.owesTooMuch) await this.drained();
    }
  }

  close(): Promise<SessionError> {
    return this.#session.close();
  }

  get status(): ChannelStatus {
    const { received, sent, malformed } = this.#session.counters;
    return {
      peer: this.#options.peer,
      management: this.management,
      role: this.role,
      version: this.#session.version,
      received,
      sent,
      malformed,
      packetInsDropped: this.#outlet.packetInsDropped,
    };
  }

  get management(): boolean {
    return this.#options.management;
  }

  /** Hellos were exchanged, and the connection is not over. */
  get connected(): boolean {
    return this.#session.version !== undefined && !this.gone;
  }

  /** Whether any packet is to go up for its sake. */
  get wantsPackets(): boolean {
    return this.connected && wantsPackets(this.#masks, this.role);
  }

  // ---- what ofproto sees

  get version(): number {
    return this.#session.version ?? 0;
  }

  get gone(): boolean {
    return this.#session.isClosed;
  }

  send(message: Outgoing & { readonly xid: number }): void {
    const flag = message.type === 'get_config_reply' && this.#invalidTtl ? INVALID_TTL_TO_CONTROLLER : 0;
    this.#outlet.send(message.type === 'get_config_reply' ? { ...message, flags: message.flags | flag } : message);
  }

  sendRaw(bytes: Uint8Array): boolean {
    return this.#outlet.sendRaw(bytes);
  }

  drained(): Promise<void> {
    return this.#outlet.drained();
  }

  abandon(reason: string): void {
    this.#options.logger.warn({ peer: this.#options.peer, reason }, 'disconnected');
    void this.close();
  }

  // ---- events

  /** Tells the controller of an event, if it wants to know. */
  notify(event: Event): void {
    const { message } = event;
    if (!this.connected || !wants(this.#masks, this.role, this.version, message)) return;
    // Each version has its own idea of what becomes of packets that no flow matches.
    if (message.type === 'packet_in' && isDefaultMiss(message) && !sendsMisses(this.version)) return;
    this.#outlet.notify(event, this.version);
  }

  get #masks(): AsyncMasks {
    if (this.#masksSet !== undefined) return this.#masksSet;
    if (!this.#asksForEvents) return noMasks;
    if (this.version >= OF14) return defaultMasks14;
    return this.#invalidTtl ? invalidTtlMasks : defaultMasks;
  }

  demoted(generationId: bigint): void {
    const { MASTER_REQUEST } = of14.OFPCRR;
    // A slave's, since it is one by now. Who has not said otherwise is told.
    const wanted = this.#masks.roleStatusMask?.[1] ?? 1 << MASTER_REQUEST;
    if (!this.connected || this.version < OF14 || ((wanted >>> MASTER_REQUEST) & 1) === 0) return;
    this.send({ type: 'role_status', xid: 0, role: roleNumber('slave'), reason: MASTER_REQUEST, generationId });
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
        this.#onSetAsync(message);
        return undefined;
      case 'set_config':
        return this.#onSetConfig(message);
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
      sendError(this, message, { type: OFPET.BAD_REQUEST, code: OFPBRC.IS_SLAVE });
      return undefined;
    }
    if (message.type === 'bundle_control' || message.type === 'bundle_add_message') {
      this.#onBundle(message);
      return undefined;
    }
    return this.#options.switch.handle(this, message);
  }

  #onBundle(message: BundleRequest): void {
    const added = message.type === 'bundle_add_message' ? this.#bundles.add(message) : undefined;
    const outcome = message.type === 'bundle_control' ? this.#bundles.control(message) : added ? [added] : [];
    if (typeof outcome !== 'number') {
      for (const { request, error } of outcome) sendError(this, request, error);
    } else if (message.type === 'bundle_control') {
      const { xid, bundleId, flags } = message;
      this.send({ type: 'bundle_control', xid, bundleId, flags, controlType: outcome });
    }
  }

  #onSetConfig(asked: MessageOf<'set_config'>): Promise<void> | undefined {
    const own = hasInvalidTtlFlag(this.version) ? INVALID_TTL_TO_CONTROLLER : 0;
    // The flag is this controller's; the rest is the switch's.
    const message = { ...asked, flags: asked.flags & ~own };
    this.#invalidTtl = (asked.flags & own) !== 0;
    if (this.#options.muted) {
      this.#asksForEvents = message.missSendLen > 0;
      this.#options.onInterest();
    }
    // The configuration is the switch's, and a slave changes nothing of it. As with Open vSwitch that is no error, since
    // controllers send this as part of their greeting, whatever they are.
    return this.role === 'slave' ? undefined : this.#options.switch.handle(this, message);
  }

  #onRole(message: MessageOf<'role_request'>): void {
    const { roles, onInterest } = this.#options;
    const outcome = roles.request(this, message.role, message.generationId);
    if (!outcome.ok) {
      sendError(this, message, { type: OFPET.ROLE_REQUEST_FAILED, code: outcome.code });
      return;
    }
    this.send({
      type: 'role_reply',
      xid: message.xid,
      role: roleNumber(this.role),
      generationId: roles.generation,
    });
    onInterest();
  }

  #onSetAsync(change: AsyncChanges): void {
    this.#masksSet = applyAsync(this.#masks, change);
    this.#options.onInterest();
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
