import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.js';
import { AttachError, DatapathClosed, type PortSpec } from '../../../src/datapath/datapath.js';
import { createBridge } from './fixture.js';

const frame = new Uint8Array(60);
const nothing: PortSpec = { kind: 'null' };

describe('a bridge', () => {
  const open: Bridge[] = [];
  const create = (...args: Parameters<typeof createBridge>) => {
    const made = createBridge(...args);
    open.push(made.bridge);
    return made;
  };
  afterEach(async () => {
    vi.useRealTimers();
    for (const bridge of open.splice(0)) await bridge.close();
  });

  it('numbers, attaches and announces ports', () => {
    const { bridge, openflow, datapath } = create();
    bridge.addLocal(nothing, '02:00:00:00:00:ff');
    expect(bridge.addPort({ name: 'a', spec: nothing, mac: '00:16:3e:00:00:01' })).toBe(1);
    expect(bridge.addPort({ name: 'bb', spec: nothing, mac: undefined })).toBe(2);
    expect(openflow.told).toEqual([
      '+4294967294 br0 02:00:00:00:00:ff',
      '+1 a 00:16:3e:00:00:01',
      '+2 bb 02:00:00:00:00:02',
    ]);
    datapath.inject(1 as never, frame);
    const [a, b, local] = bridge.ports();
    expect(a).toMatchObject({ name: 'a', number: 1, state: 'up', mac: '00:16:3e:00:00:01', spec: nothing });
    expect(a!.counters).toMatchObject({ rxPackets: 1n, rxBytes: 60n, txPackets: 0n });
    expect([b!.name, local!.name]).toEqual(['bb', 'br0']);
  });

  it('a port that comes back gets its number back', () => {
    const { bridge, openflow } = create();
    bridge.addPort({ name: 'a', spec: nothing, mac: undefined });
    bridge.removePort('a');
    expect(bridge.hasPort('a')).toBe(false);
    expect(bridge.addPort({ name: 'b', spec: nothing, mac: undefined })).toBe(2);
    expect(bridge.addPort({ name: 'a', spec: nothing, mac: undefined })).toBe(1);
    expect(openflow.told).toHaveLength(4);
    expect(openflow.told[1]).toBe('-1');
  });

  it('refuses names in use; a port that cannot be attached leaves nothing behind', () => {
    const { bridge, datapath, openflow } = create();
    bridge.addPort({ name: 'a', spec: nothing, mac: undefined });
    expect(() => bridge.addPort({ name: 'a', spec: nothing, mac: undefined })).toThrow('exists already');
    expect(() => bridge.addPort({ name: 'br0', spec: nothing, mac: undefined })).toThrow('LOCAL');
    const attach = datapath.portAttach.bind(datapath);
    datapath.portAttach = () => {
      throw new AttachError('tap t0: no permission');
    };
    expect(() => bridge.addPort({ name: 'b', spec: nothing, mac: undefined })).toThrow('tap t0: no permission');
    datapath.portAttach = attach;
    expect(bridge.ports().map(({ name }) => name)).toEqual(['a']);
    expect(openflow.told).toHaveLength(1);
    expect(bridge.addPort({ name: 'b', spec: nothing, mac: undefined })).toBe(2);
  });

  it('counts drops by port, direction and reason', () => {
    const { bridge, datapath } = create();
    bridge.addPort({ name: 'a', spec: nothing, mac: undefined });
    datapath.inject(1 as never, frame);
    expect(bridge.drops()).toEqual([{ port: 1, direction: 'in', reason: 'table miss', packets: 1n }]);
    expect(bridge.flowCount()).toBe(0);
    expect(bridge.runtime().rules).toBe(0n);
  });

  it('tells of ports, faults and controllers', () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    const { bridge, openflow } = create();
    const texts: string[] = [];
    const faults: string[] = [];
    const stop = bridge.onEvent((text) => texts.push(text));
    bridge.onFault((spec, fault) => faults.push(`${spec.kind} ${fault}`));
    bridge.addPort({ name: 'a', spec: nothing, mac: undefined });
    openflow.portState(1, true, 'ring index jumped');
    expect(bridge.ports()[0]!.state).toBe('ring index jumped');
    openflow.portState(1, false, '');
    openflow.portState(9, true, 'of nobody');
    openflow.status = [{ target: 'tcp:h:1', connected: true, role: 'equal', version: 4, lastError: '' }];
    vi.advanceTimersByTime(2000);
    openflow.status = [];
    vi.advanceTimersByTime(1000);
    bridge.removePort('a');
    stop();
    bridge.addPort({ name: 'unheard', spec: nothing, mac: undefined });
    expect(texts).toEqual([
      'port a (1) added',
      'port a (1) is down: ring index jumped',
      'port a (1) is up',
      'controller tcp:h:1 connected',
      'controller tcp:h:1 disconnected',
      'port a (1) removed',
    ]);
    expect(faults).toEqual(['null ring index jumped']);
  });

  it('close ends channels and datapath, once', async () => {
    const { bridge, openflow, datapath } = create();
    bridge.addPort({ name: 'a', spec: nothing, mac: undefined });
    await bridge.close();
    await bridge.close();
    expect(openflow.closed).toBe(1);
    expect(() => datapath.tick()).toThrow(DatapathClosed);
    bridge.removePort('a');
  });
});
