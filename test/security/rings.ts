/** Rings and slots as bytes, written without any of a driver's rules (xen/io/netif.h, ring.h). */
import type { HostileFrontend } from '../../src/datapath/native-addon.js';

export const SLOTS = 256;
export const PAGE = 4096;
/** Offsets of the indices in a ring page. */
export const at = { reqProd: 0, reqEvent: 4, rspProd: 8, rspEvent: 12, slots: 64 } as const;
export const txFlag = { csumBlank: 1, dataValidated: 2, more: 4, extra: 8 } as const;
export const extraType = { gso: 1, mcastAdd: 2, mcastDel: 3, hash: 4 } as const;

export interface TxSlot {
  readonly gref: number;
  readonly offset?: number;
  readonly flags?: number;
  readonly id?: number;
  readonly size: number;
}

export function txSlot({ gref, offset = 0, flags = 0, id = 0, size }: TxSlot): Buffer {
  const slot = Buffer.alloc(12);
  slot.writeUInt32LE(gref >>> 0, 0);
  slot.writeUInt16LE(offset, 4);
  slot.writeUInt16LE(flags, 6);
  slot.writeUInt16LE(id, 8);
  slot.writeUInt16LE(size, 10);
  return slot;
}

export function extraSlot(type: number, more: boolean, payload: readonly number[] = []): Buffer {
  return Buffer.from([type, more ? 1 : 0, ...payload, ...new Array(10 - payload.length).fill(0)]);
}

export function gsoSlot(size: number, type: number, more = false): Buffer {
  return extraSlot(extraType.gso, more, [size & 255, size >> 8, type]);
}

export function rxSlot(id: number, gref: number): Buffer {
  const slot = Buffer.alloc(8);
  slot.writeUInt16LE(id, 0);
  slot.writeUInt32LE(gref >>> 0, 4);
  return slot;
}

/** One ring page of a hostile guest, with a producer that goes wherever it is told. */
export class RawRing {
  readonly #native: HostileFrontend;
  readonly #slots: number;
  readonly page: number;
  readonly ref: number;
  readonly slotBytes: number;
  /** Of the requests written, published or not. */
  prod = 0;
  /** Of the responses looked at. */
  cons = 0;

  constructor(native: HostileFrontend, slotBytes: 8 | 12 | 16, slots = SLOTS) {
    this.#native = native;
    this.#slots = slots;
    this.page = native.allocatePage();
    this.ref = native.grant(this.page);
    this.slotBytes = slotBytes;
    this.init();
  }

  /** As a driver does before it hands the page over. */
  init(): void {
    this.#native.write(this.page, 0, Buffer.alloc(PAGE));
    this.setWord(at.reqEvent, 1);
    this.setWord(at.rspEvent, 1);
    this.prod = 0;
    this.cons = 0;
  }

  word(offset: number): number {
    return Buffer.from(this.#native.read(this.page, offset, 4)).readUInt32LE();
  }

  setWord(offset: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    this.#native.write(this.page, offset, bytes);
  }

  offsetOf(index: number): number {
    return at.slots + (index % this.#slots) * this.slotBytes;
  }

  /** Writes slots after those written before; nothing is visible until publish(). */
  write(...slots: readonly Buffer[]): this {
    for (const slot of slots) this.#native.write(this.page, this.offsetOf(this.prod++), slot);
    return this;
  }

  publish(): void {
    this.setWord(at.reqProd, this.prod);
  }

  /** Responses since the last call, raw. */
  responses(): Buffer[] {
    const prod = this.word(at.rspProd);
    const found: Buffer[] = [];
    for (; this.cons !== prod; this.cons++) {
      found.push(Buffer.from(this.#native.read(this.page, this.offsetOf(this.cons), this.slotBytes)));
    }
    return found;
  }
}
