/** The flows of a bridge in the text of ovs-ofctl, with their counters. */
import { type FlowStats, formatFlow, of13 } from 'node-openflow';

export interface FlowEntry {
  readonly stats: FlowStats;
  /** As ovs-ofctl dump-flows prints it. */
  readonly text: string;
}

const flagNames = [
  [of13.OFPFF.SEND_FLOW_REM, 'send_flow_rem'],
  [of13.OFPFF.CHECK_OVERLAP, 'check_overlap'],
  [of13.OFPFF.RESET_COUNTS, 'reset_counts'],
  [of13.OFPFF.NO_PKT_COUNTS, 'no_packet_counts'],
  [of13.OFPFF.NO_BYT_COUNTS, 'no_byte_counts'],
] as const;

export function formatFlowStats(stats: FlowStats): string {
  const { cookie, durationSec, durationNsec, tableId, packetCount, byteCount, idleTimeout, hardTimeout, flags } = stats;
  const seconds = (durationSec + durationNsec / 1e9).toFixed(3).replace(/\.?0+$/, '');
  const facts = [
    `cookie=0x${cookie.toString(16)}`,
    `duration=${seconds}s`,
    `table=${tableId}`,
    `n_packets=${packetCount}`,
    `n_bytes=${byteCount}`,
    ...(idleTimeout === 0 ? [] : [`idle_timeout=${idleTimeout}`]),
    ...(hardTimeout === 0 ? [] : [`hard_timeout=${hardTimeout}`]),
    ...flagNames.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name),
  ];
  const { priority, match, instructions } = stats;
  return `${facts.join(', ')}, ${formatFlow({ priority, match, instructions })}`;
}
