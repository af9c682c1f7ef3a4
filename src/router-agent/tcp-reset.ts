/** What a host without a service answers to TCP: a reset (RFC 9293 §3.10.7.1). */
import { checksum, setU16, setU32, u16, u32 } from './bytes.js';
import { composeIp } from './compose.js';
import { hasRightChecksum, type IpPacket, PROTOCOL, pseudoHeaderSum } from './ip-packet.js';

const TCP_BYTES = 20;
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const ECN_BITS = 0x03;

/** From the IP header on; undefined: to this segment there is no answer. */
export function tcpReset(segment: IpPacket): Uint8Array | undefined {
  const { family, src, dst, payload, missing, fragmented, trafficClass } = segment;
  if (fragmented || payload.length < TCP_BYTES || !hasRightChecksum(segment)) return undefined;
  const [header, flags] = [(payload[12]! >> 4) * 4, payload[13]!];
  if (header < TCP_BYTES || header > payload.length || (flags & RST) !== 0) return undefined;
  const reset = new Uint8Array(TCP_BYTES);
  setU16(reset, 0, u16(payload, 2));
  setU16(reset, 2, u16(payload, 0));
  reset[12] = (TCP_BYTES / 4) << 4;
  if ((flags & ACK) !== 0) {
    setU32(reset, 4, u32(payload, 8));
    reset[13] = RST;
  } else {
    const counted = payload.length + missing - header + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
    setU32(reset, 8, (u32(payload, 4) + counted) % 0x1_0000_0000);
    reset[13] = RST | ACK;
  }
  setU16(reset, 16, checksum(reset, pseudoHeaderSum(family, dst, src, PROTOCOL.tcp, TCP_BYTES)));
  const answer = { family, src: dst, dst: src, protocol: PROTOCOL.tcp, id: 0, dontFragment: true };
  return composeIp({ ...answer, trafficClass: trafficClass & ~ECN_BITS }, reset);
}
