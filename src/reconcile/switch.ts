/** A running switch: what it has, and changing it. OpenFlow 1.3 and 1.4, which switches of 1.5 speak too. */

import type { Socket } from 'node:net';
import {
  encodeMessage,
  type FlowStats,
  formatMac,
  type GroupDesc,
  type Message,
  type MeterConfig,
  type MultipartReplyBody,
  type MultipartRequestBody,
  type Outgoing,
  of13,
  of14,
  RequestError,
  Session,
} from 'node-openflow';
import type { KnownPort } from '../compiler/index.js';

/** 1.3 and 1.4: in 1.5 some of Nicira's actions have other forms. */
const VERSIONS = [4, 5];
const { OFPBCT, OFPBF } = of14;
/** Messages that are sent before the socket is asked to take them. */
const CHUNK = 500;

/** With its OFPPC and OFPPS bits. */
export interface SwitchPort extends KnownPort {
  readonly config: number;
  readonly state: number;
}

/** What the tables of a switch hold. */
export interface SwitchState {
  readonly flows: readonly FlowStats[];
  readonly groups: readonly GroupDesc[];
  readonly meters: readonly MeterConfig[];
}

export class RemoteSwitch {
  readonly #session: Session;
  readonly version: number;

  private constructor(session: Session, version: number) {
    this.#session = session;
    this.version = version;
    void this.#discard();
  }

  /** Rejects where nobody answers or speaks OpenFlow 1.3 or 1.4. */
  static async open(socket: Socket): Promise<RemoteSwitch> {
    const session = new Session(socket, { versions: VERSIONS, requestTimeoutMs: 60_000 });
    return new RemoteSwitch(session, await session.ready);
  }

  /** Packet-ins and the like are for controllers. */
  async #discard(): Promise<void> {
    for await (const _ of this.#session);
  }

  async #ask<T extends MultipartReplyBody['type']>(body: MultipartRequestBody & { readonly type: T }) {
    const reply = await this.#session.request({ type: 'multipart_request', flags: 0, body });
    return reply.body as Extract<MultipartReplyBody, { readonly type: T }>;
  }

  async ports(): Promise<SwitchPort[]> {
    const { entries } = await this.#ask({ type: 'port_desc' });
    return entries.map(({ portNo, name, hwAddr, config, state }) => {
      return { number: portNo, name, mac: formatMac(hwAddr), config, state };
    });
  }

  async state(): Promise<SwitchState> {
    const all = { tableId: of13.OFPTT.ALL, outPort: of13.OFPP.ANY, outGroup: of13.OFPG.ANY, match: [] };
    const flows = await this.#ask({ type: 'flow', ...all, cookie: 0n, cookieMask: 0n });
    const groups = await this.#ask({ type: 'group_desc' });
    const meters = await this.#meters();
    return { flows: flows.entries, groups: groups.entries, meters };
  }

  /** Packets of each bucket, by the numbers of the groups. */
  async bucketPackets(): Promise<ReadonlyMap<number, readonly bigint[]>> {
    const { entries } = await this.#ask({ type: 'group', groupId: of13.OFPG.ALL });
    return new Map(entries.map(({ groupId, buckets }) => [groupId, buckets.map(({ packetCount }) => packetCount)]));
  }

  /** A switch without meters says so with an error. */
  async #meters(): Promise<readonly MeterConfig[]> {
    try {
      return (await this.#ask({ type: 'meter_config', meterId: of13.OFPM.ALL })).entries;
    } catch (error) {
      if (error instanceof RequestError) return [];
      throw error;
    }
  }

  /**
   * Carries out what can be in a bundle at once, `before` and `after` around it. Rejects with RequestError where
   * something is refused: then nothing of the bundle is in force, and `before` is.
   * Returns whether there was a bundle; without, the messages were carried out one by one.
   */
  async change(
    before: readonly Outgoing[],
    bundled: readonly Outgoing[],
    after: readonly Outgoing[],
  ): Promise<boolean> {
    await this.#each(before);
    const atomic = bundled.length === 0 || (await this.#bundle(bundled));
    if (!atomic) await this.#each(bundled);
    await this.#each(after);
    return atomic;
  }

  async #each(messages: readonly Outgoing[]): Promise<void> {
    for (let from = 0; from < messages.length; from += CHUNK) {
      await this.#session.commit(messages.slice(from, from + CHUNK));
    }
  }

  /** False: the switch has no bundles. */
  async #bundle(messages: readonly Outgoing[]): Promise<boolean> {
    const bundleId = 1;
    const flags = OFPBF.ATOMIC | OFPBF.ORDERED;
    const control = (controlType: number) =>
      this.#session.request({ type: 'bundle_control', bundleId, controlType, flags });
    try {
      await control(OFPBCT.OPEN_REQUEST);
    } catch (error) {
      if (error instanceof RequestError) return false;
      throw error;
    }
    try {
      await this.#each(messages.map((message, index) => this.#add(message, bundleId, flags, index + 1)));
      await control(OFPBCT.COMMIT_REQUEST);
    } catch (error) {
      // The bundle may be gone with the error already.
      if (error instanceof RequestError) await control(OFPBCT.DISCARD_REQUEST).catch(() => undefined);
      throw error;
    }
    return true;
  }

  /** A message in a bundle has the xid of the message that carries it (OpenFlow 1.4.1 §7.3.9.6). */
  #add(message: Outgoing, bundleId: number, flags: number, index: number): Outgoing {
    const xid = BUNDLED_XID + index;
    const bytes = encodeMessage({ ...message, version: this.version, xid } as Message);
    return { type: 'bundle_add_message', xid, bundleId, flags, message: bytes };
  }

  close(): Promise<unknown> {
    return this.#session.close();
  }
}

/** Xids of messages in bundles begin here, away from those of requests. */
const BUNDLED_XID = 0x4000_0000;

/** The place in the bundle of the message that was refused; undefined: not known. */
export function refusedIndex(error: RequestError, count: number): number | undefined {
  const index = error.reply.xid - BUNDLED_XID - 1;
  return index >= 0 && index < count ? index : undefined;
}
