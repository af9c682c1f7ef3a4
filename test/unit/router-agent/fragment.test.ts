import fc from 'fast-check';
import { expect, it } from 'vitest';
import { setU16, u16 } from '../../../src/router-agent/bytes.js';
import { composeIp } from '../../../src/router-agent/compose.js';
import { fragments, mayBeFragmented } from '../../../src/router-agent/fragment.js';
import { readIpPacket } from '../../../src/router-agent/ip-packet.js';
import { bytes, changed, hex, isWhole } from './bed.js';

const header = { family: 4 as const, src: 1n, dst: 2n, protocol: 17, trafficClass: 0, id: 9, dontFragment: false };
const payloadOf = (packet: Uint8Array) => packet.subarray((packet[0]! & 0xf) * 4);
const place = (packet: Uint8Array) => (u16(packet, 6) & 0x1fff) * 8;
const hasMore = (packet: Uint8Array) => (u16(packet, 6) & 0x2000) !== 0;

it('fragments are the packet again when they are put together', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 600, maxLength: 4000 }),
      fc.integer({ min: 576, max: 1500 }),
      (data, mtu) => {
        const made = fragments(composeIp(header, data), mtu);
        const whole = new Uint8Array(data.length);
        for (const [n, one] of made.entries()) {
          expect(one.length).toBeLessThanOrEqual(mtu);
          expect(u16(one, 2)).toBe(one.length);
          expect(isWhole(one.subarray(0, 20))).toBe(true);
          expect(hasMore(one)).toBe(n < made.length - 1);
          if (hasMore(one)) expect(payloadOf(one).length % 8).toBe(0);
          whole.set(payloadOf(one), place(one));
        }
        expect(hex(whole)).toBe(hex(data));
      },
    ),
    { numRuns: 200 },
  );
});

it('a fragment in the middle stays in the middle', () => {
  const middle = composeIp(header, new Uint8Array(1000));
  setU16(middle, 6, 0x2000 | 100);
  const made = fragments(middle, 576);
  expect(made.map(place)).toEqual([800, 800 + 552]);
  expect(made.map(hasMore)).toEqual([true, true]);
});

it('options that say so stand in all of them', () => {
  const plain = composeIp(header, new Uint8Array(1000));
  // Record route only in the first, router alert in all, and a no-operation.
  const options = bytes('0703 04 01 94 04 0000');
  const frame = new Uint8Array(14 + plain.length + options.length);
  frame.set([0x08, 0x00], 12);
  frame.set(plain.subarray(0, 20), 14);
  frame.set(options, 34);
  const packet = changed(frame, (copy) => {
    copy[14] = 0x47;
    setU16(copy, 16, plain.length + options.length);
  });
  const [first, second] = fragments(readIpPacket(packet)!.bytes, 576);
  expect(hex(first!.subarray(20, 28))).toBe('0703040194040000');
  expect(second![0]).toBe(0x46);
  expect(hex(second!.subarray(20, 24))).toBe('94040000');
});

it('whoever does not want it is not fragmented', () => {
  expect(mayBeFragmented(composeIp(header, new Uint8Array(1)))).toBe(true);
  expect(mayBeFragmented(composeIp({ ...header, dontFragment: true }, new Uint8Array(1)))).toBe(false);
});
