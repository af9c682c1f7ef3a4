/** Frames and files to feed the data plane with. */
import { writeFileSync } from 'node:fs';

/** One's complement sum of the IPv4 header at `at`. */
function headerChecksum(frame: Buffer, at: number): number {
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += frame.readUInt16BE(at + i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface UdpFlow {
  /** IPv4 addresses as unsigned 32-bit numbers. */
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** A UDP frame of `size` bytes, Ethernet header included, frame check sequence not; UDP checksum zero. */
export function udpFrame(flow: UdpFlow, size = 60): Buffer {
  const frame = Buffer.alloc(size);
  frame.write('020000000002020000000001', 0, 'hex');
  frame.writeUInt16BE(0x0800, 12);
  frame.writeUInt16BE(0x4500, 14);
  frame.writeUInt16BE(size - 14, 16);
  frame.writeUInt16BE(0x4011, 22);
  frame.writeUInt32BE(flow.source >>> 0, 26);
  frame.writeUInt32BE(flow.destination >>> 0, 30);
  frame.writeUInt16BE(headerChecksum(frame, 14), 24);
  frame.writeUInt16BE(flow.sourcePort, 34);
  frame.writeUInt16BE(flow.destinationPort, 36);
  frame.writeUInt16BE(size - 34, 38);
  return frame;
}

/** Writes a pcap file with these frames. */
export function writePcap(path: string, frames: readonly Buffer[]): void {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(1, 20);
  const parts: Uint8Array[] = [header];
  for (const frame of frames) {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    parts.push(record, frame);
  }
  writeFileSync(path, Buffer.concat(parts));
}
