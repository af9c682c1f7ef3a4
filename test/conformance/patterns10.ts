/** Patterns of OpenFlow 1.0, whose flows the tester writes with the fields of ofp_match. */
import { ARP, arpRequest, data, ether, IP4, icmp4, ip4, ports, TCP, tagged, tcp4, UDP, udp4, vlan } from './frames.js';
import type { Action, Pattern } from './patterns.js';

type Match = Readonly<Record<string, string | number>>;

/** A flow of each is met by the frame; with the last field changed to `other` it is not. */
const matches: readonly (readonly [frame: readonly string[], match: Match, other: Match])[] = [
  [tcp4, { in_port: 1 }, { in_port: 2 }],
  [tcp4, { dl_src: '02:00:00:00:00:01' }, { dl_src: '02:00:00:00:00:02' }],
  [tcp4, { dl_dst: '02:00:00:00:00:02' }, { dl_dst: '02:00:00:00:00:03' }],
  [tagged, { dl_vlan: 100 }, { dl_vlan: 101 }],
  [tagged, { dl_vlan: 100, dl_vlan_pcp: 3 }, { dl_vlan_pcp: 4 }],
  [tcp4, { dl_type: IP4 }, { dl_type: ARP }],
  [tcp4, { dl_type: IP4, nw_tos: 0x28 }, { nw_tos: 0x20 }],
  [tcp4, { dl_type: IP4, nw_proto: TCP }, { nw_proto: UDP }],
  [tcp4, { dl_type: IP4, nw_src: '192.0.2.1' }, { nw_src: '192.0.2.2' }],
  [tcp4, { dl_type: IP4, nw_src_mask: 24, nw_src: '192.0.2.0' }, { nw_src: '192.0.3.0' }],
  [tcp4, { dl_type: IP4, nw_dst: '198.51.100.2' }, { nw_dst: '198.51.100.3' }],
  [tcp4, { dl_type: IP4, nw_proto: TCP, tp_src: 1234 }, { tp_src: 1235 }],
  [udp4, { dl_type: IP4, nw_proto: UDP, tp_dst: 80 }, { tp_dst: 81 }],
  [icmp4, { dl_type: IP4, nw_proto: 1, tp_src: 8 }, { tp_src: 0 }],
  [arpRequest, { dl_type: ARP, nw_proto: 1 }, { nw_proto: 2 }],
  [arpRequest, { dl_type: ARP, nw_dst: '192.0.2.2' }, { nw_dst: '192.0.2.3' }],
];

/** Frames that meet the match leave changed by the actions. */
const actions: readonly (readonly [
  name: string,
  match: Match,
  action: Action,
  before: readonly string[],
  after: readonly string[],
])[] = [
  [
    'set_dl_src',
    { dl_type: IP4 },
    { OFPActionSetDlSrc: { dl_addr: '02:00:00:00:00:09' } },
    tcp4,
    [ether(IP4, { src: '02:00:00:00:00:09' }), ...tcp4.slice(1)],
  ],
  [
    'set_nw_dst',
    { dl_type: IP4 },
    { OFPActionSetNwDst: { nw_addr: '203.0.113.9' } },
    udp4,
    [ether(IP4), ip4(UDP, { dst: '203.0.113.9' }), ...udp4.slice(2)],
  ],
  [
    'set_nw_tos',
    { dl_type: IP4 },
    { OFPActionSetNwTos: { tos: 0xb8 } },
    tcp4,
    [ether(IP4), ip4(TCP, { tos: 0xb8 }), ...tcp4.slice(2)],
  ],
  [
    'set_tp_dst',
    { dl_type: IP4, nw_proto: TCP },
    { OFPActionSetTpDst: { tp: 8080 } },
    tcp4,
    [ether(IP4), ip4(TCP), ports('tcp', { dst_port: 8080 }), data],
  ],
  [
    'set_vlan_vid',
    { dl_vlan: 100 },
    { OFPActionVlanVid: { vlan_vid: 200 } },
    tagged,
    [tagged[0]!, vlan({ vid: 200 }), ...tagged.slice(2)],
  ],
  ['strip_vlan', { dl_vlan: 100 }, { OFPActionStripVlan: {} }, tagged, tcp4],
];

const flow = (match: Match, does: readonly Action[]) => ({
  OFPFlowMod: {
    command: 0,
    cookie: 0,
    match: { OFPMatch: match },
    actions: [...does, { OFPActionOutput: { port: 2 } }],
  },
});

const text = (match: Match) =>
  Object.entries(match)
    .map(([field, value]) => `${field}=${value}`)
    .join(',');

export const patterns10: readonly Pattern[] = [
  ...matches.flatMap(([frame, match, other]): Pattern[] => {
    const missed = { ...match, ...other };
    return [
      {
        description: `match: ${text(match)}`,
        prerequisite: [flow(match, [])],
        tests: [{ ingress: frame, egress: frame }],
      },
      {
        description: `no match: ${text(missed)}`,
        prerequisite: [flow(missed, [])],
        tests: [{ ingress: frame, 'table-miss': [0] }],
      },
    ];
  }),
  ...actions.map(
    ([name, match, action, before, after]): Pattern => ({
      description: `action: ${name}`,
      prerequisite: [flow(match, [action])],
      tests: [{ ingress: before, egress: after }],
    }),
  ),
];
