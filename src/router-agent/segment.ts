/** TCP of a guest with segmentation offload, cut into what a link takes (RFC 9293 §3.7). */
import { checksum, setU16, setU32, u16, u32 } from './bytes.js';
import { ETHERNET_BYTES, PROTOCOL, pseudoHeaderSum, readIpPacket } from './ip-packet.js';

const TCP_BYTES = 20;
/** Only the last segment says these, and only the first that the congestion window was reduced (RFC 3168 §6.1.2). */
const FIN_PSH = 0x09;
const CWR = 0x80;

/** How many {@link segments} there are at most. */
export const segmentCount = (frame: Uint8Array, payloadBytes: number): number => Math.ceil(frame.length / payloadBytes);

/**
 * Ethernet frames with `payloadBytes` (1 or more) of TCP payload each, the last with what is left; none of a frame that is no
 * TCP, or not whole.
 */
export function segments(frame: Uint8Array, payloadBytes: number): readonly Uint8Array[] {
  const packet = readIpPacket(frame);
  if (packet === undefined || packet.protocol !== PROTOCOL.tcp || packet.fragmented || packet.missing > 0) return [];
  const { family, src, dst, bytes, payload } = packet;
  const length = ((payload[12] ?? 0) >> 4) * 4;
  if (length < TCP_BYTES || length > payload.length) return [];
  const tcp = ETHERNET_BYTES + bytes.length - payload.length;
  const [headers, data] = [frame.subarray(0, tcp + length), payload.subarray(length)];
  const made: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < data.length; at += payloadBytes) {
    const part = data.subarray(at, at + payloadBytes);
    const one = new Uint8Array(headers.length + part.length);
    one.set(headers);
    one.set(part, headers.length);
    const ip = one.subarray(ETHERNET_BYTES);
    if (family === 4) {
      setU16(ip, 2, ip.length);
      setU16(ip, 4, (u16(ip, 4) + made.length) & 0xffff);
      setU16(ip, 10, 0);
      setU16(ip, 10, checksum(ip.subarray(0, (ip[0]! & 0xf) * 4)));
    } else setU16(ip, 4, ip.length - 40);
    const segment = one.subarray(tcp);
    setU32(segment, 4, (u32(segment, 4) + at) % 0x1_0000_0000);
    if (at + part.length < data.length) segment[13]! &= ~FIN_PSH;
    if (at > 0) segment[13]! &= ~CWR;
    setU16(segment, 16, 0);
    setU16(segment, 16, checksum(segment, pseudoHeaderSum(family, src, dst, PROTOCOL.tcp, segment.length)));
    made.push(one);
  }
  return made;
}
