/** IP protocol numbers, and IPv6 extension headers as the model sees them. */
import { Frag } from './schema.gen.js';

export const ipProto = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  routing: 43,
  fragment: 44,
  esp: 50,
  auth: 51,
  icmpv6: 58,
  noNext: 59,
  destination: 60,
  sctp: 132,
  hopByHop: 0,
} as const;

export function u16At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** OFPIEH_* (OpenFlow 1.3.5 §7.2.3.8) and the place RFC 8200 §4.1 recommends, by extension header. */
const extensions: Readonly<Record<number, { readonly flag: number; readonly rank: number }>> = {
  [ipProto.hopByHop]: { flag: 64, rank: 0 },
  [ipProto.destination]: { flag: 8, rank: 1 },
  [ipProto.routing]: { flag: 32, rank: 2 },
  [ipProto.fragment]: { flag: 16, rank: 3 },
  [ipProto.auth]: { flag: 4, rank: 4 },
};
/** Destination options may stand at two places, before routing and last. */
const LAST_DESTINATION_RANK = 6;
const NO_NEXT = 1;
const ENCRYPTED = 2;
const UNEXPECTED_REPEAT = 128;
const UNEXPECTED_ORDER = 256;

export interface Extensions {
  /** The byte that holds the last next-header number. */
  readonly protoAt: number;
  /** Where the upper layer begins; 0 when a header on the way there is not whole, or it is encrypted. */
  readonly next: number;
  readonly flags: number;
  readonly frag: number;
  readonly routed: boolean;
}

/** The flags of extension headers seen one after another. */
class ExtensionOrder {
  flags = 0;
  #destinations = 0;
  #highest = 0;

  see(proto: number): void {
    let { flag, rank } = extensions[proto]!;
    if (proto === ipProto.destination) {
      this.#destinations++;
      if (this.#destinations > 2) this.flags |= UNEXPECTED_REPEAT;
      if (this.#destinations > 1 || this.#highest > rank) rank = LAST_DESTINATION_RANK;
    } else if ((this.flags & flag) !== 0) {
      this.flags |= UNEXPECTED_REPEAT;
    }
    if (rank < this.#highest) this.flags |= UNEXPECTED_ORDER;
    this.#highest = Math.max(this.#highest, rank);
    this.flags |= flag;
  }
}

/** Follows the chain of extension headers of the IPv6 header at `l3`, up to `end`. */
export function walkExtensions(frame: Uint8Array, l3: number, end: number): Extensions {
  const order = new ExtensionOrder();
  let protoAt = l3 + 6;
  let at = l3 + 40;
  let frag: number = Frag.none;
  let routed = false;
  const stopped = () => ({ protoAt, next: 0, flags: order.flags, frag, routed });
  for (let proto = frame[protoAt]!; extensions[proto] !== undefined; proto = frame[protoAt]!) {
    if (end - at < 8) return stopped();
    const length = extensionLength(frame, proto, at);
    if (end - at < length) return stopped();
    order.see(proto);
    if (proto === ipProto.routing && frame[at + 3] !== 0) routed = true;
    protoAt = at;
    if (proto === ipProto.fragment) {
      const offset = u16At(frame, at + 2);
      if ((offset & 0xfff8) !== 0) frag = Frag.later;
      else if ((offset & 1) !== 0) frag = Frag.first;
      if (frag === Frag.later) return stopped();
    }
    at += length;
  }
  const last = frame[protoAt];
  if (last === ipProto.noNext || last === ipProto.esp) {
    order.flags |= last === ipProto.esp ? ENCRYPTED : NO_NEXT;
    return stopped();
  }
  return { protoAt, next: at, flags: order.flags, frag, routed };
}

function extensionLength(frame: Uint8Array, proto: number, at: number): number {
  const units = frame[at + 1]!;
  if (proto === ipProto.fragment) return 8;
  return proto === ipProto.auth ? (units + 2) * 4 : (units + 1) * 8;
}
