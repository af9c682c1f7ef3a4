/**
 * All controller connections of one switch: those it makes, those it accepts, and tools on management sockets. Fans
 * events out, and tells the switch whether anybody is there to hear of packets.
 */
import type { Socket } from 'node:net';
import { type ControllerStatus as ControllerStatusEntry, of15, supportedVersions } from 'node-openflow';
import type { Clock } from '../base/clock.js';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import { OF13 } from '../ofproto/versions.js';
import { keepAuxiliaries } from './auxiliaries.js';
import { Channel, type ChannelStatus } from './channel.js';
import { statusOf } from './controller-statuses.js';
import { Dialer, dial } from './dialer.js';
import { type Endpoint, targetOf, versionsOf } from './endpoint.js';
import { Event } from './event.js';
import { type FailMode, FailSafe } from './fail-mode.js';
import { AUXILIARY_MAX, KEEP_ALIVE_MS, STANDALONE_AFTER } from './limits.js';
import { Listener } from './listener.js';
import { Roles } from './roles.js';
import type { Switch } from './switch.js';
import { type ActiveTarget, needsTls, parseActive, parsePassive, TargetError } from './target.js';
import type { TlsCredentials } from './tls-credentials.js';

export interface ChannelsOptions {
  readonly switch: Switch;
  /** `tcp:`, `ssl:`, `unix:`. */
  readonly controllers: readonly Endpoint[];
  /** `ptcp:`, `pssl:`, `punix:`; who connects there is a controller. */
  readonly listen?: readonly Endpoint[];
  /** `punix:`, `ptcp:`, `pssl:`; who connects there is a tool, and does not count for fail-mode. */
  readonly management?: readonly string[];
  /** For `ssl:` and `pssl:`, which are refused without. Its owner closes it. */
  readonly tls?: TlsCredentials | undefined;
  readonly failMode: FailMode;
  /** Wire versions for controllers whose endpoint does not say; by default all. Tools may always use any. */
  readonly versions?: readonly number[];
  /** 0: never ask whether a controller is still there. */
  readonly keepAliveMs?: number;
  /** Connections to make to each of `controllers` beside the main one, up to AUXILIARY_MAX; default 0. */
  readonly auxiliaries?: number | undefined;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Milliseconds since 1970, for scheduled bundles. */
  readonly wallMs?: () => number;
}

export interface ControllerStatus {
  readonly target: string;
  readonly connected: boolean;
  /** Why it is not connected. */
  readonly lastError: string | undefined;
}

/** Whom a connection is with. */
interface Peer {
  readonly name: string;
  readonly management: boolean;
  /** Wire versions that it is offered. */
  readonly versions: readonly number[];
  /** It connected to us. */
  readonly came: boolean;
  /** Where this is not the main connection to it. */
  readonly auxiliary?: { readonly main: Channel; readonly id: number };
  /** It is one of those to connect to: in 1.5's list whether it is there or not. */
  readonly configured?: boolean;
}

const { OFPCSR } = of15;

export class Channels {
  readonly #options: ChannelsOptions;
  readonly #log: RateLimitedLog;
  readonly #roles = new Roles();
  readonly #channels = new Set<Channel>();
  readonly #peers = new WeakMap<Channel, Peer>();
  /** One for every socket that is not closed yet. */
  readonly #sockets = new Set<Promise<unknown>>();
  readonly #failSafe: FailSafe;
  #dialers: readonly Dialer[] = [];
  #listeners: Listener[] = [];
  #packetsWanted = false;
  #missesWanted = false;
  #stopped = false;

  private constructor(options: ChannelsOptions) {
    const { switch: theSwitch, failMode: mode, controllers, keepAliveMs, logger } = options;
    this.#options = options;
    this.#log = new RateLimitedLog(logger);
    const waitMs = controllers.length === 0 ? 0 : STANDALONE_AFTER * (keepAliveMs || KEEP_ALIVE_MS);
    this.#failSafe = new FailSafe({ switch: theSwitch, mode, waitMs, logger });
  }

