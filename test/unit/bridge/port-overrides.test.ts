/** Settings as an operator writes them. */
import { describe, expect, it } from 'vitest';
import { PortOverrides } from '../../../src/bridge/port-overrides.js';
import { settingTexts } from '../../../src/bridge/port-setting-text.js';

const set = (name: string, value: string) => {
  const overrides = new PortOverrides();
  overrides.set('p', [{ name, value }]);
  return overrides.apply('p', {});
};

describe('settings of a port', () => {
  it.each([
    ['rate', '62500,50000', { rate: { bytes: 62_500, intervalUs: 50_000 } }],
    ['rate', '10Mb/s', { rate: { bytes: 62_500, intervalUs: 50_000 } }],
    ['rate', '10MB/s@20ms', { rate: { bytes: 200_000, intervalUs: 20_000 } }],
    ['rate', '8b/s@1s', { rate: { bytes: 1, intervalUs: 1_000_000 } }],
    ['complete-checksums', 'on', { completeChecksums: true }],
    ['complete-checksums', 'off', { completeChecksums: false }],
    ['vlan', '10', { vlan: { tag: 10, trunks: [] } }],
    ['vlan', 'trunk', { vlan: { tag: undefined, trunks: [] } }],
    ['vlan', 'trunk:0,10,4094', { vlan: { tag: undefined, trunks: [0, 10, 4094] } }],
    ['disabled', 'on', { disabled: true }],
    ['mtu', '9000', { mtu: 9000 }],
    ['sources', '00:16:3E:00:00:01', { sources: { mac: '00:16:3e:00:00:01', ipv4: undefined, ipv6: undefined } }],
    [
      'sources',
      '00:16:3e:00:00:01,10.0.0.1,fe80::1',
      { sources: { mac: '00:16:3e:00:00:01', ipv4: ['10.0.0.1'], ipv6: ['fe80::1'] } },
    ],
    ['sources', '00:16:3e:00:00:01,10.0.0.1', { sources: { mac: '00:16:3e:00:00:01', ipv4: ['10.0.0.1'], ipv6: [] } }],
  ])('%s=%s, there and back', (name, value, wanted) => {
    const settings = set(name, value);
    expect(settings).toEqual(wanted);
    for (const text of settingTexts(settings)) expect(set(text.name, text.value)).toEqual(wanted);
  });

  it.each([
    ['rate', '0,1'],
    ['rate', '1,0'],
    ['rate', '10Mb'],
    ['rate', '1b/s@1us'],
    ['rate', 'x'.repeat(3000)],
    ['complete-checksums', 'none'],
    ['vlan', '0'],
    ['vlan', '4095'],
    ['vlan', 'trunk:'],
    ['mtu', '0'],
    ['mtu', '1000000000'],
    ['sources', '10.0.0.1'],
    ['sources', '01:00:5e:00:00:01'],
    ['sources', '00:16:3e:00:00:01,10.0.0.256'],
    ['sources', '00:16:3e:00:00:01,fe80::1%eth0'],
    ['xdp-headroom', '256'],
    ['__proto__', 'on'],
  ])('%s=%s is refused', (name, value) => {
    expect(() => set(name, value)).toThrow(/, must be |is no setting of a port/);
  });

  it('a refused set changes nothing', () => {
    const overrides = new PortOverrides();
    overrides.set('p', [{ name: 'mtu', value: '9000' }]);
    const both = [
      { name: 'mtu', value: '1500' },
      { name: 'vlan', value: 'x' },
    ];
    expect(() => overrides.set('p', both)).toThrow('vlan is "x"');
    expect(overrides.apply('p', {})).toEqual({ mtu: 9000 });
  });

  it('off wins over the toolstack, and is given back', () => {
    const overrides = new PortOverrides();
    const toolstack = { rate: { bytes: 1, intervalUs: 1 }, mtu: 9000 };
    overrides.set('p', [{ name: 'rate', value: 'none' }]);
    expect(overrides.apply('p', toolstack)).toEqual({ mtu: 9000 });
    expect(overrides.apply('q', toolstack)).toEqual(toolstack);
    overrides.set('p', [{ name: 'rate', value: 'toolstack' }]);
    expect(overrides.apply('p', toolstack)).toEqual(toolstack);
  });

  it('as many ports as a bridge has numbers', () => {
    const overrides = new PortOverrides();
    const off = [{ name: 'mtu', value: 'none' }];
    for (let i = 0; i < 4096; i++) overrides.set(`p${i}`, off);
    expect(() => overrides.set('more', off)).toThrow('4096 ports have settings');
    overrides.set('p0', [{ name: 'mtu', value: 'toolstack' }]);
    overrides.set('more', off);
  });
});
