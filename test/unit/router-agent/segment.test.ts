/** TCP that is cut into segments. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { u16, u32 } from '../../../src/router-agent/bytes.js';
import { hasRightChecksum, readIpPacket } from '../../../src/router-agent/ip-packet.js';
import { segments } from '../../../src/router-agent/segment.js';
import { bytes, changed, hex, mac } from './bed.js';

const FLAGS = 0x99; // CWR, ACK, PSH, FIN
const word = (value: number) => value.toString(16).padStart(4, '0');
const tcp = (data: Uint8Array) => `03e80050fffffff000000007 60${FLAGS.toString(16)}0200 00000000 01010101${hex(data)}`;
const of4 = (data: Uint8Array) =>
  changed(
    bytes(`${mac.blue}${mac.router}0800 4500${word(44 + data.length)}ffff400040060000 0a00010b0a00020b${tcp(data)}`),
    () => {},
  );
const of6 = (data: Uint8Array) =>
  bytes(
    `${mac.blue}${mac.router}86dd 60000000${word(24 + data.length)}0640 fd00000100000000000000000000000b fd000002000000000000000000000011${tcp(data)}`,
  );

describe.each([
  ['IPv4', of4],
  ['IPv6', of6],
])('segments of %s', (_, make) => {
  it('have all of the payload, each with headers that are right', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 2000 }), (data, payloadBytes) => {
        const made = segments(make(data), payloadBytes);
        expect(made).toHaveLength(Math.max(1, Math.ceil(data.length / payloadBytes)));
        let [next, got] = [0xffff_fff0, Buffer.alloc(0)];
        for (const [at, frame] of made.entries()) {
          const packet = readIpPacket(frame)!;
          const [segment, last] = [packet.payload, at === made.length - 1];
          expect(packet.missing).toBe(0);
          expect(hasRightChecksum(packet)).toBe(true);
          if (packet.family === 4) expect(u16(packet.bytes, 4)).toBe((0xffff + at) & 0xffff);
          expect(u32(segment, 4)).toBe(next);
          expect(segment[13]).toBe(FLAGS & ~(at > 0 ? 0x80 : 0) & ~(last ? 0 : 0x09));
          const part = segment.subarray(24);
          expect(part.length).toBeLessThanOrEqual(payloadBytes);
          [next, got] = [(next + part.length) % 0x1_0000_0000, Buffer.concat([got, part])];
        }
        expect(got.equals(data)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

it('what is no TCP, or not whole, makes none', () => {
  const frame = of4(new Uint8Array(100));
  const wrong = [
    frame.subarray(0, -1),
    changed(frame, (copy) => copy.fill(17, 23, 24)),
    changed(frame, (copy) => copy.fill(0x20, 20, 21)),
    changed(frame, (copy) => copy.fill(0x40, 46, 47)),
    new Uint8Array(0),
  ];
  for (const one of wrong) expect(segments(one, 10)).toEqual([]);
});
