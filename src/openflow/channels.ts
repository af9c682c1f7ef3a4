/**
 * All controller connections of one switch: those it makes, those it accepts, and tools on management sockets. Fans
 * events out, and tells the switch whether anybody is there to hear of packets.
 */
import type { Socket } from 'node:net';
import { supportedVersions } from 'node-openflow';
import { type Logger, RateLimitedLog } from '../base/logger.js';
import { Channel, type ChannelStatus } from './channel.js';
import { Dialer } from './dialer.js';
import { Event } from './event.js';
import { type FailMode, FailSafe } from './fail-mode.js';
import { KEEP_ALIVE_MS, STANDALONE_AFTER } from './limits.js';
import { Listener } from './listener.js';
import { Roles } from './roles.js';
import type { Switch } from './switch.js';
import { needsTls, parseActive, parsePassive, TargetError } from './target.js';
import type { TlsCredentials } from './tls-credentials.js';

export interface ChannelsOptions {
  readonly switch: Switch;
  /** `tcp:`, `ssl:`, `unix:`. */
  readonly controllers: readonly string[];
  /** `ptcp:`, `pssl:`, `punix:`; who connects there is a controller. */
  readonly listen?: readonly string[];
  /** `punix:`, `ptcp:`, `pssl:`; who connects there is a tool, and does not count for fail-mode. */
  readonly management?: readonly string[];
  /** For `ssl:` and `pssl:`, which are refused without. Its owner closes it. */
  readonly tls?: TlsCredentials | undefined;
  readonly failMode: FailMode;
  /** Wire versions for controllers; by default all. Tools may always use any. */
  readonly versions?: readonly number[];
  /** 0: never ask whether a controller is still there. */
  readonly keepAliveMs?: number;
  readonly logger: Logger;
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
}

export class Channels {
  readonly #options: ChannelsOptions;
  readonly #log: RateLimitedLog;
  readonly #roles = new Roles();
  readonly #channels = new Set<Channel>();
  /** One for every socket that is not closed yet. */
  readonly #sockets = new Set<Promise<unknown>>();
  readonly #failSafe: FailSafe;
  #dialers: readonly Dialer[] = [];
  #listeners: Listener[] = [];
  #packetsWanted = false;
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
    const controllers = options.controllers.map(parseActive);
    const passive = [
      ...(options.listen ?? []).map((text) => ({ target: parsePassive(text), management: false })),
      ...(options.management ?? []).map((text) => ({ target: parsePassive(text), management: true })),
    ];
    const { logger, tls } = options;
    const secured = [...options.controllers, ...(options.listen ?? []), ...(options.management ?? [])].find(needsTls);
    if (secured !== undefined && tls === undefined) {
      throw new TargetError(`"${secured}": TLS needs a private key, a certificate and a CA certificate`);
    }
    const self = new Channels(options);
    try {
      for (const { target, management } of passive) {
        const serve = (socket: Socket, name: string) => void self.#serve(socket, { name, management });
        self.#listeners.push(await Listener.open({ target, tls, serve, logger }));
      }
    } catch (error) {
      await self.stop();
      throw error;
    }
    options.switch.onAsync((message) => {
      const event = new Event(message);
      for (const channel of self.#channels) channel.notify(event);
    });
    options.switch.controllersChanged(self.#packetsWanted);
    self.#dialers = controllers.map((target) => {
      const serve = (socket: Socket, name: string, opened: (channel: Channel) => void) =>
        self.#serve(socket, { name, management: false }, opened);
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
    const { versions = supportedVersions, keepAliveMs = KEEP_ALIVE_MS, logger } = this.#options;
    const channel = new Channel(socket, {
      switch: this.#options.switch,
      roles: this.#roles,
      management: peer.management,
      versions: peer.management ? supportedVersions : versions,
      keepAliveMs,
      onInterest: () => this.#interestChanged(),
      logger,
      peer: peer.name,
    });
    // Known from the start, so that stop() reaches it while it says hello.
    this.#channels.add(channel);
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
      await this.#run(channel, peer);
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

  // ---- all connections

  #controllersChanged(): void {
    if (this.#stopped) return;
    this.#interestChanged();
    this.#failSafe.update([...this.#channels].some((channel) => channel.connected && !channel.management));
  }

  #interestChanged(): void {
    const wanted = [...this.#channels].some((channel) => channel.wantsPackets);
    if (wanted === this.#packetsWanted) return;
    this.#packetsWanted = wanted;
    this.#options.switch.controllersChanged(wanted);
  }
}
