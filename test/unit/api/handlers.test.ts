import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Guests } from '../../../src/api/guests.js';
import { createHandlers } from '../../../src/api/handlers.js';
import type { WatchEvent } from '../../../src/api/messages.js';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { Bridges } from '../../../src/bridge/bridges.js';
import type { PortNo } from '../../../src/datapath/datapath.js';
import { AllDocuments } from '../../../src/documents/documents.js';
import { createBridge } from '../bridge/fixture.js';

const facts = { version: '1', hypervisor: 'emulated', workers: 2 };
const frame = new Uint8Array(60);

describe('calls of the API', () => {
  const bridges = new Bridges();
  const documents = new AllDocuments('/nowhere', { clock: systemClock, logger: silentLogger });
  const handlers = createHandlers(facts, bridges, new Guests(undefined, bridges), documents);
  let made: ReturnType<typeof createBridge>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    made = createBridge(`br${bridges.all.length}`, { overrides: bridges.overrides });
    bridges.add(made.bridge);
    made.bridge.addPort({ name: 'p', spec: { kind: 'null' }, mac: '00:16:3e:00:00:01' });
  });
  afterEach(() => vi.useRealTimers());

  const name = () => made.bridge.name;

  it('show', async () => {
    const reply = await handlers.show({});
    expect(reply).toMatchObject({ ...facts, pid: process.pid });
    expect(reply.bridges.at(-1)).toMatchObject({ name: name(), datapathId: 0x2an, failMode: 'secure', ports: 1 });
    expect(reply.bridges.at(-1)!.listening).toEqual(['ptcp:6653:127.0.0.1']);
  });

  it('listPorts, of one bridge or of all', async () => {
    made.datapath.inject(1 as PortNo, frame);
    const { ports } = await handlers.listPorts({ bridge: name() });
    expect(ports).toMatchObject([
      { bridge: name(), name: 'p', number: 1, kind: 'null', state: 'up', vif: null, counters: { rxPackets: 1n } },
    ]);
    expect((await handlers.listPorts({ bridge: '' })).ports.length).toBe(bridges.all.length);
    expect(() => handlers.listPorts({ bridge: 'x' })).toThrow('there is no bridge "x"');
  });

  it('setPort: the operator wins until the setting is given back', async () => {
    const set = (...settings: { name: string; value: string }[]) => handlers.setPort({ port: 'q', settings });
    made.bridge.addPort({ name: 'q', spec: { kind: 'null' }, mac: undefined });
    made.bridge.configurePort('q', { rate: { bytes: 1, intervalUs: 1 } });
    expect(await set()).toEqual({ settings: [{ name: 'rate', value: '1,1' }] });
    expect(await set({ name: 'rate', value: '10Mb/s' }, { name: 'complete-checksums', value: 'on' })).toEqual({
      settings: [
        { name: 'rate', value: '62500,50000' },
        { name: 'complete-checksums', value: 'on' },
      ],
    });
    await set({ name: 'rate', value: 'none' });
    made.bridge.removePort('q');
    made.bridge.addPort({ name: 'q', spec: { kind: 'null' }, mac: undefined, settings: { mtu: 9000 } });
    expect(made.bridge.portSettings('q')).toEqual({ mtu: 9000, completeChecksums: true });
    await set({ name: 'rate', value: 'toolstack' }, { name: 'complete-checksums', value: 'toolstack' });
    expect(made.bridge.portSettings('q')).toEqual({ mtu: 9000 });
    expect(() => handlers.setPort({ port: 'x', settings: [] })).toThrow('there is no port "x"');
    made.bridge.removePort('q');
  });

  it('setTable: one setting, and what is in force', async () => {
    const set = (table: number, name: string, value: string) =>
      handlers.setTable({ bridge: name === '' ? '' : made.bridge.name, table, settings: [{ name, value }] });
    expect(await set(3, 'overflow-policy', 'evict')).toEqual({
      settings: [
        { name: 'limit', value: '5' },
        { name: 'overflow-policy', value: 'evict' },
        { name: 'groups', value: 'none' },
        { name: 'name', value: 'table3' },
      ],
    });
    const groups = 'NXM_OF_IN_PORT[],NXM_OF_IP_SRC[8..31],NXM_OF_VLAN_TCI[0..12]';
    expect((await set(3, 'groups', groups)).settings[2]).toEqual({ name: 'groups', value: groups });
    expect((await set(3, 'groups', 'nw_src[8..31], reg0[3]')).settings[2]).toEqual({
      name: 'groups',
      value: 'NXM_OF_IP_SRC[8..31],NXM_NX_REG0[3]',
    });
    expect(() => set(3, 'groups', 'nw_src[8..32]')).toThrow('bit 32 is not in ip_src');
    expect(() => set(3, 'groups', 'ct_mark[]')).toThrow('fields that flows can match');
    expect((await set(3, 'groups', 'none')).settings[2]).toEqual({ name: 'groups', value: 'none' });
    expect(await set(3, 'limit', '100')).toMatchObject({ settings: [{ name: 'limit', value: '100' }, {}, {}, {}] });
    expect(() => set(254, 'limit', '1')).toThrow('there is no table 254');
    expect(() => set(3, 'limit', '4000001')).toThrow('limit: expected flows, 0 to 4000000, not "4000001"');
    expect(() => set(3, 'overflow-policy', 'x')).toThrow('expected refuse or evict');
    expect(() => set(3, 'name', 'a'.repeat(32))).toThrow('1 to 31 bytes');
    expect(() => set(3, 'constructor', '1')).toThrow('"constructor" is no setting of a table');
  });

  it('listFlows', async () => {
    const stats = {
      tableId: 1,
      durationSec: 2,
      durationNsec: 500_000_000,
      priority: 3,
      idleTimeout: 4,
      hardTimeout: 5,
      flags: 0,
      cookie: 6n,
      packetCount: 7n,
      byteCount: 8n,
      match: [],
      instructions: [],
    };
    made.openflow.entries = [{ stats, text: 'words' }];
    expect((await handlers.listFlows({ bridge: name() })).flows).toEqual([
      {
        bridge: name(),
        table: 1,
        priority: 3,
        cookie: 6n,
        packets: 7n,
        bytes: 8n,
        durationMs: 2500n,
        idleTimeout: 4,
        hardTimeout: 5,
        text: 'words',
        owner: '',
        rule: '',
        file: '',
        line: 0,
      },
    ]);
  });

  it('getStats names ports and directions', async () => {
    const spec = {
      kind: 'vif',
      domid: 1,
      handle: 0,
      queues: [],
      sg: true,
      gsoTcpv4: true,
      gsoTcpv6: true,
      csumBlankIpv4: true,
      csumBlankIpv6: true,
      rxNotify: true,
    } as const;
    made.bridge.addPort({ name: 'xvif1i0', spec, mac: undefined });
    made.datapath.inject(1 as PortNo, frame);
    made.datapath.inject(2 as PortNo, frame);
    const [stats] = (await handlers.getStats({ bridge: name() })).bridges;
    expect(stats!.drops).toEqual([
      { port: 'p', direction: 'in', reason: 'table miss', packets: 1n },
      { port: 'xvif1i0', direction: 'from guest', reason: 'table miss', packets: 1n },
    ]);
    made.bridge.removePort('xvif1i0');
  });

  it('watch: rates over its own interval, events between, nothing after its end', () => {
    const events: WatchEvent[] = [];
    const stop = handlers.watch({ bridge: name(), intervalMs: 500 }, (event) => events.push(event));
    for (let i = 0; i < 50; i++) made.datapath.inject(1 as PortNo, frame);
    vi.advanceTimersByTime(500);
    made.bridge.removePort('p');
    stop();
    vi.advanceTimersByTime(5000);
    made.bridge.addPort({ name: 'q', spec: { kind: 'null' }, mac: undefined });
    expect(events.map(({ event }) => event)).toEqual(['ports', 'ports', 'bridge']);
    const [, second, third] = events;
    expect(second).toMatchObject({ ports: { ports: [{ rates: { rxPacketsPerSecond: 100 } }] } });
    expect(third).toMatchObject({ bridge: { bridge: name(), text: 'port p (1) removed' } });
    expect(() => handlers.watch({ bridge: 'x', intervalMs: 0 }, () => {})).toThrow('no bridge');
  });

  it('without an emulated hypervisor guests are the toolstack’s', async () => {
    expect(await handlers.listGuests({})).toEqual({ guests: [] });
    await expect(async () => handlers.removeGuest({ name: 'g' })).rejects.toThrow('toolstack of this hypervisor');
  });
});
