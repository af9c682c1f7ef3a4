/**
 * One controller's connection: takes its messages to the switch in order, answers those about the connection itself,
 * and tells the controller of events.
 */
import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import {
  type ControllerStatus,
  encodeMultipartReply,
  type Message,
  type MessageOf,
  type NxRole,
  neutralPair,
  nicira,
  type Outgoing,
  of13,
  of14,
  of15,
  type RoleRequest,
  Session,
  type SessionError,
} from 'node-openflow';
import { type Clock, systemClock } from '../base/clock.js';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import { isDefaultMiss } from '../ofproto/async-events.js';
import type { ControllerConfig, ControllerView } from '../ofproto/controller-view.js';
import type { FlowFormat } from '../ofproto/flow-formats.js';
import { sendError } from '../ofproto/of-error.js';
import { OF10, OF14, OF15, sendsMisses } from '../ofproto/versions.js';
import { isKnown, lets } from './async-masks.js';
import { Bundles } from './bundles.js';
import { ControllerState } from './controller-state.js';
import type { Event } from './event.js';
import { HANDSHAKE_MS } from './limits.js';
import { Linger } from './linger.js';
import { applySetting } from './nicira-settings.js';
import { Outlet } from './outlet.js';
import { type Role, type Roles, roleNumber } from './roles.js';
import type { Switch } from './switch.js';

const { OFPBRC, OFPET } = of13;

