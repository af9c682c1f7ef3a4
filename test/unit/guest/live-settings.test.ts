/** Keys that toolstack and frontend change while the vif is connected (hostile-frontend checklist 20, xenstore's side). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import type { PortSettings } from '../../../src/datapath/datapath.js';
import type { GuestFrontend, GuestVifConfig } from '../../../src/guest/index.js';
import { Bed, builtin, eventually } from './bed.js';

const BE = '/local/domain/0/backend/vif/1/0';
const FE = '/local/domain/1/device/vif/0';
const plain = { completeChecksums: false, multicastControl: false, xdpHeadroom: 0 };

let bed: Bed;
let lines: string[];

beforeEach(async () => {
  lines = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, text) => void lines.push(`${text} ${JSON.stringify(fields)}`),
  };
  bed = new Bed({ logger });
  await bed.backend.start();
});
afterEach(() => bed.close());

const settings = () => bed.bridge.settings.get('xvif1i0');

async function connect(config: Partial<GuestVifConfig> = {}): Promise<GuestFrontend> {
  const guest = await bed.host.addGuest({ name: 'a', domid: 1, vifs: [{ stack: builtin, ...config }] });
  await guest.vifs[0]!.waitConnected();
  return guest.vifs[0]!;
}

const toolstack = (key: string, value: string | undefined) => bed.host.toolstack.setKey(1, 0, key, value);

describe('the toolstack’s keys', () => {
  it('rate is in force without a new handshake', async () => {
    await connect({ rate: '62500,50000' });
    const rate = (bytes: number, intervalUs: number): PortSettings => ({ rate: { bytes, intervalUs }, ...plain });
    expect(settings()).toEqual(rate(62_500, 50_000));
    await toolstack('rate', '125000,50000');
    await eventually(settings, rate(125_000, 50_000));
    await toolstack('rate', '9007199254740991,4294967295');
    await eventually(settings, rate(9_007_199_254_740_991, 4_294_967_295));
    await toolstack('rate', '0,50000');
    await eventually(settings, plain);
    await toolstack('rate', '1,1');
    await eventually(settings, rate(1, 1));
    await toolstack('rate', undefined);
    await eventually(settings, plain);
    expect(bed.bridge.log.filter((line) => line.startsWith('attach'))).toHaveLength(1);
  });

  it('nonsense is unlimited, and one line of log', async () => {
    await connect({ rate: '62500,50000' });
    await toolstack('rate', '10Mb/s');
    await eventually(settings, plain);
    for (let i = 0; i < 20; i++) await toolstack('mtu', 'x'.repeat(i % 2 === 0 ? 2048 : 2047));
    await toolstack('rate', '1,2');
    await eventually(() => settings()?.rate, { bytes: 1, intervalUs: 2 });
    expect(lines.length).toBeLessThan(10);
    expect(lines[0]).toContain('rate is \\"10Mb/s\\", which makes no sense');
    expect(bed.backend.counters.failed).toBe(0);
  });

  it('mtu and complete checksums', async () => {
    await connect({ mtu: 9000 });
    expect(settings()).toEqual({ mtu: 9000, ...plain });
    await toolstack('xvif-complete-checksums', '1');
    await eventually(() => settings()?.completeChecksums, true);
    await toolstack('mtu', '1000000000');
    await eventually(settings, { ...plain, completeChecksums: true });
  });

  it('VLANs of the bridge key', async () => {
    await connect({ bridge: 'br0.7' });
    expect(settings()).toEqual({ vlan: { tag: 7, trunks: [] }, ...plain });
    await toolstack('bridge', 'br0:8:9');
    await eventually(settings, { vlan: { tag: undefined, trunks: [8, 9] }, ...plain });
    await toolstack('bridge', 'br0');
    await eventually(settings, plain);
  });

  it('locking', async () => {
    await connect({ mac: '00:16:3e:00:00:01' });
    await toolstack('ipv4-allowed', '10.0.0.1,10.0.0.2');
    await toolstack('locking-mode', 'locked');
    const sources = { mac: '00:16:3e:00:00:01', ipv4: ['10.0.0.1', '10.0.0.2'], ipv6: [] };
    await eventually(settings, { sources, ...plain });
    await toolstack('locking-mode', 'none');
    await eventually(settings, { disabled: true, ...plain });
    expect(lines.some((line) => line.includes('locking-mode is \\"none\\"'))).toBe(true);
    await toolstack('locking-mode', 'unlocked');
    await eventually(settings, plain);
  });

  it('locking as xenopsd tells it: in a directory of its own, then the link in the frontend’s', async () => {
    const own = '/xapi/01234567-89ab-cdef-0123-456789abcdef/private/vif/0';
    const frontend = await connect({ mac: '00:16:3e:00:00:01', keys: { 'locking-mode': 'unlocked' } });
    await bed.store.write('/local/domain/1/vm', '/vm/01234567-89ab-cdef-0123-456789abcdef');
    await bed.store.write(`${own}/locking-mode`, 'locked');
    await bed.store.write(`${own}/ipv6-allowed`, 'fd00::1');
    await bed.store.write(`${FE}/disconnect`, '0');
    const sources = { mac: '00:16:3e:00:00:01', ipv4: [], ipv6: ['fd00::1'] };
    await eventually(settings, { sources, ...plain });
    await bed.store.write(`${own}/locking-mode`, 'disabled');
    await bed.store.write(`${FE}/disconnect`, '1');
    await eventually(settings, { disabled: true, ...plain });
    // From the first packet on.
    await frontend.close();
    await frontend.reopen();
    await frontend.waitConnected();
    expect(settings()).toEqual({ disabled: true, ...plain });
  });

  it('a key that would make the vif impossible changes nothing while it is connected', async () => {
    await connect();
    await toolstack('mac', 'x');
    await toolstack('rate', '1,2');
    await toolstack('mac', '00:16:3e:00:00:01');
    await eventually(() => settings()?.rate, { bytes: 1, intervalUs: 2 });
    expect(await bed.read(`${BE}/state`)).toBe('4');
  });

  it.each([
    ['mac', 'x'],
    ['bridge', 'br0.5000'],
    ['vifname', 'a b'],
    ['frontend', '/local/domain/9/device/vif/0'],
  ])('but for locking, also while %s is %j, and that is logged', async (key, value) => {
    await connect({ mac: '00:16:3e:00:00:01' });
    await toolstack('rate', '1,2');
    await eventually(() => settings()?.rate, { bytes: 1, intervalUs: 2 });
    await toolstack(key, value);
    await toolstack('rate', '3,4');
    await toolstack('ipv4-allowed', '10.0.0.1');
    await toolstack('locking-mode', 'locked');
    const sources = { mac: '00:16:3e:00:00:01', ipv4: ['10.0.0.1'], ipv6: [] };
    const rate = { bytes: 1, intervalUs: 2 };
    await eventually(() => settings()?.sources, sources);
    expect(settings()).toEqual({ ...plain, rate, sources });
    await toolstack('locking-mode', 'disabled');
    await eventually(() => settings()?.disabled, true);
    expect(settings()?.rate).toEqual(rate);
    expect(settings()?.sources).toBeUndefined();
    expect(lines.filter((line) => line.includes(`backend key ${key} is`))).toHaveLength(1);
  });
});

describe('complete checksums are asked of the frontend too', () => {
  const offloads = () =>
    Promise.all(
      ['feature-no-csum-offload', 'feature-ipv6-csum-offload', 'feature-gso-tcpv4', 'feature-gso-tcpv6'].map((key) =>
        bed.read(`${BE}/${key}`),
      ),
    );

  it('when they are wanted before InitWait', async () => {
    const frontend = await connect({ keys: { 'xvif-complete-checksums': '1' } });
    expect(await offloads()).toEqual(['1', '0', '0', '0']);
    expect(await bed.read(`${FE}/feature-no-csum-offload`)).toBe('1');
    expect(bed.bridge.attached.get('xvif1i0')).toMatchObject({
      csumBlankIpv4: false,
      gsoTcpv4: false,
      gsoTcpv6: false,
    });
    await toolstack('xvif-complete-checksums', '0');
    await frontend.close();
    await frontend.reopen();
    expect(await offloads()).toEqual(['0', '1', '1', '1']);
    expect(bed.bridge.attached.get('xvif1i0')).toMatchObject({ csumBlankIpv4: true, gsoTcpv4: true });
  });

  it('not otherwise', async () => {
    await connect();
    expect(await offloads()).toEqual([undefined, '1', '1', '1']);
  });

  it('by XCP-ng’s administrator with ethtool-tx', async () => {
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    await bed.store.write(`/xapi/${uuid}/private/vif/0/other-config/ethtool-tx`, 'off');
    await bed.host.toolstack.createDomain({ name: 'x', domid: 2 });
    await bed.store.write('/local/domain/2/vm', `/vm/${uuid}`);
    const vif = await bed.host.toolstack.attachVif(2);
    await bed.host.toolstack.waitForBackend(vif);
    expect(await bed.read(`${vif.backendPath}/feature-no-csum-offload`)).toBe('1');
  });
});

describe('multicast control', () => {
  it('is offered, dynamically, and followed', async () => {
    const frontend = await connect();
    expect(await bed.read(`${BE}/feature-multicast-control`)).toBe('1');
    expect(await bed.read(`${BE}/feature-dynamic-multicast-control`)).toBe('1');
    await frontend.requestMulticastControl(true);
    await eventually(settings, { ...plain, multicastControl: true });
    await frontend.requestMulticastControl(false);
    await eventually(settings, plain);
  });

  it('flapping is damped, and the last word counts', async () => {
    const frontend = await connect();
    for (let i = 0; i < 2000; i++) await frontend.requestMulticastControl(i % 2 === 1);
    await eventually(settings, { ...plain, multicastControl: true });
    expect(bed.bridge.log.length).toBeLessThan(700);
  });

  it.each(['', 'yes', '-1', '4294967296', ' 1', 'x'.repeat(2048)])('%j is no wish', async (value) => {
    const frontend = await connect();
    await frontend.requestMulticastControl(true);
    await eventually(() => settings()?.multicastControl, true);
    await bed.store.write(`${FE}/request-multicast-control`, value);
    await eventually(() => settings()?.multicastControl, false);
    expect(await bed.read(`${BE}/state`)).toBe('4');
  });
});

describe('XDP headroom', () => {
  it('Reconfiguring is answered with Reconfigured once it is in force, and Connected follows', async () => {
    const frontend = await connect();
    expect(await bed.read(`${BE}/feature-xdp-headroom`)).toBe('1');
    const states: (string | undefined)[] = [];
    const watch = await bed.store.watch(`${BE}/state`, async () => void states.push(await bed.read(`${BE}/state`)));
    for (const headroom of [256, 0, 256]) {
      await frontend.setXdpHeadroom(headroom);
      await eventually(() => bed.read(`${BE}/state`), '4');
      await eventually(settings, { ...plain, xdpHeadroom: headroom });
    }
    await watch.close();
    expect(new Set(states)).toEqual(new Set(['4', '8']));
    expect(bed.bridge.log.filter((line) => line.startsWith('attach'))).toHaveLength(1);
  });

  it('a frontend that never asks never sees another state than 2, 4, 5 and 6', async () => {
    const states = new Set<string | undefined>();
    const guest = await bed.host.addGuest({ name: 'a', domid: 1, vifs: [{ stack: builtin }] });
    const watch = await bed.store.watch(`${BE}/state`, async () => void states.add(await bed.read(`${BE}/state`)));
    await guest.vifs[0]!.waitConnected();
    await bed.store.write(`${FE}/xdp-headroom`, '256');
    await eventually(() => settings()?.xdpHeadroom, 256);
    await guest.vifs[0]!.close();
    await watch.close();
    expect([...states].filter((state) => !['1', '2', '4', '5', '6'].includes(state ?? '1'))).toEqual([]);
  });

  it('a daemon that starts between 7 and 4 takes the vif over', async () => {
    const frontend = await connect();
    await bed.store.write(`${FE}/state`, '7');
    await eventually(() => bed.read(`${BE}/state`), '8');
    await bed.backend.stop();
    bed.backend = bed.newBackend();
    await bed.backend.start();
    await eventually(() => bed.bridge.attached.size, 1);
    await eventually(() => bed.read(`${BE}/state`), '8');
    await bed.store.write(`${FE}/state`, '4');
    await eventually(() => bed.read(`${BE}/state`), '4');
    expect(frontend.phase).toBe('connected');
  });

  it.each([
    ['99999', 32_767],
    ['', 0],
    ['-1', 0],
    ['x', 0],
  ])('%j is %d', async (text, xdpHeadroom) => {
    await connect();
    await bed.store.write(`${FE}/xdp-headroom`, '1');
    await eventually(() => settings()?.xdpHeadroom, 1);
    await bed.store.write(`${FE}/xdp-headroom`, text);
    await eventually(() => settings()?.xdpHeadroom, xdpHeadroom);
  });
});

it('a thousand nodes in the frontend’s directory change nothing', async () => {
  const frontend = await connect();
  await frontend.requestMulticastControl(true);
  await eventually(() => settings()?.multicastControl, true);
  for (let i = 0; i < 1000; i++) await bed.store.write(`${FE}/junk-${i}`, 'x'.repeat(i % 2048));
  await frontend.requestMulticastControl(false);
  await eventually(() => settings()?.multicastControl, false);
  expect(bed.backend.counters.failed).toBe(0);
});
