/**
 * A match as places with values and masks: what ovs-ofctl makes of a text, and what it prints a match from.
 *
 * A place is a number of bits; several fields may stand for the same ones, so a later field replaces an earlier.
 */
import { bytesToBigint } from './addresses.js';
import { allOnes, type Masked } from './field-values.js';
import { toPort11 } from './numbers.js';
import type { OvsField } from './ovs-fields.js';

/** Bit 12 of a VLAN tag's control information says that there is a tag. */
export const tagPresent = 0x1000n;
const vidBits = 0x0fffn;
export const pcpShift = 13n;
const pcpMask = 0xe000n;
const dscpMask = 0xfcn;
/** dl_vlan=0xffff: no tag. */
const noVlan = 0xffffn;

/** Slots whose fields are narrower than they: an exact value says all of it. */
const wholeSlots: ReadonlyMap<string, bigint> = new Map([
  ['tp_src', 0xffffn],
  ['tp_dst', 0xffffn],
]);

/** A tunnel option: its width is that of what was written. */
export interface Option extends Masked {
  readonly bytes: number;
  /** Written with a mask, be it of all ones. */
  readonly masked: boolean;
}

export class Slots {
  readonly #slots = new Map<string, Masked>();
  readonly options = new Map<number, Option>();

  /** Of those that something was said of. */
  get names(): string[] {
    return [...this.#slots.keys()];
  }
  mask(slot: string): bigint {
    return this.#slots.get(slot)?.mask ?? 0n;
  }
  value(slot: string): bigint {
    return this.#slots.get(slot)?.value ?? 0n;
  }
  /** The value where something is matched, else undefined. */
  known(slot: string): number | undefined {
    const found = this.#slots.get(slot);
    return found === undefined || found.mask === 0n ? undefined : Number(found.value);
  }

  #put(slot: string, value: bigint, mask: bigint, where: bigint): void {
    const old = this.#slots.get(slot);
    if (old === undefined) {
      this.#slots.set(slot, { value: value & mask, mask });
      return;
    }
    this.#slots.set(slot, {
      value: (old.value & ~where) | (value & mask),
      mask: (old.mask & ~where) | mask,
    });
  }

  setEthertype(type: number): void {
    this.#put('eth_type', BigInt(type), 0xffffn, 0xffffn);
  }
  setProtocol(protocol: number): void {
    this.#put('nw_proto', BigInt(protocol), 0xffn, 0xffn);
  }
  setPacketType(type: number): void {
    this.#put('packet_type', BigInt(type), allOnes(32), allOnes(32));
  }

  /** `mask` has 8 · bytes ones for an exact value. */
  set(field: OvsField, { value, mask }: Masked): void {
    const exact = mask === allOnes(8 * field.bytes);
    if (field.name.startsWith('tun_metadata')) {
      this.#setOption(field, { value, mask });
    } else if (field.slot === 'vlan_tci' && field.name !== 'vlan_tci') {
      this.#setVlan(field, { value, mask });
    } else if (field.name === 'in_port') {
      this.#put('in_port', BigInt(toPort11(Number(value))), mask === 0n ? 0n : allOnes(32), allOnes(32));
    } else if (field.name === 'nw_tos') {
      // The two bits below the DSCP are not matched by the byte as a whole.
      this.#put('nw_tos', value & dscpMask, mask & dscpMask, dscpMask);
    } else {
      const bits = allOnes(field.bits);
      const shift = BigInt(field.shift);
      const whole = exact ? wholeSlots.get(field.slot) : undefined;
      this.#put(field.slot, (value & bits) << shift, whole ?? (mask & bits) << shift, whole ?? bits << shift);
    }
  }

  #setOption(field: OvsField, { value, mask }: Masked): void {
    const exact = mask === allOnes(8 * field.bytes);
    const widest = exact || value > mask ? value : mask;
    const bytes = Math.ceil(widest.toString(2).length / 8);
    this.options.set(Number(field.name.slice('tun_metadata'.length)), {
      value,
      mask: exact ? allOnes(8 * bytes) : mask,
      bytes: widest === 0n ? 0 : bytes,
      masked: !exact,
    });
  }

  #setVlan({ name }: OvsField, { value, mask }: Masked): void {
    const tci = allOnes(16);
    if (name === 'vlan_vid') {
      this.#put('vlan_tci', value, mask & (tagPresent | vidBits), tagPresent | vidBits);
    } else if (name === 'dl_vlan') {
      if (value === noVlan) this.#put('vlan_tci', 0n, tci, tci);
      else
        this.#put(
          'vlan_tci',
          (value & vidBits) | tagPresent,
          mask === 0n ? 0n : tagPresent | vidBits,
          tagPresent | vidBits,
        );
    } else {
      const bits = mask === 0n ? 0n : pcpMask | tagPresent;
      this.#put('vlan_tci', ((value & 7n) << pcpShift) | tagPresent, bits, pcpMask | tagPresent);
    }
  }

  /** A tunnel option of a width that the wire says. */
  setOptionBytes(index: number, value: Uint8Array, mask: Uint8Array | undefined): void {
    this.options.set(index, {
      value: bytesToBigint(value),
      mask: mask === undefined ? allOnes(8 * value.length) : bytesToBigint(mask),
      bytes: value.length,
      masked: mask !== undefined,
    });
  }

  /** The bits of a field, right-aligned. */
  field({ slot, shift, bits }: Pick<OvsField, 'slot' | 'shift' | 'bits'>): Masked {
    const at = BigInt(shift);
    return { value: (this.value(slot) >> at) & allOnes(bits), mask: (this.mask(slot) >> at) & allOnes(bits) };
  }

  /** The ethertype: as matched, or as the packet type says; 0 if neither does. */
  get ethertype(): number {
    const packetType = this.known('packet_type') ?? 0;
    return packetType >>> 16 === 1 ? packetType & 0xffff : (this.known('eth_type') ?? 0);
  }
  get protocol(): number {
    return this.known('nw_proto') ?? 0;
  }
}
