/**
 * Patterns of groups and meters (OpenFlow 1.3 and later) of one frame each. The suite itself judges them by throughput, and
 * so the machine as well.
 */
import { ether, IP4, ip4, ports, TCP, tcp4 } from './frames.js';
import type { Action, Pattern } from './patterns.js';

const [ALL, SELECT, INDIRECT, FF] = [0, 1, 2, 3];
const [KBPS, PKTPS, BURST] = [1, 2, 4];

const output = (port: number): Action => ({ OFPActionOutput: { port } });
const toGroup = (group_id: number): Action => ({ OFPActionGroup: { group_id } });
const setDestination: Action = {
  OFPActionSetField: { field: { OXMTlv: { field: 'eth_dst', value: '02:00:00:00:00:09' } } },
};
const redirected = [ether(IP4, { dst: '02:00:00:00:00:09' }), ...tcp4.slice(1)];

const bucket = (actions: readonly Action[], watched: Record<string, number> = {}) => ({
  OFPBucket: { ...watched, actions },
});
const group = (group_id: number, type: number, buckets: readonly unknown[]) => ({
  OFPGroupMod: { group_id, type, buckets },
});

function flow(actions: readonly Action[], instructions: readonly unknown[] = []) {
  return {
    OFPFlowMod: {
      table_id: 0,
      match: { OFPMatch: { oxm_fields: [{ OXMTlv: { field: 'in_port', value: 1 } }] } },
      instructions: [...instructions, { OFPInstructionActions: { actions, type: 4 } }],
    },
  };
}

const groups: readonly (readonly [name: string, groups: readonly unknown[], egress: readonly string[]])[] = [
  // The first bucket changes a copy.
  ['all', [group(1, ALL, [bucket([setDestination, output(3)]), bucket([output(2)])])], tcp4],
  ['all, changed', [group(1, ALL, [bucket([output(3)]), bucket([setDestination, output(2)])])], redirected],
  ['indirect', [group(1, INDIRECT, [bucket([setDestination, output(2)])])], redirected],
  [
    'select: never what weighs nothing',
    [group(1, SELECT, [bucket([output(3)], { weight: 0 }), bucket([output(2)], { weight: 1 })])],
    tcp4,
  ],
  [
    'fast failover: the first that lives',
    [group(1, FF, [bucket([output(2)], { watch_port: 2 }), bucket([output(3)], { watch_port: 3 })])],
    tcp4,
  ],
  [
    'a group of groups',
    [
      group(2, INDIRECT, [bucket([setDestination, output(2)])]),
      group(1, ALL, [bucket([output(3)]), bucket([toGroup(2)])]),
    ],
    redirected,
  ],
];

/** 200 bytes and more, of Assured Forwarding class 1: more than fits in a burst of one kilobit. */
const long = `b'${'x'.repeat(150)}'`;
const marked = (tos: number) => [ether(IP4), ip4(TCP, { tos }), ports('tcp'), long];
const [AF11, AF12] = [0x28, 0x30];

const meters: readonly (readonly [name: string, meter: Record<string, unknown>, egress: readonly string[]])[] = [
  ['drop, within its rate', { flags: KBPS, bands: [{ OFPMeterBandDrop: { rate: 10_000 } }] }, marked(AF11)],
  ['drop, packets within their rate', { flags: PKTPS, bands: [{ OFPMeterBandDrop: { rate: 1000 } }] }, marked(AF11)],
  [
    'dscp_remark, within its rate',
    { flags: KBPS, bands: [{ OFPMeterBandDscpRemark: { rate: 10_000, prec_level: 1 } }] },
    marked(AF11),
  ],
  [
    'dscp_remark, beyond its burst',
    { flags: KBPS | BURST, bands: [{ OFPMeterBandDscpRemark: { rate: 1, burst_size: 1, prec_level: 1 } }] },
    marked(AF12),
  ],
  [
    'two bands, the higher one applies',
    {
      flags: KBPS | BURST,
      bands: [
        { OFPMeterBandDrop: { rate: 1, burst_size: 1 } },
        { OFPMeterBandDscpRemark: { rate: 2, burst_size: 1, prec_level: 1 } },
      ],
    },
    marked(AF12),
  ],
];

const METER = 1;
const metered = { OFPInstructionMeter: { meter_id: METER } };

export const groupPatterns: readonly Pattern[] = [
  ...groups.map(
    ([name, made, egress]): Pattern => ({
      description: `group: ${name}`,
      prerequisite: [...made, flow([toGroup(1)])],
      tests: [{ ingress: tcp4, egress }],
    }),
  ),
  ...meters.map(
    ([name, meter, egress]): Pattern => ({
      description: `meter: ${name}`,
      prerequisite: [{ OFPMeterMod: { meter_id: METER, ...meter } }, flow([output(2)], [metered])],
      tests: [{ ingress: marked(AF11), egress }],
    }),
  ),
];
