/** Frames of probes: bytes by hand, round trips, and whatever a guest may send. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProbe, encodeProbe, type Probe } from '../../../src/health/frames.js';
import { onesSum } from '../../lab/frames.js';

const ends = {
  sourceMac: '02:58:56:00:00:01',
  targetMac: '02:58:56:00:00:02',
  source: '169.254.88.1',
  target: '169.254.88.2',
};
const arp: Probe = { ...ends, kind: 'arp', operation: 1, frameTo: 'ff:ff:ff:ff:ff:ff' };
const echo: Probe = { ...ends, kind: 'echo', type: 8, id: 0x1234, sequence: 0x5678 };
const tcp: Probe = {
  ...ends,
  kind: 'tcp',
  sourcePort: 513,
  targetPort: 80,
  sequence: 0xffff_fffe,
  acknowledgement: 7,
  flags: 2,
};

describe('probes', () => {
  it('are these bytes', () => {
    const hex = (probe: Probe) => Buffer.from(encodeProbe(probe)).toString('hex');
    expect(hex(arp)).toBe(
      `ffffffffffff025856000001080600010800060400010258560000${'01'}a9fe5801025856000002a9fe5802${'00'.repeat(18)}`,
    );
    expect(hex(echo).slice(0, 84)).toMatch(
      /^02585600000202585600000108004500001c000040004001[0-9a-f]{4}a9fe5801a9fe58020800[0-9a-f]{4}12345678$/,
    );
  });

  it('have right checksums', () => {
    for (const probe of [echo, tcp]) {
      const frame = encodeProbe(probe);
      const length = Buffer.from(frame).readUInt16BE(16);
      const [header, inside] = [frame.subarray(14, 34), frame.subarray(34, 14 + length)];
      expect(onesSum(header)).toBe(0xffff);
      const pseudo = probe.kind === 'tcp' ? onesSum(frame.subarray(26, 34), 6 + inside.length) : 0;
      expect(onesSum(inside, pseudo)).toBe(0xffff);
      expect(frame).toHaveLength(60);
    }
  });

  it.each([arp, echo, tcp])('are read as they were written: $kind', (probe) => {
    expect(decodeProbe(encodeProbe(probe))).toEqual(probe);
  });

  it('that are cut short, fragments or something else are none', () => {
    for (const probe of [arp, echo, tcp]) {
      const frame = Buffer.from(encodeProbe(probe));
      for (let length = 0; length < 42; length++) expect(decodeProbe(frame.subarray(0, length))).toBeUndefined();
    }
    const fragment = Buffer.from(encodeProbe(echo));
    fragment.writeUInt16BE(0x2000, 20);
    expect(decodeProbe(fragment)).toBeUndefined();
    const udp = Buffer.from(encodeProbe(echo));
    udp[23] = 17;
    expect(decodeProbe(udp)).toBeUndefined();
  });

  it('are looked for in anything without harm', () => {
    const splinter = fc.tuple(fc.constantFrom(arp, echo, tcp), fc.uint8Array({ maxLength: 8 }), fc.nat(59), fc.nat(60));
    const damaged = splinter.map(([probe, bytes, at, length]) => {
      const frame = encodeProbe(probe);
      frame.set(bytes.subarray(0, 60 - at), at);
      return frame.subarray(0, length);
    });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 2000 })), (bytes) => {
        const found = decodeProbe(bytes);
        expect(found === undefined || ['arp', 'echo', 'tcp'].includes(found.kind)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
