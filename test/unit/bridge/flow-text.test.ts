import { type FlowStats, match, of13 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { formatFlowStats } from '../../../src/bridge/flow-text.js';

const flow: FlowStats = {
  tableId: 0,
  durationSec: 12,
  durationNsec: 345_000_000,
  priority: 10,
  idleTimeout: 60,
  hardTimeout: 0,
  flags: of13.OFPFF.SEND_FLOW_REM,
  cookie: 0x2an,
  packetCount: 2n ** 60n,
  byteCount: 0n,
  match: match({ in_port: 1 }),
  instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 2, maxLen: 0 }] }],
};

describe('flows of a bridge', () => {
  it('in the words of ovs-ofctl', () =>
    expect(formatFlowStats(flow)).toBe(
      'cookie=0x2a, duration=12.345s, table=0, n_packets=1152921504606846976, n_bytes=0, idle_timeout=60, ' +
        'send_flow_rem, priority=10,in_port=1 actions=output:2',
    ));

  it('whole seconds have no fraction', () =>
    expect(formatFlowStats({ ...flow, durationSec: 10, durationNsec: 0 })).toContain('duration=10s,'));
});
