/** Errors that are not sent (RFC 1812 §4.3.2.7, RFC 4443 §2.4), limits, and frames that are nothing. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { SlowPath } from '../../../src/compiler/index.js';
import { checksum, setU16 } from '../../../src/router-agent/bytes.js';
import { PROTOCOL, pseudoHeaderSum } from '../../../src/router-agent/ip-packet.js';
import { ERRORS, FRAGMENTS, SEGMENTS, TOO_BIG } from '../../../src/router-agent/limits.js';
import { readTold } from '../../../src/router-agent/neighbour-messages.js';
import { Buckets, PortRates } from '../../../src/router-agent/rates.js';
import { Sent } from './agent.js';
import { bytes, changed, hex, mac } from './bed.js';

const udp4 = changed(
  bytes(`${mac.router}${mac.red}0800 4500001d0007000001110000 0a00010b0a00020b 03e8829a00090000 78`),
  () => {},
);
const udp6 = bytes(
  `${mac.router}${mac.red}86dd 6000000000091101 fd00000100000000000000000000000b fd000002000000000000000000000011 03e8829a0009000078`,
);

/** 2000 bytes of IP, DF. */
const long4 = changed(
  Uint8Array.from({ length: 2014 }, (_, at) => udp4[at] ?? at & 0xff),
  (frame) => {
    setU16(frame, 16, 2000);
    setU16(frame, 20, 0x4000);
  },
);

