/** A running switch: what it has, and changing it. OpenFlow 1.3 to 1.5. */

import type { Socket } from 'node:net';
import {
  errorName,
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
  SessionError,
} from 'node-openflow';
import type { KnownPort } from '../compiler/index.js';
import { BundleBytes } from './bundle-bytes.js';
import { flowFrom15, groupFrom15, messageIn15 } from './words15.js';

const VERSION_15 = 6;
/** 1.5 is spoken with those that speak nothing else: plans are made in the words of 1.3 and 1.4. */
const VERSIONS: readonly (readonly number[])[] = [[4, 5], [VERSION_15]];
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

/** In the order in which they can be carried out; meters, which not all bundles take, stand outside `bundled`. */
export interface Stages<T = Outgoing> {
  readonly before: readonly T[];
  readonly bundled: readonly T[];
  readonly after: readonly T[];
}

/** What was carried out at once. */
export type Atomicity = 'all' | 'without meters' | 'none';

export class RemoteSwitch {
  readonly #session: Session;
  readonly version: number;
  /** The first error about a message of the bundle that is sent. */
  #refused: RequestError | undefined;

  private constructor(session: Session, version: number) {
    this.#session = session;
    this.version = version;
    void session.consume({ take: (message) => this.#take(message) });
  }

  /** Rejects where nobody answers or speaks OpenFlow 1.3, 1.4 or 1.5. `connect` is asked again for other versions. */
  static async open(connect: () => Promise<Socket>): Promise<RemoteSwitch> {
    for (const [index, versions] of VERSIONS.entries()) {
      const session = new Session(await connect(), { versions, requestTimeoutMs: 60_000 });
      try {
        return new RemoteSwitch(session, await session.ready);
      } catch (error) {
        const another = error instanceof SessionError && error.failure === 'negotiation';
        if (!another || index === VERSIONS.length - 1) throw error;
      }
    }
    throw new Error('unreachable');
  }

  /** Nobody waits for it: packet-ins and the like are for controllers. */
  #take(message: Message): undefined {
    if (message.type === 'error' && message.xid >= BUNDLED_XID) this.#refused ??= new RequestError(message);
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
    const read = { flows: flows.entries, groups: groups.entries, meters };
    if (this.version !== VERSION_15) return read;
    return { flows: read.flows.map(flowFrom15), groups: read.groups.map(groupFrom15), meters };
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
   * Carries out all of it at once, in a bundle; of a switch that takes no meters in bundles (OFPBFC_MSG_UNSUP), those are
   * changed around it. Rejects with RequestError where something is refused: then nothing of the bundle is in force, and
   * `before` is if it was not in there.
   */
  async change({ before, bundled, after }: Stages): Promise<Atomicity> {
    const all = [...before, ...bundled, ...after];
    if (all.length === 0) return 'all';
    try {
      if (await this.#bundle(all, 0)) return 'all';
    } catch (error) {
      if (before.length + after.length === 0 || !isUnsupported(error)) throw error;
    }
    await this.#each(before);
    const atomic = bundled.length === 0 || (await this.#bundle(bundled, before.length));
    if (!atomic) await this.#each(bundled);
    await this.#each(after);
    return atomic ? 'without meters' : 'none';
  }

  async #each(messages: readonly Outgoing[]): Promise<void> {
    for (let from = 0; from < messages.length; from += CHUNK) {
      const chunk = messages.slice(from, from + CHUNK);
      await this.#session.commit(chunk.map((message) => this.#said(message)));
    }
  }

  /** False: the switch has no bundles. `first`: the place of the first message among all that are to be carried out. */
  async #bundle(messages: readonly Outgoing[], first: number): Promise<boolean> {
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
      await this.#add(messages, new BundleBytes(this.version, bundleId, flags), BUNDLED_XID + first);
      await control(OFPBCT.COMMIT_REQUEST);
    } catch (error) {
      // The bundle may be gone with the error already.
      if (error instanceof RequestError) await control(OFPBCT.DISCARD_REQUEST).catch(() => undefined);
      // A switch may well hang up on what follows a message that it refused: that is why.
      throw this.#refused ?? error;
    }
    return true;
  }

  /** Rejects with the first error about one of them. */
  async #add(messages: readonly Outgoing[], bytes: BundleBytes, firstXid: number): Promise<void> {
    this.#refused = undefined;
    for (const [index, message] of messages.entries()) {
      const writable = this.#session.sendRaw(bytes.add(this.#said(message), firstXid + index));
      if (!writable) await this.#session.drained();
      // That it refused one is heard only when there is a turn to hear it in.
      if (index % CHUNK === CHUNK - 1) await new Promise((resolve) => setImmediate(resolve));
      if (this.#refused !== undefined) break;
    }
    await this.#session.barrier();
    if (this.#refused !== undefined) throw this.#refused;
  }

  #said(message: Outgoing): Outgoing {
    return this.version === VERSION_15 ? messageIn15(message) : message;
  }

  close(): Promise<unknown> {
    return this.#session.close();
  }
}

/** Xids of messages in bundles begin here, away from those of requests. */
const BUNDLED_XID = 0x4000_0000;

/** The place, among all that was to be carried out, of the message that was refused; undefined: not known. */
export function refusedIndex(error: RequestError, count: number): number | undefined {
  const index = error.reply.xid - BUNDLED_XID;
  return index >= 0 && index < count ? index : undefined;
}

/** Whatever the version's number for it is. */
const isUnsupported = (error: unknown): boolean =>
  error instanceof RequestError &&
  errorName(error.errorType, error.errorCode, error.reply.version, error.reply) === 'OFPBFC_MSG_UNSUP';