/** OpenFlow 1.3.5 §6.3.6: what changes the switch is not for slaves. */
const forbiddenToSlaves: ReadonlySet<Message['type']> = new Set([
  'packet_out',
  'nx_resume',
  'flow_mod',
  'nx_flow_mod',
  'nx_tlv_table_mod',
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
  /** Its role or its number changed; OFPCSR_*. */
  readonly onStatus: (channel: Channel, reason: number) => void;
  /** Of all controllers (OpenFlow 1.5.1 §7.3.5.19). */
  readonly controllerStatus: () => readonly ControllerStatus[];
  /** What this is an auxiliary connection to, and its number; absent: it is a main connection. */
  readonly auxiliary?: { readonly main: Channel; readonly id: number } | undefined;
  readonly clock?: Clock | undefined;
  /** For scheduled bundles; default: the system's time. */
  readonly wallMs?: (() => number) | undefined;
  readonly logger: Logger;
  /** Who it is, for logs and status. */
  readonly peer: string;
}

export interface ChannelStatus {
  readonly peer: string;
  readonly management: boolean;
  /** 0: the main connection. */
  readonly auxiliaryId: number;
  readonly role: Role;
  readonly version: number | undefined;
  readonly received: number;
  readonly sent: number;
  readonly malformed: number;
  readonly packetInsDropped: number;
}

/** Of the process: there is one event loop. On a single processor staying awake keeps the controller from it. */
const linger = availableParallelism() > 1 ? new Linger() : undefined;

export class Channel implements ControllerView {
  /** Shared by the connections of one controller. */
  readonly state: ControllerState;
  /** Resolves, never rejects, with the reason when the connection is over. */
  readonly closed: Promise<SessionError>;
  /** Resolves when the socket is closed too: the peer may take a moment to read our last words. */
  readonly released: Promise<unknown>;
  readonly #options: ChannelOptions;
  readonly #session: Session;
  readonly #outlet: Outlet;
  readonly #bundles: Bundles;
  /** To the same controller; they end with this one. */
  readonly #auxiliaries = new Set<Channel>();

  constructor(socket: Duplex, options: ChannelOptions) {
    const { peer, logger, versions, keepAliveMs, roles, muted, auxiliary, clock = systemClock, wallMs } = options;
    this.#options = options;
    this.state = auxiliary?.main.state ?? new ControllerState(muted, (generation) => this.#demoted(generation));
    const mayChange = () => this.state.role !== 'slave';
    const failed = (error: unknown) => {
      logger.error({ peer, error }, 'bug: a scheduled bundle could not be carried out; disconnected');
      void this.close();
    };
    this.#bundles = new Bundles({ switch: options.switch, view: this, mayChange, failed, clock, wallMs });
    const log = new RateLimitedLog(logger);
    socket.on('data', () => this.connected && linger?.heard());
    this.#session = new Session(socket, {
      unknown: 'refuse',
      versions,
      keepAliveMs,
      handshakeTimeoutMs: HANDSHAKE_MS,
      onMalformed: (error) => log.warn({ peer, reason: error.reason }, 'malformed OpenFlow message'),
    });
    socket.on('data', () => this.connected && linger?.idle());
    const giveUp = (unread: number) => {
      logger.warn({ peer, unread }, 'the controller does not read: disconnected');
      void this.close();
    };
    this.#outlet = new Outlet({ session: this.#session, giveUp });
    this.closed = this.#session.closed;
    this.released = new Promise((resolve) => socket.once('close', resolve));
    if (auxiliary === undefined) roles.join(this.state);
    else auxiliary.main.#auxiliaries.add(this);
    void this.closed.then(() => {
      this.#bundles.close();
      if (auxiliary === undefined) roles.leave(this.state);
      else auxiliary.main.#auxiliaries.delete(this);
      for (const other of this.#auxiliaries) void other.close();
    });
    if (auxiliary?.main.gone) void this.close();
  }

  /** Resolves with true when hellos were exchanged, with false when that failed. */
  greeted(): Promise<boolean> {
    return this.#session.ready.then(
      () => true,
      () => false,
    );
  }

  /** Handles messages until the connection is over. */
  run(): Promise<void> {
    return this.#session.consume({
      take: (message) => this.#handle(message),
      takeBytes: (bytes) => this.#handleBytes(bytes),
    });
  }

  #handle(message: Message): Promise<void> | undefined {
    // Its role went with the main connection.
    if (this.#options.auxiliary?.main.gone) return undefined;
    const answering = this.#receive(message);
    if (answering !== undefined) return answering.then(() => this.#whenRead());
    return this.#whenRead();
  }

  /** What comes by the hundred thousand: flow_mods, also in bundles, and packet-outs. */
  #handleBytes(bytes: Uint8Array): boolean {
    if (this.state.role === 'slave' || this.#options.auxiliary !== undefined || this.#outlet.isFull) return false;
    return this.#options.switch.handleBytes(this, bytes) || this.#bundles.receiveBytes(bytes);
  }

  /** The controller is to read what it is owed before it is heard again. */
  #whenRead(): Promise<void> | undefined {
    return this.#outlet.owesTooMuch ? this.drained() : undefined;
  }

  close(): Promise<SessionError> {
    return this.#session.close();
  }

  get status(): ChannelStatus {
    const { received, sent, malformed } = this.#session.counters;
    return {
      peer: this.#options.peer,
      management: this.management,
      auxiliaryId: this.auxiliaryId,
      role: this.state.role,
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
    return this.connected && this.isMain && this.state.wantsPackets(this.version);
  }

  /** Whether such that no flow matches, and no controller is named for, are to go up for its sake. */
  get wantsMisses(): boolean {
    return this.wantsPackets && this.state.controllerId === 0 && sendsMisses(this.version);
  }

  get isMain(): boolean {
    return this.auxiliaryId === 0;
  }

  // ---- what ofproto sees

  get version(): number {
    return this.#session.version ?? 0;
  }

  get gone(): boolean {
    return this.#session.isClosed;
  }

  get auxiliaryId(): number {
    return this.#options.auxiliary?.id ?? 0;
  }

  get flowFormat(): FlowFormat {
    return this.state.flowFormat;
  }

  get config(): ControllerConfig {
    return this.state.config;
  }
  set config(config: ControllerConfig) {
    this.state.config = config;
    this.#options.onInterest();
  }

  send(message: Outgoing & { readonly xid: number }): void {
    this.#outlet.send(message);
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

  /** Tells the controller of an event, if it wants to know; its main connection does. */
  notify(event: Event): void {
    const { version, state } = this;
    if (!this.connected || !this.isMain || !state.wants(version, event.event)) return;
    if (event.event.type === 'requestforward' && this.#isMine(event.event.by)) return;
    // Each version has its own idea of what becomes of packets that no flow matches.
    if (event.event.type === 'packet_in' && isDefaultMiss(event.event) && !sendsMisses(version)) return;
    const { packetInFormat, config, flowFormat } = state;
    const nxm = flowFormat.nxm && version === OF10;
    this.#outlet.notify(event, { version, nxm, packetInFormat, missSendLen: config.missSendLen });
  }

  #isMine(view: ControllerView): boolean {
    return view instanceof Channel && view.state === this.state;
  }

  /** Tells of another controller, since 1.5 (OpenFlow 1.5.1 §7.4.7). */
  notifyStatus(status: ControllerStatus): void {
    const { controllerStatusMask } = this.state.masks(this.version);
    const told = this.connected && this.isMain && this.version >= OF15;
    if (!told || !lets(controllerStatusMask, this.state.role, status.reason)) return;
    this.send({ type: 'controller_status', xid: 0, status });
  }

  #demoted(generationId: bigint): void {
    const { MASTER_REQUEST } = of14.OFPCRR;
    this.#options.onStatus(this, of15.OFPCSR.ROLE);
    // A slave's, since it is one by now.
    const { roleStatusMask } = this.state.masks(this.version);
    if (!this.connected || this.version < OF14 || !lets(roleStatusMask, 'slave', MASTER_REQUEST)) return;
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
      case 'nx_role_request':
        this.#onRole(message);
        return undefined;
      case 'get_async_request':
        this.send({ type: 'get_async_reply', xid: message.xid, ...this.state.masks(this.version) });
        return undefined;
      case 'set_async':
        this.#onSetAsync(message);
        return undefined;
      case 'set_config':
        return this.#onSetConfig(message);
      case 'multipart_request':
        return this.#onMultipart(message);
      case 'echo_reply':
        return undefined;
      case 'error':
        this.#options.logger.debug({ peer: this.#options.peer, ...errorFields(message) }, 'error from the controller');
        return undefined;
      default:
        return this.#onOther(message);
    }
  }

  #onOther(message: Message): Promise<void> | undefined {
    const wrong = applySetting(this.state, message);
    if (wrong === 'other') return this.#toSwitch(message);
    if (wrong === undefined) this.#options.onInterest();
    else sendError(this, message, wrong);
    return undefined;
  }

  #toSwitch(message: Message): Promise<void> | undefined {
    if (this.state.role === 'slave' && changesSwitch(message)) {
      sendError(this, message, { type: OFPET.BAD_REQUEST, code: OFPBRC.IS_SLAVE });
      return undefined;
    }
    if (message.type === 'bundle_control' || message.type === 'bundle_add_message') {
      this.#bundles.receive(message);
      return undefined;
    }
    return this.#options.switch.handle(this, message);
  }

  /** Some are about the connections; all others are the switch's. */
  #onMultipart(request: MessageOf<'multipart_request'>): Promise<void> | undefined {
    if ((request.flags & of13.OFPMPF.REQ_MORE) === 0 && request.body.type === 'controller_status') {
      const entries = this.#options.controllerStatus();
      for (const bytes of encodeMultipartReply(request, { type: 'controller_status', entries })) this.sendRaw(bytes);
      return undefined;
    }
    if ((request.flags & of13.OFPMPF.REQ_MORE) === 0 && request.body.type === 'bundle_features') {
      const body = this.#bundles.schedule.features(request.body);
      if (typeof body === 'string') sendError(this, request, neutralPair(body));
      else this.send({ type: 'multipart_reply', xid: request.xid, flags: 0, body });
      return undefined;
    }
    return this.#toSwitch(request);
  }

  /**
   * The treatment of fragments is the switch's, and a slave changes nothing of it. As with Open vSwitch that is no error,
   * since controllers send this as part of their greeting, whatever they are.
   */
  #onSetConfig(message: MessageOf<'set_config'>): Promise<void> | undefined {
    const { switch: theSwitch } = this.#options;
    const asked = this.state.role === 'slave' ? { ...message, flags: theSwitch.fragments } : message;
    return theSwitch.handle(this, asked);
  }

  /** Nicira's request has no generation, and its roles are called otherwise. */
  #onRole(message: RoleRequest | NxRole): void {
    const { roles, onInterest, onStatus } = this.#options;
    const before = { role: this.state.role, shortId: this.state.shortId };
    const outcome =
      message.type === 'role_request'
        ? roles.request(this.state, message.role, message.generationId, message.shortId)
        : roles.request(this.state, fromNxRole(message.role), undefined);
    if (!outcome.ok) {
      sendError(this, message, { type: OFPET.ROLE_REQUEST_FAILED, code: outcome.code });
      return;
    }
    const { role, shortId } = this.state;
    const { xid } = message;
    if (message.type !== 'role_request') this.send({ type: 'nx_role_reply', xid, role: nxRoles[role] });
    else {
      const named = this.version >= OF15 ? { shortId } : {};
      this.send({ type: 'role_reply', xid, role: roleNumber(role), generationId: roles.generation, ...named });
    }
    onInterest();
    if (role !== before.role) onStatus(this, of15.OFPCSR.ROLE);
    if (shortId !== before.shortId) onStatus(this, of15.OFPCSR.SHORT_ID);
  }

  #onSetAsync(change: MessageOf<'set_async'>): void {
    const vendors = change.properties !== undefined && change.properties.length > 0;
    if (vendors) sendError(this, change, neutralPair('OFPBPC_BAD_EXPERIMENTER'));
    else if (!isKnown(this.version, change)) sendError(this, change, neutralPair('OFPACFC_INVALID'));
    else {
      this.state.setMasks(this.version, change);
      this.#options.onInterest();
    }
  }
}

const { NX_ROLE } = nicira;
const nxRoles: Readonly<Record<Role, number>> = {
  equal: NX_ROLE.OTHER,
  master: NX_ROLE.PRIMARY,
  slave: NX_ROLE.SECONDARY,
};
/** A number that is none stays one that is none. */
function fromNxRole(number: number): number {
  const role = (Object.keys(nxRoles) as Role[]).find((name) => nxRoles[name] === number);
  return role === undefined ? Number.NaN : roleNumber(role);
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