describe('an error', () => {
  let sent: Sent;
  beforeEach(() => {
    sent = new Sent();
  });
  const about = (frame: Uint8Array) => sent.hand(SlowPath.timeExceeded, frame);
  const with4 = (at: number, value: readonly number[]) => changed(udp4, (frame) => frame.set(value, 14 + at));
  const with6 = (at: number, value: readonly number[]) => changed(udp6, (frame) => frame.set(value, 14 + at));

  it('is sent about what is as it should be', () => {
    expect(about(udp4)).toBe(1);
    expect(about(udp6)).toBe(1);
  });

  it.each([
    ['a source of network 0', 12, [0, 1, 2, 3]],
    ['loopback', 12, [127, 0, 0, 1]],
    ['a group', 12, [224, 0, 0, 1]],
    ['class E', 12, [240, 0, 0, 1]],
    ['all ones', 12, [255, 255, 255, 255]],
    ['the broadcast address of a subnet', 12, [10, 0, 1, 255]],
    ['a subnet', 12, [10, 0, 1, 0]],
    ['the router itself', 12, [10, 0, 1, 1]],
    ['a source without a route', 12, [203, 0, 113, 1]],
  ])('is not sent to %s', (_, at, value) => {
    expect(about(with4(at, value))).toBe(0);
  });

  it.each([
    ['what was sent to a group', 16, [224, 0, 0, 5]],
    ['what was sent to all', 16, [255, 255, 255, 255]],
    ['what was sent to a broadcast address', 16, [10, 0, 1, 255]],
    ['a later fragment', 6, [0x00, 0x01]],
    ['a wrong length', 2, [0xff, 0xff]],
    ['another version', 0, [0x65]],
  ])('is not sent about %s', (_, at, value) => {
    expect(about(with4(at, value))).toBe(0);
  });

  it('is not sent about a header with a wrong checksum', () => {
    const frame = udp4.slice();
    frame[14 + 10]! ^= 1;
    expect(about(frame)).toBe(0);
  });

  const icmp6 = (type: number) =>
    changed(udp6, (frame) => {
      frame[20] = 58;
      frame[54] = type;
    });

  it('is not sent about errors', () => {
    for (const type of [3, 4, 5, 11, 12, 200])
      expect(about(with4(9, [1, 0, 0, ...udp4.subarray(26, 34), type])), `${type}`).toBe(0);
    for (const type of [8, 13]) expect(about(with4(9, [1, 0, 0, ...udp4.subarray(26, 34), type])), `${type}`).toBe(1);
    for (const type of [1, 2, 3, 4, 127, 137]) {
      expect(about(icmp6(type)), `${type}`).toBe(0);
    }
    expect(about(icmp6(128))).toBe(1);
  });

  it('of IPv6 follows the same rules', () => {
    expect(about(with6(8, new Array<number>(16).fill(0)))).toBe(0);
    expect(about(with6(8, [...new Array<number>(15).fill(0), 1]))).toBe(0);
    expect(about(with6(8, [0xff, 2]))).toBe(0);
    expect(about(with6(24, [0xff, 2]))).toBe(0);
    expect(about(with6(4, [0xff, 0xff]))).toBe(0);
  });

  const from = (frame: Uint8Array, host: number) => changed(frame, (copy) => copy.set([10, 0, 1, host], 26));
  const flood = (what: number, frame: Uint8Array, port: number, senders = 1) => {
    let count = 0;
    for (let i = 0; i < 400; i++) count += sent.hand(what, from(frame, 11 + (i % senders)), { port });
    return count;
  };

  it('to one receiver is one of so many a second', () => {
    expect(flood(SlowPath.timeExceeded, udp4, 1)).toBe(ERRORS.receiver.atOnce);
    sent.clock.advance(1000);
    expect(flood(SlowPath.timeExceeded, udp4, 1)).toBe(ERRORS.receiver.perSecond);
    expect(about(from(udp4, 99))).toBe(1);
  });

  it('takes nothing from others where the senders are made up', () => {
    expect(flood(SlowPath.timeExceeded, udp4, 1, 200)).toBe(ERRORS.port.atOnce);
    // Neither from the receiver, who sends from another port,
    expect(sent.hand(SlowPath.timeExceeded, udp4, { port: 2 })).toBe(1);
    // nor from those that say how long packets may be.
    expect(sent.hand(SlowPath.tooBig, long4)).toBe(1);
  });

  it('that says how long packets may be is one of so many, too', () => {
    expect(flood(SlowPath.tooBig, long4, 1)).toBe(TOO_BIG.receiver.atOnce);
    expect(flood(SlowPath.tooBig, long4, 1, 200)).toBe(TOO_BIG.port.atOnce - TOO_BIG.receiver.atOnce);
  });

  it('is one of so many of all ports', () => {
    let count = 0;
    for (let port = 1; port <= 20; port++) count += flood(SlowPath.timeExceeded, udp4, port, 200);
    expect(count).toBe(ERRORS.all.atOnce + 20 * ERRORS.assured.atOnce);
  });

  it('is sent to who is within the share of its port, whatever others bring about', () => {
    for (let port = 1; port <= 20; port++) flood(SlowPath.timeExceeded, udp4, port, 200);
    expect(flood(SlowPath.timeExceeded, udp4, 21)).toBe(ERRORS.assured.atOnce);
  });

  it('quotes a packet of which the beginning is here', () => {
    expect(sent.hand(SlowPath.timeExceeded, long4.subarray(0, 1294), { frameTotal: long4.length })).toBe(1);
    // From the IP header on; the end of the quote is the packet's 548th byte.
    const error = sent.frames[0]!.subarray(14);
    expect(error).toHaveLength(576);
    expect(hex(error.subarray(28))).toBe(hex(long4.subarray(14, 14 + 548)));
    // What says to be longer than it is, is no packet.
    expect(sent.hand(SlowPath.timeExceeded, long4.subarray(0, 1294))).toBe(0);
  });
});

it('what was not used for longest is forgotten first', () => {
  const buckets = new Buckets({ atOnce: 1, perSecond: 1 }, 10);
  expect(buckets.pass('a', 0)).toBe(true);
  expect(buckets.pass('a', 0)).toBe(false);
  for (let i = 0; i < 10; i++) buckets.pass(`${i}`, 0);
  expect(buckets.pass('a', 0)).toBe(true);
});

