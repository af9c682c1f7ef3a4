import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { deriveDatapathId, deriveMac, deviceMac } from '../../../src/bridge/identity.js';

describe('identity', () => {
  it('addresses are the same for the same words, of one station, and our own', () => {
    const mac = deriveMac('host', 'br0');
    expect(mac).toBe(deriveMac('host', 'br0'));
    expect(mac).not.toBe(deriveMac('host', 'br1'));
    expect(mac).not.toBe(deriveMac('hostbr', '0'));
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      expect(Number.parseInt(deriveMac(name).slice(0, 2), 16) & 3).toBe(2);
    }
  });

  it('a datapath id is the address, below two bytes of zeros', () =>
    expect(deriveDatapathId('02:00:00:00:00:2a')).toBe(0x0200_0000_002an));

  it('interfaces of the kernel bring theirs, where they have one', () => {
    expect([deviceMac('lo'), deviceMac('no-such-device'), deviceMac('../net/lo')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    for (const [name, addresses] of Object.entries(networkInterfaces())) {
      const mac = addresses?.[0]?.mac;
      if (mac !== undefined && mac !== '00:00:00:00:00:00') expect(deviceMac(name)).toBe(mac);
    }
  });
});
