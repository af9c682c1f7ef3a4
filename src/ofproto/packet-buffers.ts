/** Packets of which a controller got the beginning only, kept until it says what to do with them (§7.3.7, §7.4.1). */
import { BUFFERS_MAX } from './limits.js';

export interface BufferedPacket {
  readonly frame: Uint8Array;
  readonly inPort: number;
}

interface Slot {
  readonly id: number;
  /** undefined: taken already. */
  packet: BufferedPacket | undefined;
}

/** A buffer id is the place in the ring and, above it, how often the ring went round, so that old ids are known as such. */
const ROUNDS = 0x00ffffff;

export class PacketBuffers {
  readonly #slots: (Slot | undefined)[] = new Array<Slot | undefined>(BUFFERS_MAX).fill(undefined);
  #next = 0;
  #round = 0;

  /** Keeps a packet in place of the oldest one; returns its id. */
  keep(packet: BufferedPacket): number {
    const id = this.#round * BUFFERS_MAX + this.#next;
    this.#slots[this.#next] = { id, packet };
    this.#next++;
    if (this.#next === BUFFERS_MAX) {
      this.#next = 0;
      // The largest round is left out: its last id would be OFP_NO_BUFFER.
      this.#round = (this.#round + 1) % ROUNDS;
    }
    return id;
  }

  /** Takes a packet out; 'empty' when it was taken before, 'unknown' when it is not there (any more). */
  take(id: number): BufferedPacket | 'empty' | 'unknown' {
    const slot = this.#slots[id % BUFFERS_MAX];
    if (slot === undefined || slot.id !== id) return 'unknown';
    const { packet } = slot;
    slot.packet = undefined;
    return packet ?? 'empty';
  }

  /** Undoes a `take`, unless another packet has the place by now. */
  putBack(id: number, packet: BufferedPacket): void {
    const slot = this.#slots[id % BUFFERS_MAX];
    if (slot?.id === id) slot.packet = packet;
  }
}
