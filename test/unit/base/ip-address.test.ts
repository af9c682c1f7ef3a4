import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpv4, parseIpv6 } from '../../../src/base/ip-address.js';

describe('IP addresses in text', () => {
  it('IPv4', () => {
    expect(parseIpv4('10.0.255.1')).toBe(0x0a00ff01n);
    for (const text of ['', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.1/24', '::1']) {
      expect(parseIpv4(text), text).toBeUndefined();
    }
  });

  it.each([
    ['::', 0n],
    ['::1', 1n],
    ['fe80::', 0xfe80n << 112n],
    ['2001:db8::2:3', (0x20010db8n << 96n) | 0x20003n],
    ['1:2:3:4:5:6:7:8', 0x00010002000300040005000600070008n],
    ['::ffff:10.0.0.1', (0xffffn << 32n) | 0x0a000001n],
    ['1::8', (1n << 112n) | 8n],
  ])('IPv6 %s', (text, value) => {
    expect(parseIpv6(text)).toBe(value);
  });

  it('IPv6, any of eight groups', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
        const hex = groups.map((group) => group.toString(16));
        expect(parseIpv6(hex.join(':'))).toBe(BigInt(`0x${hex.map((group) => group.padStart(4, '0')).join('')}`));
      }),
    );
  });

  it.each(['', ':', '1:2:3', 'fe80::1%eth0', '::1/64', '1::2::3', '10.0.0.1'])('%j is no IPv6', (text) => {
    expect(parseIpv6(text)).toBeUndefined();
  });
});
