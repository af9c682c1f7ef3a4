/** Frames made and checked by hand, independent of the code under test. */

/** One's complement sum of 16-bit words, folded; odd lengths are padded with zero (RFC 1071). */
export function onesSum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Sum of the TCP pseudo-header of an IPv4 or IPv6 packet. */
function pseudoSum(addresses: Uint8Array, length: number): number {
  return onesSum(addresses, 6 + (length & 0xffff) + (length >>> 16));
}

export interface TcpFrame {
  readonly family: 4 | 6;
  readonly destinationMac: string;
  readonly sourceMac: string;
  readonly payload: Uint8Array;
  readonly sequence?: number;
  readonly flags?: number;
  /** Only the pseudo-header sum, as a sender with checksum offload leaves it. */
  readonly blank?: boolean;
}

const mac = (text: string) => Buffer.from(text.replace(/:/g, ''), 'hex');

/** A TCP frame from 10.0.0.1 or fd00::1 to .2, ports 1000 → 2000. */
export function tcpFrame(options: TcpFrame): Buffer {
  const ipBytes = options.family === 4 ? 20 : 40;
  const tcpBytes = 20 + options.payload.length;
  const frame = Buffer.alloc(14 + ipBytes + tcpBytes);
  mac(options.destinationMac).copy(frame, 0);
  mac(options.sourceMac).copy(frame, 6);
  const ip = frame.subarray(14, 14 + ipBytes);
  if (options.family === 4) {
    frame.writeUInt16BE(0x0800, 12);
    Buffer.from('450000001234400040060000' + '0a0000010a000002', 'hex').copy(ip);
    ip.writeUInt16BE(20 + tcpBytes, 2);
    ip.writeUInt16BE(~onesSum(ip) & 0xffff, 10);
  } else {
    frame.writeUInt16BE(0x86dd, 12);
    Buffer.from(`6000000000000640fd00${'0'.repeat(27)}1fd00${'0'.repeat(27)}2`, 'hex').copy(ip);
    ip.writeUInt16BE(tcpBytes, 4);
  }
  const tcp = frame.subarray(14 + ipBytes);
  tcp.writeUInt16BE(1000, 0);
  tcp.writeUInt16BE(2000, 2);
  tcp.writeUInt32BE(options.sequence ?? 1, 4);
  tcp[12] = 0x50;
  tcp[13] = options.flags ?? 0x18;
  tcp.writeUInt16BE(512, 14);
  Buffer.from(options.payload).copy(tcp, 20);
  const pseudo = pseudoSum(options.family === 4 ? ip.subarray(12, 20) : ip.subarray(8, 40), tcpBytes);
  tcp.writeUInt16BE(options.blank ? pseudo : ~onesSum(tcp, pseudo) & 0xffff, 16);
  return frame;
}

export interface TcpSegment {
  readonly sequence: number;
  readonly flags: number;
  readonly identification: number;
  readonly payload: Buffer;
  readonly ipChecksumRight: boolean;
  readonly tcpChecksumRight: boolean;
  /** The checksum field holds just the pseudo-header sum. */
  readonly tcpChecksumBlank: boolean;
}

/** Takes a TCP frame apart and checks its lengths and checksums. */
export function readTcp(bytes: Uint8Array): TcpSegment {
  const frame = Buffer.from(bytes);
  const v4 = frame.readUInt16BE(12) === 0x0800;
  const ipBytes = v4 ? 20 : 40;
  const ip = frame.subarray(14, 14 + ipBytes);
  const tcpBytes = v4 ? ip.readUInt16BE(2) - 20 : ip.readUInt16BE(4);
  const tcp = frame.subarray(14 + ipBytes, 14 + ipBytes + tcpBytes);
  if (tcp.length !== tcpBytes)
    throw new Error(`the IP length says ${tcpBytes} bytes of TCP, the frame has ${tcp.length}`);
  const pseudo = pseudoSum(v4 ? ip.subarray(12, 20) : ip.subarray(8, 40), tcpBytes);
  return {
    sequence: tcp.readUInt32BE(4),
    flags: tcp[13]!,
    identification: v4 ? ip.readUInt16BE(4) : 0,
    payload: tcp.subarray((tcp[12]! >> 4) * 4),
    ipChecksumRight: !v4 || onesSum(ip) === 0xffff,
    tcpChecksumRight: onesSum(tcp, pseudo) === 0xffff,
    tcpChecksumBlank: tcp.readUInt16BE(16) === pseudo,
  };
}