  /** Listens and begins to dial. Rejects with a sentence when a target is wrong or an address is taken. */
  static async start(options: ChannelsOptions): Promise<Channels> {
    const { logger, tls, listen = [], management: tools = [], versions: usual = supportedVersions } = options;
    const controllers = options.controllers.map((endpoint) => ({
      target: parseActive(targetOf(endpoint)),
      versions: versionsOf(endpoint) ?? usual,
    }));
    const passive = [
      ...listen.map((endpoint) => ({
        target: parsePassive(targetOf(endpoint)),
        versions: versionsOf(endpoint) ?? usual,
        management: false,
      })),
      ...tools.map((text) => ({ target: parsePassive(text), versions: supportedVersions, management: true })),
    ];
    const secured = [...options.controllers, ...listen, ...tools].map(targetOf).find(needsTls);
    if (secured !== undefined && tls === undefined) {
      throw new TargetError(`"${secured}": TLS needs a private key, a certificate and a CA certificate`);
    }
    const self = new Channels(options);
    try {
      for (const { target, versions, management } of passive) {
        const serve = (socket: Socket, name: string) =>
          void self.#serve(socket, { name, management, versions, came: true });
        self.#listeners.push(await Listener.open({ target, tls, serve, logger }));
      }
    } catch (error) {
      await self.stop();
      throw error;
    }
    options.switch.onAsync((happened) => {
      const event = new Event(happened);
      for (const channel of self.#channels) channel.notify(event);
    });
    options.switch.controllersChanged(self.#packetsWanted, self.#missesWanted);
    self.#dialers = controllers.map(({ target, versions }) => {
      const serve = (socket: Socket, name: string, opened: (channel: Channel) => void) => {
        const peer = { name, management: false, versions, came: false, configured: true };
        return self.#serve(socket, peer, (channel) => {
          opened(channel);
          self.#openAuxiliaries(target, name, channel);
        });
      };
      return new Dialer({ target, tls, serve, logger });
    });
    self.#controllersChanged();
    return self;
  }

  /** Addresses it listens on, with picked port numbers. */
  get listening(): readonly string[] {
    return this.#listeners.map((listener) => listener.name);
  }

  /** Those it connects to, and where it listens if the last to come was not let in. */
  get controllers(): readonly ControllerStatus[] {
    const dialled = this.#dialers.map(({ name, channel, lastError }) => {
      const connected = channel?.connected ?? false;
      return { target: name, connected, lastError: connected ? undefined : lastError };
    });
    const refusing = this.#listeners.flatMap(({ name, lastRefusal }) =>
      lastRefusal === undefined ? [] : [{ target: name, connected: false, lastError: lastRefusal }],
    );
    return [...dialled, ...refusing];
  }

  get connections(): readonly ChannelStatus[] {
    return [...this.#channels].map((channel) => channel.status);
  }

  /** When it resolves no socket is left, and the switch is as if there had been no channels. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#failSafe.stop();
    for (const channel of this.#channels) void channel.close();
    await Promise.all([
      ...this.#dialers.map((dialer) => dialer.stop()),
      ...this.#listeners.map((listener) => listener.stop()),
    ]);
    await Promise.all(this.#sockets);
    this.#interestChanged();
  }

  // ---- one connection

  /** Resolves with why it ended. */
  #serve(socket: Socket, peer: Peer, opened?: (channel: Channel) => void): Promise<string> {
    // A socket that was connected just before the stop, or is gone already.
    if (this.#stopped || socket.destroyed) {
      socket.destroy();
      return Promise.resolve('closed before it was served');
    }
    const { keepAliveMs = KEEP_ALIVE_MS, logger, clock, wallMs } = this.#options;
    const channel = new Channel(socket, {
      switch: this.#options.switch,
      roles: this.#roles,
      management: peer.management,
      muted: peer.came,
      versions: peer.versions,
      keepAliveMs,
      onInterest: () => this.#interestChanged(),
      onStatus: (changed, reason) => this.#tellStatus(changed, reason),
      controllerStatus: () => this.#controllerStatus(),
      auxiliary: peer.auxiliary,
      clock,
      wallMs,
      logger,
      peer: peer.name,
    });
    // Known from the start, so that stop() reaches it while it says hello.
    this.#channels.add(channel);
    this.#peers.set(channel, peer);
    const conversation = this.#converse(channel, peer, opened);
    const held: Promise<unknown> = Promise.all([conversation, channel.released]).then(() => this.#sockets.delete(held));
    this.#sockets.add(held);
    return conversation;
  }

  async #converse(channel: Channel, peer: Peer, opened: ((channel: Channel) => void) | undefined): Promise<string> {
    const who = peer.management ? 'tool' : 'controller';
    if (await channel.greeted()) {
      this.#log.info({ peer: peer.name, version: channel.version }, `${who} connected`);
      opened?.(channel);
      this.#controllersChanged();
      this.#tellStatus(channel, peer.configured ? OFPCSR.CHANNEL_STATUS : OFPCSR.CONTROLLER_ADDED);
      await this.#run(channel, peer);
      this.#tellStatus(channel, peer.configured ? OFPCSR.CHANNEL_STATUS : OFPCSR.CONTROLLER_REMOVED);
    }
    const reason = (await channel.closed).message;
    this.#channels.delete(channel);
    this.#log.info({ peer: peer.name, reason }, `${who} disconnected`);
    this.#controllersChanged();
    return reason;
  }

  /** Our own bug in the handling of a message costs the connection that sent it, not the switch. */
  async #run(channel: Channel, peer: Peer): Promise<void> {
    try {
      await channel.run();
    } catch (error) {
      this.#options.logger.error({ peer: peer.name, error }, 'bug: a message could not be handled; disconnected');
      void channel.close();
    }
  }

  #openAuxiliaries(target: ActiveTarget, name: string, main: Channel): void {
    const { auxiliaries: count = 0, tls, logger } = this.#options;
    if (main.version < OF13) return;
    const serve = (socket: Socket, id: number) =>
      this.#serve(socket, {
        name,
        management: false,
        versions: [main.version],
        came: false,
        auxiliary: { main, id },
      });
    const kept: Promise<unknown> = keepAuxiliaries({
      main,
      count: Math.min(count, AUXILIARY_MAX),
      name,
      dial: (signal) => dial({ target, tls }, signal),
      serve,
      logger,
    }).then(() => this.#sockets.delete(kept));
    this.#sockets.add(kept);
  }

  // ---- what 1.5 tells of controllers

  #controllerStatus(): ControllerStatusEntry[] {
    const dialled = this.#dialers.map(({ name, channel }) => statusOf(name, channel, OFPCSR.REQUEST));
    const came = [...this.#channels].flatMap((channel) => {
      const { name, management, configured } = this.#peers.get(channel)!;
      const listed = channel.connected && channel.isMain && !management && configured !== true;
      return listed ? [statusOf(name, channel, OFPCSR.REQUEST)] : [];
    });
    return [...dialled, ...came];
  }

  /** To all others. */
  #tellStatus(changed: Channel, reason: number): void {
    const { name, management } = this.#peers.get(changed)!;
    if (management || !changed.isMain) return;
    const status = statusOf(name, changed, reason);
    for (const channel of this.#channels) if (channel.state !== changed.state) channel.notifyStatus(status);
  }

  // ---- all connections

  #controllersChanged(): void {
    if (this.#stopped) return;
    this.#interestChanged();
    this.#failSafe.update(
      [...this.#channels].some((channel) => channel.connected && channel.isMain && !channel.management),
    );
  }

  #interestChanged(): void {
    const interested = [...this.#channels].filter((channel) => channel.wantsPackets);
    const wanted = interested.length > 0;
    const misses = interested.some((channel) => channel.wantsMisses);
    if (wanted === this.#packetsWanted && misses === this.#missesWanted) return;
    [this.#packetsWanted, this.#missesWanted] = [wanted, misses];
    this.#options.switch.controllersChanged(wanted, misses);
  }
}
