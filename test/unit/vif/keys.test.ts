/** Names, and the toolstack's keys. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBridgeKey, parseMac, parseVifName, readVifInfo, vifAlias, vifName } from '../../../src/vif/index.js';
import { DeviceError } from '../../../src/xenbus/index.js';

describe('names', () => {
  it('are xvif<domid>i<handle>, or vif<domid>.<handle>', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fef }), fc.integer({ min: 0, max: 65535 }), (domid, handle) => {
        expect(parseVifName(vifName({ domid, handle }))).toEqual({ domid, handle });
        expect(parseVifName(vifAlias({ domid, handle }))).toEqual({ domid, handle });
        // OFP_MAX_PORT_NAME_LEN less its NUL.
        expect(vifName({ domid, handle }).length).toBeLessThanOrEqual(15);
      }),
    );
  });

  it.each(['', 'xvif', 'xvif1', 'xvif1.0', 'vif1i0', 'xvif01i0', 'vif1.65536', 'vif99999.0', 'eth0', 'xvif1i0 '])(
    '%j is none',
    (text) => {
      expect(parseVifName(text)).toBeUndefined();
    },
  );
});

describe('bridge', () => {
  it.each([
    ['xenbr0', { name: 'xenbr0', tag: undefined, trunks: [] }],
    ['ovs.10', { name: 'ovs', tag: 10, trunks: [] }],
    ['ovs:20:30', { name: 'ovs', tag: undefined, trunks: [20, 30] }],
    ['ovs.10:20:4094', { name: 'ovs', tag: 10, trunks: [20, 4094] }],
  ])('%s', (text, key) => {
    expect(parseBridgeKey(text)).toEqual(key);
  });

  it.each(['', '.10', 'br.', 'br.0', 'br.4095', 'br:', 'br:x', 'br.1.2', 'br 0', 'br:10:'])('%j is none', (text) => {
    expect(parseBridgeKey(text)).toBeUndefined();
  });
});

describe('mac', () => {
  it('six bytes, lower case', () => {
    expect(parseMac('00:16:3E:01:02:fF')).toBe('00:16:3e:01:02:ff');
  });

  it.each(['', '00:16:3e:01:02', '00:16:3e:01:02:gg', '00-16-3e-01-02-03', '01:00:5e:00:00:01', '0:1:2:3:4:5'])(
    '%j is none',
    (text) => {
      expect(parseMac(text)).toBeUndefined();
    },
  );
});

describe('the toolstack’s keys', () => {
  const address = {
    type: 'vif',
    domid: 5,
    id: 1,
    backendPath: '/local/domain/0/backend/vif/5/1',
    frontendPath: '/local/domain/5/device/vif/1',
  };
  const info = (keys: Record<string, string>) => readVifInfo(address, { read: async (key) => keys[key] });

  it('as libxl writes them', async () => {
    expect(
      await info({
        frontend: address.frontendPath,
        'frontend-id': '5',
        mac: '00:16:3e:00:00:01',
        bridge: 'br0.7',
        mtu: '9000',
        rate: '1250000,50000',
        script: '/etc/xen/scripts/vif-xvif',
      }),
    ).toEqual({
      domid: 5,
      handle: 1,
      name: 'xvif5i1',
      portName: 'xvif5i1',
      alias: 'vif5.1',
      mac: '00:16:3e:00:00:01',
      bridge: { name: 'br0', tag: 7, trunks: [] },
      mtu: 9000,
      rate: { bytes: 1_250_000, intervalUs: 50_000 },
      script: '/etc/xen/scripts/vif-xvif',
      completeChecksums: false,
      locking: { mode: 'unlocked' },
      complaints: [],
      backendPath: address.backendPath,
      frontendPath: address.frontendPath,
    });
  });

  it('none of them', async () => {
    expect(await info({})).toMatchObject({ mac: undefined, bridge: undefined, mtu: undefined, rate: undefined });
  });

  it('a name for the port', async () => {
    expect(await info({ vifname: 'vif-web.0' })).toMatchObject({ name: 'xvif5i1', portName: 'vif-web.0' });
  });

  it('a bridge that is named elsewhere counts when the backend has none', async () => {
    const elsewhere = async () => 'xapi1';
    const read = (keys: Record<string, string>) =>
      readVifInfo(address, { read: async (key) => keys[key] }, elsewhere).then(({ bridge }) => bridge?.name);
    expect(await read({})).toBe('xapi1');
    expect(await read({ bridge: '' })).toBe('xapi1');
    expect(await read({ bridge: 'br0' })).toBe('br0');
  });

  it.each([
    [{ frontend: '/local/domain/6/device/vif/1' }, /^backend key frontend is .*, must be \/local\/domain\/5/],
    [{ 'frontend-id': '6' }, 'backend key frontend-id is "6", must be 5'],
    [{ mac: 'x' }, 'backend key mac is "x", which makes no sense'],
    [{ bridge: 'a b' }, /bridge/],
    [{ vifname: '../x' }, 'backend key vifname is "../x", which makes no sense'],
    [{ vifname: 'sixteen-letters-' }, /vifname/],
  ])('%j', async (keys, message) => {
    await expect(info(keys)).rejects.toThrow(DeviceError);
    await expect(info(keys)).rejects.toThrow(message);
  });

  it.each([
    ['mtu', '0'],
    ['mtu', '67'],
    ['mtu', '1000000000'],
    ['rate', '1'],
    ['rate', '1,2,3'],
    ['rate', '-1,50000'],
    ['rate', '1 ,2'],
    ['rate', 'x'.repeat(2048)],
    ['xvif-complete-checksums', 'yes'],
  ])('%s=%s is complained about and ignored', async (key, text) => {
    const { complaints, mtu, rate, completeChecksums } = await info({ [key]: text });
    expect({ mtu, rate, completeChecksums }).toEqual({ mtu: undefined, rate: undefined, completeChecksums: false });
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(new RegExp(`^backend key ${key} is ".*", which makes no sense: ignored$`));
    expect(complaints[0]!.length).toBeLessThan(120);
  });

  it.each([
    ['0,50000', undefined],
    ['1,0', undefined],
    ['99999999999999999999,50000', undefined],
    ['9007199254740991,1', { bytes: Number.MAX_SAFE_INTEGER, intervalUs: 1 }],
    ['1,99999999999', { bytes: 1, intervalUs: 0xffffffff }],
  ])('rate %s', async (text, rate) => {
    expect(await info({ rate: text })).toMatchObject({ rate, complaints: [] });
  });
});