it.each([
  // Segments of 577 bytes, each of which makes two.
  ['fragments', FRAGMENTS, 2 * Math.ceil(65_495 / 537)],
  ['segments', SEGMENTS, Math.ceil(65_549 / 536)],
])('a quiet port is assured of the most %s that one frame makes, and then of few', (_, limits, most) => {
  const rates = new PortRates(limits);
  for (let port = 1; port <= 20; port++) for (let i = 0; i < limits.port.atOnce; i++) rates.pass(port, 0);
  expect(rates.pass(21, 0, most)).toBe(true);
  expect(rates.pass(21, 0, most)).toBe(false);
  // Others go on as they are.
  for (let port = 1; port <= 20; port++) for (let i = 0; i < limits.port.atOnce; i++) rates.pass(port, 1000);
  let count = 0;
  while (rates.pass(21, 1000)) count++;
  expect(count).toBeLessThan(limits.assured.perSecond + limits.assured.atOnce - most + 1);
  expect(limits.assured.perSecond).toBeLessThan(most);
});

describe('what has to be fragmented', () => {
  const whole = changed(long4, (frame) => frame.set([0, 0], 20));
  // To 10.0.1.17.
  const registers = new Map([
    [4, 1],
    [0, 0x0a000111],
  ]);

  it('is one of so many of a port, and of all', () => {
    const sent = new Sent();
    const flood = (port: number) => {
      let count = 0;
      for (let i = 0; i < FRAGMENTS.port.atOnce; i++) count += sent.hand(SlowPath.tooBig, whole, { registers, port });
      return count;
    };
    expect(flood(1)).toBe(FRAGMENTS.port.atOnce);
    let count = FRAGMENTS.port.atOnce;
    for (let port = 2; port <= 20; port++) count += flood(port);
    expect(count).toBe(FRAGMENTS.all.atOnce + 20 * FRAGMENTS.assured.atOnce);
    sent.clock.advance(1000);
    expect(flood(1)).toBe(FRAGMENTS.port.perSecond);
  });

  it('is whole', () => {
    const sent = new Sent();
    expect(sent.hand(SlowPath.tooBig, whole.subarray(0, 1300), { registers, frameTotal: whole.length })).toBe(0);
  });
});

describe('a link-local sender', () => {
  it('is answered where it is', () => {
    const sent = new Sent();
    const frame = changed(udp6, (copy) => {
      copy.set([0xfe, 0x80, 0, 0, 0, 0, 0, 0], 22);
      copy.set(bytes('fe800000000000000000000000000001'), 38);
    });
    // A checksum is needed.
    expect(sent.hand(SlowPath.own, frame)).toBe(0);
    const right = changed(frame, (copy) => {
      const addresses = pseudoHeaderSum(6, (0xfe80n << 112n) | 0xbn, (0xfe80n << 112n) | 1n, PROTOCOL.udp, 9);
      setU16(copy, 60, 0);
      setU16(copy, 60, checksum(copy.subarray(54), addresses));
    });
    expect(sent.hand(SlowPath.own, right)).toBe(1);
    expect(hex(sent.frames[0]!.subarray(0, 12))).toBe(mac.red + mac.router);
    expect(sent.frames[0]![54]).toBe(1);
    expect(sent.frames[0]![55]).toBe(4);
  });
});

describe('frames that are anything', () => {
  const kinds = [...Object.values(SlowPath), 0, 99];
  const mutated = fc
    .tuple(
      fc.constantFrom(
        udp4,
        udp6,
        bytes(`${mac.router}${mac.red}0806000108000604 0002${mac.red}0a00010b ${mac.router}0a000101`),
      ),
      fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 8 }),
      fc.nat(90),
    )
    .map(([frame, changes, length]) =>
      changed(frame, (copy) => {
        for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      }).subarray(0, length),
    );

  it('are answered with frames that are right, or not at all', () => {
    const sent = new Sent();
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })),
        fc.array(fc.tuple(fc.nat(15), fc.nat(0xffff_ffff)), { maxLength: 5 }),
        fc.nat(60),
        fc.nat(1500),
        (kind, frame, registers, missing, segmentBytes) => {
          sent.clock.advance(10_000);
          const before = sent.frames.length;
          const cut = segmentBytes === 0 ? {} : { segmentBytes };
          const how = { registers: new Map(registers), frameTotal: frame.length + missing, ...cut };
          sent.hand(kind, frame, how);
          for (const one of sent.frames.slice(before)) expect(one.length).toBeGreaterThanOrEqual(42);
          readTold(frame);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
