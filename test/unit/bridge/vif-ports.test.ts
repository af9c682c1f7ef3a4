import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/logger.js';
import { Bridges } from '../../../src/bridge/bridges.js';
import { VifPorts } from '../../../src/bridge/vif-ports.js';
import type { VifSpec } from '../../../src/datapath/datapath.js';
import type { VifInfo } from '../../../src/vif/index.js';
import { createBridge } from './fixture.js';

const spec: VifSpec = {
  kind: 'vif',
  domid: 1,
  handle: 0,
  queues: [{ txRingRef: 8, rxRingRef: 9, evtchnTx: 1, evtchnRx: 2 }],
  sg: true,
  gsoTcpv4: true,
  gsoTcpv6: true,
  csumBlankIpv4: true,
  csumBlankIpv6: true,
  rxNotify: true,
};

function info(bridge: VifInfo['bridge'], mac: string | undefined = '00:16:3e:00:00:01', portName = 'xvif1i0'): VifInfo {
  return {
    domid: 1,
    handle: 0,
    name: 'xvif1i0',
    portName,
    alias: 'vif1.0',
    mac,
    bridge,
    mtu: undefined,
    rate: undefined,
    script: undefined,
    completeChecksums: false,
    locking: { mode: 'unlocked' },
    complaints: [],
    backendPath: '/b',
    frontendPath: '/f',
  };
}

describe('vifs become ports', () => {
  const bridges = new Bridges();
  const br0 = createBridge('br0');
  bridges.add(br0.bridge);
  const ports = new VifPorts(bridges, silentLogger);
  afterEach(() => ports.detach(info(undefined)));

  it('of the bridge they name', () => {
    ports.attach(info({ name: 'br0', tag: undefined, trunks: [] }), spec, {});
    expect(br0.bridge.ports()).toMatchObject([{ name: 'xvif1i0', number: 1, mac: '00:16:3e:00:00:01', spec }]);
    ports.detach(info(undefined));
    expect(br0.bridge.ports()).toEqual([]);
  });

  it('of the only bridge when they name none', () => {
    ports.attach(info(undefined), spec, {});
    expect(br0.bridge.hasPort('xvif1i0')).toBe(true);
  });

  it('under the name the toolstack wants, which one vif can have', () => {
    const named = info(undefined, '00:16:3e:00:00:01', 'web');
    ports.attach(named, spec, {});
    expect(br0.bridge.hasPort('web')).toBe(true);
    const other = { ...named, domid: 2, name: 'xvif2i0' };
    expect(ports.refusal(other)).toBe('vifname web: there is a port of that name already');
    expect(() => ports.attach(other, spec, {})).toThrow('vifname web');
    ports.detach(other);
    expect(br0.bridge.hasPort('web')).toBe(true);
    ports.detach(named);
    expect(br0.bridge.hasPort('web')).toBe(false);
    expect(ports.refusal(other)).toBeUndefined();
  });

  it('are refused with a sentence for the guest', () => {
    expect(() => ports.attach(info({ name: 'br9', tag: undefined, trunks: [] }), spec, {})).toThrow(
      'there is no bridge "br9"',
    );
    expect(ports.refusal(info({ name: 'br9', tag: undefined, trunks: [] }))).toBe('there is no bridge "br9"');
    const several = new Bridges();
    several.add(br0.bridge);
    several.add(createBridge('br1').bridge);
    expect(() => new VifPorts(several, silentLogger).attach(info(undefined), spec, {})).toThrow('several bridges');
    expect(() => new VifPorts(new Bridges(), silentLogger).attach(info(undefined), spec, {})).toThrow('no bridge');
    expect(() => several.add(br0.bridge)).toThrow('exists already');
  });

  it('a guest that reloads its driver for ever does not fill the log', () => {
    let lines = 0;
    const logger = { ...silentLogger, info: () => void lines++ };
    const noisy = new VifPorts(bridges, logger);
    for (let i = 0; i < 1000; i++) {
      noisy.attach(info(undefined), spec, {});
      noisy.detach(info(undefined));
    }
    expect(lines).toBeLessThan(300);
  });

  describe('and what the operator set for them', () => {
    const mine = new Bridges();
    const { bridge } = createBridge('br0', { overrides: mine.overrides });
    mine.add(bridge);
    const own = new VifPorts(mine, silentLogger);
    const mtu = [{ name: 'mtu', value: '9000' }];

    it.each(['xvif1i0', 'web'])('outlives the driver; for %s, the vif', (name) => {
      const vif = info(undefined, '00:16:3e:00:00:01', name);
      own.attach(vif, spec, {});
      mine.setPort(name, mtu);
      own.detach(vif);
      own.attach(vif, spec, {});
      expect(bridge.portSettings(name)).toEqual({ mtu: 9000 });
      own.detach(vif);
      own.removed('xvif1i0');
      own.attach(vif, spec, {});
      expect(bridge.portSettings(name)).toEqual(name === 'web' ? { mtu: 9000 } : {});
      own.detach(vif);
    });

    it('is kept only when the data path took it', () => {
      own.attach(info(undefined), spec, {});
      mine.setPort('xvif1i0', mtu);
      const reconfigurePort = bridge.reconfigurePort.bind(bridge);
      Object.assign(bridge, {
        reconfigurePort: () => {
          throw new Error('no room');
        },
      });
      expect(() => mine.setPort('xvif1i0', [{ name: 'mtu', value: '1500' }])).toThrow('no room');
      Object.assign(bridge, { reconfigurePort });
      expect(bridge.portSettings('xvif1i0')).toEqual({ mtu: 9000 });
      own.detach(info(undefined));
    });
  });

  it('detaching what was never attached does nothing', () => ports.detach(info(undefined)));
});
