/**
 * All controller connections of one switch: those it makes, those it accepts, and tools on management sockets. Fans
 * events out, and falls back to a learning switch when fail-mode says so and no controller is there.
 */
import type { Socket } from 'node:net';
import type { Logger } from '../base/logger.js';
import { Channel, type ChannelStatus } from './channel.js';
import { Dialer } from './dialer.js';
import { KEEP_ALIVE_MS, STANDALONE_AFTER } from './limits.js';
import { Listener } from './listener.js';
import { Roles } from './roles.js';
import type { AsyncMessage, Switch } from './switch.js';
import { parseActive, parsePassive } from './target.js';

export type FailMode = 'secure' | 'standalone';

export interface ChannelsOptions {
  readonly switch: Switch;
  /** `tcp:`, `unix:`. */
  readonly controllers: readonly string[];
  /** `ptcp:`, `punix:`; who connects there is a controller. */
  readonly listen?: readonly string[];
  /** `punix:`, `ptcp:`; who connects there is a tool, and does not count for fail-mode. */
  readonly management?: readonly string[];
  readonly failMode: FailMode;
  /** OpenFlow wire versions; by default 1.3 alone. */
  readonly versions?: readonly number[];
  readonly keepAliveMs?: number;
  readonly logger: Logger;
}

export interface ControllerStatus {
  readonly target: string;
  readonly connected: boolean;
  /** Why it is not connected. */
  readonly lastError: string | undefined;
}

const OPENFLOW_13 = 4;

export class Channels {
  readonly #options: ChannelsOptions;
  readonly #roles = new Roles();
  readonly #channels = new Set<Channel>();
  readonly #running = new Set<Promise<void>>();
  #dialers: readonly Dialer[] = [];
  #listeners: Listener[] = [];
  #fallBack: NodeJS.Timeout | undefined;
  #standalone = false;
  #stopped = false;

  private constructor(options: ChannelsOptions) {
    this.#options = options;
    options.switch.onAsync((message) => this.#tell(message));
  }

  /** Listens and begins to dial. Rejects with a sentence when a target is wrong or an address is taken. */
  static async start(options: ChannelsOptions): Promise<Channels> {
    const self = new Channels(options);
    const controllers = options.controllers.map(parseActive);
    const passive = [
      ...(options.listen ?? []).map((text) => ({ target: parsePassive(text), management: false })),
      ...(options.management ?? []).map((text) => ({ target: parsePassive(text), management: true })),
    ];
    try {
      for (const { target, management } of passive) {
        const serve = (socket: Socket, peer: string) => self.#serve(socket, peer, management);
        self.#listeners.push(await Listener.open({ target, serve, logger: options.logger }));
      }
    } catch (error) {
      await self.stop();
      throw error;
    }
    self.#dialers = controllers.map(
      (target) =>
        new Dialer({
          target,
          serve: (socket, peer, opened) => self.#serve(socket, peer, false, opened),
          logger: options.logger,
        }),
    );
    self.#controllersChanged();
    return self;
  }

  /** Addresses it listens on, with picked port numbers. */
  get listening(): readonly string[] {
    return this.#listeners.map((listener) => listener.name);
  }

  get controllers(): readonly ControllerStatus[] {
    return this.#dialers.map(({ name, channel, lastError }) => {
      const connected = channel !== undefined && !channel.gone;
      return { target: name, connected, lastError: connected ? undefined : lastError };
    });
  }

  get connections(): readonly ChannelStatus[] {
    return [...this.#channels].map((channel) => channel.status);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#fallBack);
    await Promise.all([
      ...this.#dialers.map((dialer) => dialer.stop()),
      ...this.#listeners.map((listener) => listener.stop()),
      ...[...this.#channels].map((channel) => channel.close()),
    ]);
    await Promise.all(this.#running);
  }

  // ---- one connection

  #serve(socket: Socket, peer: string, management: boolean, opened?: (channel: Channel) => void): Promise<void> {
    const running = this.#converse(socket, peer, management, opened);
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    return running;
  }

  async #converse(
    socket: Socket,
    peer: string,
    management: boolean,
    opened: ((channel: Channel) => void) | undefined,
  ): Promise<void> {
    const { logger, versions = [OPENFLOW_13], keepAliveMs = KEEP_ALIVE_MS } = this.#options;
    const channel = new Channel(socket, {
      switch: this.#options.switch,
      roles: this.#roles,
      management,
      versions,
      keepAliveMs,
      logger,
      peer,
    });
    // Known from the start, so that stop() reaches it while it says hello.
    this.#channels.add(channel);
    if (await channel.greeted()) {
      logger.info({ peer, version: channel.version }, management ? 'tool connected' : 'controller connected');
      opened?.(channel);
      this.#controllersChanged();
      await channel.run();
    }
    const reason = await channel.closed;
    this.#channels.delete(channel);
    logger.info({ peer, reason: reason.message }, management ? 'tool disconnected' : 'controller disconnected');
    this.#controllersChanged();
  }

  // ---- all connections

  #tell(message: AsyncMessage): void {
    for (const channel of this.#channels) channel.notify(message);
  }

  #controllersChanged(): void {
    if (this.#stopped) return;
    const there = [...this.#channels].filter((channel) => channel.version !== 0 && !channel.gone);
    this.#options.switch.controllersChanged(there.length > 0);
    if (this.#options.failMode === 'secure') return;
    if (there.some((channel) => !channel.status.management)) {
      clearTimeout(this.#fallBack);
      this.#fallBack = undefined;
      this.#setStandalone(false);
    } else if (!this.#standalone && this.#fallBack === undefined) {
      // Without any controller to wait for it is a learning switch at once.
      const wait = this.#options.controllers.length === 0 ? 0 : this.#waitMs;
      this.#fallBack = setTimeout(() => this.#setStandalone(true), wait);
    }
  }

  get #waitMs(): number {
    return STANDALONE_AFTER * (this.#options.keepAliveMs ?? KEEP_ALIVE_MS);
  }

  #setStandalone(on: boolean): void {
    this.#fallBack = undefined;
    if (this.#standalone === on || this.#stopped) return;
    this.#standalone = on;
    this.#options.logger.info({ on }, 'fail-mode standalone');
    this.#options.switch.standalone(on);
  }
}
