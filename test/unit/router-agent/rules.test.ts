/** Errors that are not sent (RFC 1812 §4.3.2.7, RFC 4443 §2.4), limits, and frames that are nothing. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ProgramRouter } from '../../../src/compiler/index.js';
import { SlowPath } from '../../../src/compiler/index.js';
import { ERRORS_AT_ONCE, ERRORS_PER_SECOND } from '../../../src/router-agent/limits.js';
import { readTold } from '../../../src/router-agent/neighbour-messages.js';
import { ReceiverLimits } from '../../../src/router-agent/receiver-limits.js';
import { RouterAgent } from '../../../src/router-agent/router-agent.js';
import { HandClock } from '../../lab/hand-clock.js';
import { bytes, changed, hex, mac } from './bed.js';

const v4 = (text: string) => {
  const [a, b, c, d] = text.split('.').map(BigInt);
  return (a! << 24n) | (b! << 16n) | (c! << 8n) | d!;
};
const router: ProgramRouter = {
  document: 'router',
  firstTable: 10,
  asks: true,
  routes: [],
  subnets: [
    {
      name: 'red',
      number: 1,
      mac: '02:00:00:00:ff:01',
      mtu: 1400,
      linkLocal: { family: 6, value: (0xfe80n << 112n) | 1n },
      gateways: [
        { family: 4, value: v4('10.0.1.1'), length: 24 },
        { family: 6, value: (0xfd000001n << 96n) | 1n, length: 64 },
      ],
    },
  ],
};

class Sent {
  readonly clock = new HandClock();
  readonly frames: Uint8Array[] = [];
  readonly agent = new RouterAgent({
    router,
    clock: this.clock,
    packets: {
      listen: () => () => {},
      send: (frame) => {
        this.frames.push(frame);
        return undefined;
      },
    },
  });

  hand(what: number, frame: Uint8Array, registers: ReadonlyMap<number, number> = new Map([[4, 1]])): number {
    const before = this.frames.length;
    const packet = { table: 13, cookie: 0n, registers, frameTotal: frame.length, port: 1, frame };
    this.agent.handle({ ...packet, userdata: Uint8Array.of(1, what) });
    return this.frames.length - before;
  }
}

const udp4 = changed(
  bytes(`${mac.router}${mac.red}0800 4500001d0007000001110000 0a00010b0a00020b 03e8829a00090000 78`),
  () => {},
);
const udp6 = bytes(
  `${mac.router}${mac.red}86dd 6000000000091101 fd00000100000000000000000000000b fd000002000000000000000000000011 03e8829a0009000078`,
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

  it('to one receiver is one of so many a second', () => {
    for (let i = 0; i < 100; i++) about(udp4);
    expect(sent.frames).toHaveLength(ERRORS_AT_ONCE);
    sent.clock.advance(1000);
    for (let i = 0; i < 100; i++) about(udp4);
    expect(sent.frames).toHaveLength(ERRORS_AT_ONCE + ERRORS_PER_SECOND);
    expect(about(with4(12, [10, 0, 1, 99]))).toBe(1);
  });
});

it('what nobody has heard of for longest is forgotten first', () => {
  const limits = new ReceiverLimits();
  for (let i = 0; i < ERRORS_AT_ONCE; i++) limits.pass('a', 0);
  expect(limits.pass('a', 0)).toBe(false);
  for (let i = 0; i < 4096; i++) limits.pass(`${i}`, 0);
  expect(limits.pass('a', 0)).toBe(true);
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
    const sum = bytes('0000');
    for (let value = 0; value < 0x10000 && sent.frames.length === 0; value++) {
      sum.set([value >> 8, value & 0xff]);
      sent.hand(
        SlowPath.own,
        changed(frame, (copy) => copy.set(sum, 60)),
      );
    }
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
        (kind, frame, registers) => {
          sent.clock.advance(10_000);
          const before = sent.frames.length;
          sent.hand(kind, frame, new Map(registers));
          for (const one of sent.frames.slice(before)) expect(one.length).toBeGreaterThanOrEqual(42);
          readTold(frame);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
