/** Headers in pieces, and headers that lie. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecurityBed } from './bed.js';
import type { HostileGuest } from './hostile-guest.js';
import { txFlag } from './rings.js';

let bed: SecurityBed;
let hostile: HostileGuest;

beforeEach(async () => {
  bed = await SecurityBed.start();
  hostile = await bed.hostile();
  await hostile.connect();
});
afterEach(() => bed.stop());

const PAYLOAD = 40;

function ipv4(options: number, l4: Buffer, protocol: number): Buffer {
  const header = Buffer.alloc(20 + options, 1);
  header[0] = 0x40 | (header.length / 4);
  header.writeUInt16BE(header.length + l4.length, 2);
  header.writeUInt32BE(0, 4);
  header[8] = 64;
  header[9] = protocol;
  header.writeUInt16BE(0, 10);
  header.writeUInt32BE(0x0a000003, 12);
  header.writeUInt32BE(0x0a000002, 16);
  return Buffer.concat([header, l4]);
}

function ipv6(extensions: readonly Buffer[], l4: Buffer, protocol: number): Buffer {
  const body = Buffer.concat([...extensions, l4]);
  const header = Buffer.alloc(40);
  header.writeUInt32BE(0x60000000, 0);
  header.writeUInt16BE(body.length, 4);
  header[6] = extensions.length > 0 ? 0 : protocol;
  header[7] = 64;
  return Buffer.concat([header, body]);
}

function tcp(options: number): Buffer {
  const segment = Buffer.alloc(20 + options + PAYLOAD, 1);
  segment[12] = ((20 + options) / 4) << 4;
  return segment;
}

const udp = () => {
  const datagram = Buffer.alloc(8 + PAYLOAD, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  return datagram;
};

const tag = (type: number, vlan: number) => Buffer.from([type >> 8, type & 255, vlan >> 8, vlan & 255]);
const type = (value: number) => Buffer.from([value >> 8, value & 255]);
/** Hop-by-hop options, then what follows. */
const hopByHop = (next: number) => Buffer.from([next, 0, 1, 4, 0, 0, 0, 0]);

/** After the addresses. */
const kinds: Record<string, () => Buffer> = {
  'no IP': () => Buffer.concat([type(0x88b5), Buffer.alloc(60, 7)]),
  'IPv4, UDP': () => Buffer.concat([type(0x0800), ipv4(0, udp(), 17)]),
  'IPv4 with options, TCP with options': () => Buffer.concat([type(0x0800), ipv4(40, tcp(40), 6)]),
  'VLAN, IPv4, TCP': () => Buffer.concat([tag(0x8100, 5), type(0x0800), ipv4(0, tcp(0), 6)]),
  'QinQ, IPv4, UDP': () => Buffer.concat([tag(0x88a8, 5), tag(0x8100, 6), type(0x0800), ipv4(0, udp(), 17)]),
  'IPv6, TCP with options': () => Buffer.concat([type(0x86dd), ipv6([], tcp(12), 6)]),
  'IPv6 with extensions, UDP': () => Buffer.concat([type(0x86dd), ipv6([hopByHop(17)], udp(), 17)]),
};

function frameOf(kind: string): Buffer {
  const source = Buffer.from([0, 0x16, 0x3e, 0, hostile.domid, 0]);
  return Buffer.concat([bed.mac(bed.pair[1]), source, kinds[kind]!()]);
}

function sendPieces(pieces: readonly Buffer[], firstBuffer: number, flags = 0): void {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  hostile.tx.write(
    ...pieces.map((piece, i) => {
      hostile.fill(firstBuffer + i, piece);
      return hostile.slot(firstBuffer + i, {
        size: i === 0 ? total : piece.length,
        flags: (i + 1 < pieces.length ? txFlag.more : 0) | (i === 0 ? flags : 0),
      });
    }),
  );
}

/** Frames from the hostile guest that arrived. */
function taken(): Buffer[] {
  return bed
    .native(bed.pair[1])
    .takeFrames()
    .map(({ frame }) => Buffer.from(frame))
    .filter((frame) => frame[10] === hostile.domid);
}

describe('§4.2 item 8: headers across slots', () => {
  it.each(Object.keys(kinds))('§4.2 item 8: %s, cut at every byte', async (kind) => {
    taken();
    const frame = frameOf(kind);
    let arrived = 0;
    for (let cut = 1; cut < frame.length; cut += 16) {
      const cuts = Array.from({ length: 16 }, (_, i) => cut + i).filter((at) => at < frame.length);
      cuts.forEach((at, i) => {
        sendPieces([frame.subarray(0, at), frame.subarray(at)], i * 2);
      });
      hostile.send();
      const answers = await hostile.responses(cuts.length * 2);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([0]));
      const frames: Buffer[] = [];
      await expect.poll(() => frames.push(...taken()), { timeout: 10_000 }).toBe(cuts.length);
      for (const one of frames) expect(one.equals(frame)).toBe(true);
      arrived += frames.length;
    }
    expect(arrived).toBe(frame.length - 1);
  });

  it('§4.2 item 8: in 18 pieces, the first ones a byte each', async () => {
    taken();
    for (const kind of Object.keys(kinds)) {
      const frame = frameOf(kind);
      const pieces = Array.from({ length: 18 }, (_, i) => frame.subarray(i, i < 17 ? i + 1 : frame.length));
      sendPieces(pieces, 0);
      hostile.send();
      await hostile.responses(18);
      const frames: Buffer[] = [];
      await expect.poll(() => frames.push(...taken()), { message: kind, timeout: 10_000 }).toBe(1);
      expect(frames[0]!.equals(frame)).toBe(true);
    }
  });

  it('§4.2 item 8: cut short at every length, with and without a checksum left to us', async () => {
    const frames = Object.keys(kinds).map(frameOf);
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (const frame of frames) {
          for (const flags of [0, txFlag.csumBlank | txFlag.dataValidated]) {
            for (let length = 1; length <= frame.length; length += 16) {
              for (let i = 0; i < 16; i++)
                sendPieces([frame.subarray(0, Math.min(length + i, frame.length))], i, flags);
              hostile.send();
              await hostile.responses(16);
            }
          }
          if (over()) break;
        }
      }
    });
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  });

  it('§4.2 item 8: lengths that lie: IPv4 beyond the frame, IHL below 5, data offset below 5', async () => {
    const lies: ((frame: Buffer) => void)[] = [
      (frame) => frame.writeUInt16BE(0xffff, 16),
      (frame) => frame.writeUInt16BE(3, 16),
      (frame) => frame.writeUInt8(0x40, 14),
      (frame) => frame.writeUInt8(0x44, 14),
      (frame) => frame.writeUInt8(0xf5, 14),
      (frame) => frame.writeUInt8(0x10, 14 + 60 + 12),
      (frame) => frame.writeUInt8(0xf0, 14 + 60 + 12),
    ];
    const base = frameOf('IPv4 with options, TCP with options');
    await bed.unharmed(async (over) => {
      while (!over()) {
        for (const lie of lies) {
          const frame = Buffer.from(base);
          lie(frame);
          for (const flags of [0, txFlag.csumBlank]) {
            sendPieces([frame], 0, flags);
            hostile.send();
            await hostile.responses(1);
          }
        }
      }
    });
    expect(await hostile.read(`${hostile.be}/state`)).toBe('4');
  });
});
