/** A domain that keeps to no rule: its nodes in xenstore and its raw rings, driven by a test. */
import type { HostileFrontend } from '../../src/datapath/native-addon.js';
import type { EmulatedHost } from '../../src/guest/index.js';
import type { XenstoreClient } from '../../src/xenstore/index.js';
import { PAGE, RawRing, rxSlot, SLOTS, type TxSlot, txSlot } from './rings.js';

const BUFFERS = 32;
const POLL_MS = 2;
const PATIENCE_MS = 10_000;

export type Keys = Readonly<Record<string, string | undefined>>;

export class HostileGuest {
  readonly domid: number;
  readonly fe: string;
  readonly be: string;
  readonly store: XenstoreClient;
  readonly native: HostileFrontend;
  readonly tx: RawRing;
  readonly rx: RawRing;
  /** Pages of their own, granted read-only (tx) and writable (rx). */
  readonly buffers: readonly { readonly page: number; readonly tx: number; readonly rx: number }[];
  channels: { tx: number; rx: number };

  private constructor(host: EmulatedHost, native: HostileFrontend, domid: number) {
    this.domid = domid;
    this.native = native;
    this.fe = `/local/domain/${domid}/device/vif/0`;
    this.be = `/local/domain/0/backend/vif/${domid}/0`;
    this.store = host.openStore(domid);
    this.tx = new RawRing(native, 12);
    this.rx = new RawRing(native, 8);
    this.buffers = Array.from({ length: BUFFERS }, () => {
      const page = native.allocatePage();
      return { page, tx: native.grant(page, true), rx: native.grant(page) };
    });
    this.channels = { tx: native.openChannel(), rx: native.openChannel() };
  }

  static async create(
    host: EmulatedHost,
    createNative: (domid: number) => HostileFrontend,
    name = 'hostile',
  ): Promise<HostileGuest> {
    const domid = await host.toolstack.createDomain({ name });
    await host.toolstack.attachVif(domid);
    return new HostileGuest(host, createNative(domid), domid);
  }

  read(path: string): Promise<string | undefined> {
    return this.store.readOrUndefined(path);
  }

  /** Resolves with the backend's state once it is one of these. */
  async backend(...wanted: readonly string[]): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const state = await this.read(`${this.be}/state`).catch(() => undefined);
      if (state !== undefined && wanted.includes(state)) return state;
      if (Date.now() > deadline) throw new Error(`the backend is in ${state}, not in ${wanted.join(' or ')}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** What an honest frontend of one queue writes. */
  keys(): Record<string, string> {
    return {
      'request-rx-copy': '1',
      'tx-ring-ref': String(this.tx.ref),
      'rx-ring-ref': String(this.rx.ref),
      'event-channel-tx': String(this.channels.tx),
      'event-channel-rx': String(this.channels.rx),
      'feature-rx-notify': '1',
      'feature-sg': '1',
      'feature-gso-tcpv4': '1',
      'feature-gso-tcpv6': '1',
      'feature-ipv6-csum-offload': '1',
    };
  }

  async state(value: string): Promise<void> {
    await this.store.write(`${this.fe}/state`, value);
  }

  /** Writes the keys, undefined ones not at all, and a state. Does not wait. */
  async announce(changes: Keys = {}, state = '4'): Promise<void> {
    await this.store.transaction(async (nodes) => {
      for (const [key, value] of Object.entries({ ...this.keys(), ...changes })) {
        if (value === undefined) await nodes.rm(`${this.fe}/${key}`);
        else await nodes.write(`${this.fe}/${key}`, value);
      }
      await nodes.write(`${this.fe}/state`, state);
    });
  }

  /** From InitWait to Connected ('4'), or refused ('5', '6'). Rings are fresh. */
  async connect(changes: Keys = {}): Promise<string> {
    await this.backend('2');
    this.tx.init();
    this.rx.init();
    await this.announce(changes);
    return this.backend('4', '5', '6');
  }

  /** Whatever became of it: back to InitWait. */
  async reset(): Promise<void> {
    await this.state('6');
    await this.backend('6');
    await this.state('1');
    await this.backend('2');
  }

  async reconnect(changes: Keys = {}): Promise<string> {
    await this.reset();
    return this.connect(changes);
  }

  notify(which: 'tx' | 'rx' = 'tx'): void {
    this.native.notify(this.channels[which]);
  }

  /** Puts a frame into a buffer, at an offset. */
  fill(buffer: number, frame: Uint8Array, offset = 0): void {
    this.native.write(this.buffers[buffer]!.page, offset, frame.subarray(0, PAGE - offset));
  }

  /** A TX slot of a buffer. */
  slot(buffer: number, slot: Omit<TxSlot, 'gref'>): Buffer {
    return txSlot({ gref: this.buffers[buffer]!.tx, id: buffer, ...slot });
  }

  send(...slots: readonly Buffer[]): void {
    this.tx.write(...slots).publish();
    this.notify('tx');
  }

  /** Posts receive buffers, of which there are few: each is posted many times. */
  post(count: number): void {
    for (let i = 0; i < count; i++) {
      this.rx.write(rxSlot(this.rx.prod % SLOTS, this.buffers[this.rx.prod % BUFFERS]!.rx));
    }
    this.rx.publish();
    this.notify('rx');
  }

  /** Waits for TX responses: id and status of each. */
  async responses(count: number): Promise<{ id: number; status: number }[]> {
    const found: { id: number; status: number }[] = [];
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      for (const slot of this.tx.responses()) found.push({ id: slot.readUInt16LE(0), status: slot.readInt16LE(2) });
      if (found.length >= count) return found;
      if (Date.now() > deadline) throw new Error(`${found.length} responses, not ${count}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  close(): void {
    this.native.close();
    this.store.close();
  }
}
