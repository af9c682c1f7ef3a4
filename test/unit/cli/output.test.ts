import { describe, expect, it } from 'vitest';
import type { Port } from '../../../src/api/messages.js';
import { formatFlows } from '../../../src/cli/flows.js';
import { formatPorts } from '../../../src/cli/ports.js';
import { formatBridge } from '../../../src/cli/show.js';
import { formatBridgeStats } from '../../../src/cli/stats.js';

const counters = {
  rxPackets: 5n,
  txPackets: 2n ** 63n,
  rxBytes: 500n,
  txBytes: 0n,
  rxDropped: 1n,
  txDropped: 2n,
  rxErrors: 0n,
  txErrors: 0n,
};
const rates = { rxPacketsPerSecond: 1500, txPacketsPerSecond: 0, rxBitsPerSecond: 0, txBitsPerSecond: 0 };

describe('output', () => {
  it('ports', () => {
    const port: Port = {
      bridge: 'br0',
      name: 'xvif1i0',
      number: 1,
      kind: 'vif',
      mac: '00:16:3e:00:00:01',
      state: 'up',
      vif: { domid: 1, handle: 0, queues: 2 },
      counters,
      rates,
    };
    const local: Port = { ...port, name: 'br0', number: 0xfffffffe, kind: 'null', vif: null };
    const lines = formatPorts([port, local]).split('\n');
    expect(lines[1]).toMatch(/br0 +1 {2}xvif1i0 +dom 1 vif 0 ×2 .* 9223372036854775808 .* 3 +1\.50k pps +0 pps$/);
    expect(lines[2]).toMatch(/br0 +LOCAL {2}br0 +null/);
  });

  it('a bridge with and without controllers', () => {
    const bridge = {
      name: 'br0',
      datapathId: 1n,
      failMode: 'secure',
      controllers: [],
      ports: 1,
      flows: 0n,
      managementSocket: '/run/br0.mgmt',
      listening: ['ptcp:6653:127.0.0.1'],
    };
    expect(formatBridge(bridge)).toMatch(/controller +none\n +listening +ptcp:6653:127\.0\.0\.1\n/);
    const controllers = [
      { target: 'tcp:h:1', connected: true, role: 'equal', version: 4, lastError: '' },
      { target: 'tcp:h:2', connected: false, role: '', version: 0, lastError: 'refused' },
    ];
    const text = formatBridge({ ...bridge, controllers });
    expect(text).toContain('tcp:h:1 connected, OpenFlow 1.3, equal');
    expect(text).toContain('tcp:h:2 not connected: refused');
  });

  it('flows name their bridge only where there are several', () => {
    const flow = {
      bridge: 'a',
      table: 0,
      priority: 0,
      cookie: 0n,
      packets: 0n,
      bytes: 0n,
      durationMs: 0n,
      idleTimeout: 0,
      hardTimeout: 0,
      text: 'actions=drop',
      owner: '',
      rule: '',
      file: '',
      line: 0,
    };
    expect(formatFlows([flow])).toBe('actions=drop');
    expect(formatFlows([flow, { ...flow, bridge: 'b' }])).toBe('a: actions=drop\nb: actions=drop');
    expect(formatFlows([{ ...flow, owner: '7' }])).toBe('actions=drop  # owner 7');
    expect(formatFlows([{ ...flow, owner: 'ops', rule: 'shop/in/web', file: 'shop.yaml', line: 3 }])).toBe(
      'actions=drop  # ops: shop.yaml:3 shop/in/web',
    );
    expect(formatFlows([])).toBe('no flows');
  });

  it('stats', () => {
    const text = formatBridgeStats({
      bridge: 'br0',
      version: 3n,
      rules: 2n,
      subtables: 1n,
      ruleMemoryBytes: 2048n,
      upcalls: 4n,
      upcallsDropped: 0n,
      workers: [{ busyNs: 1n, idleNs: 3n, batches: 1n, packets: 2n }],
      drops: [{ port: 'xvif1i0', direction: 'from guest', reason: 'no match', packets: 9n }],
      learned: 5n,
      learnsDropped: 6n,
    });
    expect(text).toContain('2 in 1 subtables, 2.05kB');
    expect(text).toContain('5 flows, 6 dropped');
    expect(text).toMatch(/0 +25\.00% +1 +2/);
    expect(text).toMatch(/9 +xvif1i0 +from guest +no match/);
  });
});
