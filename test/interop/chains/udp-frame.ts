/** UDP over IPv4 as bytes, with the checksums that belong there. */
import { onesSum } from '../../lab/frames.js';

export interface UdpFrame {
  readonly from: Station;
  readonly to: Station;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly text: string;
}

export interface Station {
  readonly mac: string;
  readonly ipv4: string;
}

const UDP = 17;
const bytesOf = (text: string, separator: string, radix: number) =>
  Buffer.from(text.split(separator).map((part) => Number.parseInt(part, radix)));
export const macBytes = (mac: string): Buffer => bytesOf(mac, ':', 16);
export const ipv4Bytes = (address: string): Buffer => bytesOf(address, '.', 10);

/** `checksum`: false leaves that of UDP out (RFC 768), so that the payload may change. */
export function udpFrame({ from, to, sourcePort, destinationPort, text }: UdpFrame, checksum = true): Buffer {
  const udp = Buffer.concat([Buffer.alloc(8), Buffer.from(text)]);
  udp.writeUInt16BE(sourcePort, 0);
  udp.writeUInt16BE(destinationPort, 2);
  udp.writeUInt16BE(udp.length, 4);
  const addresses = Buffer.concat([ipv4Bytes(from.ipv4), ipv4Bytes(to.ipv4)]);
  if (checksum) udp.writeUInt16BE(~onesSum(udp, onesSum(addresses, UDP + udp.length)) & 0xffff || 0xffff, 6);
  const ip = Buffer.concat([Buffer.from('45000000123440004011' + '0000', 'hex'), addresses]);
  ip.writeUInt16BE(ip.length + udp.length, 2);
  ip.writeUInt16BE(~onesSum(ip) & 0xffff, 10);
  return Buffer.concat([macBytes(to.mac), macBytes(from.mac), Buffer.from('0800', 'hex'), ip, udp]);
}
