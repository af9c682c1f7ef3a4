/** What os-ken's tester is to test, as its JSON (os_ken.tests.switch.tester) has it: flows, and frames in and out. */
import {
  ARP,
  arp,
  arpRequest,
  data,
  ether,
  ICMP,
  ICMP6,
  IP4,
  IP6,
  icmp4,
  icmp6,
  ip4,
  ip6,
  labelled,
  layer,
  MPLS,
  mpls,
  PBB,
  ports,
  QINQ,
  SCTP,
  sctp4,
  TCP,
  tagged,
  tcp4,
  tcp6,
  UDP,
  udp4,
  udp6,
  VLAN,
  vlan,
} from './frames.js';

/** [field, value] or [field, value, mask], as OXM names them. */
type Oxm = readonly [field: string, value: string | number, mask?: string | number];
export type Action = Record<string, unknown>;

export interface Pattern {
  readonly description: string;
  /** Flows, groups and meters, installed in this order. */
  readonly prerequisite: readonly unknown[];
  readonly tests: readonly unknown[];
}
const is4: Oxm = ['eth_type', IP4];
const is6: Oxm = ['eth_type', IP6];
const isArp: Oxm = ['eth_type', ARP];
const isMpls: Oxm = ['eth_type', MPLS];
const proto = (number: number): Oxm => ['ip_proto', number];

/** A flow of each is met by the frame; with the last field changed to `other` it is not. */
const matches: readonly (readonly [frame: readonly string[], fields: readonly Oxm[], other: Oxm])[] = [
  [tcp4, [['in_port', 1]], ['in_port', 2]],
  [tcp4, [['eth_dst', '02:00:00:00:00:02']], ['eth_dst', '02:00:00:00:00:03']],
  [
    tcp4,
    [['eth_dst', '02:00:00:00:00:00', 'ff:ff:ff:ff:ff:00']],
    ['eth_dst', '02:00:00:00:01:00', 'ff:ff:ff:ff:ff:00'],
  ],
  [tcp4, [['eth_src', '02:00:00:00:00:01']], ['eth_src', '02:00:00:00:00:02']],
  [tcp4, [is4], is6],
  [tagged, [['vlan_vid', 0x1064]], ['vlan_vid', 0x1065]],
  [tagged, [['vlan_vid', 0x1000, 0x1000]], ['vlan_vid', 0x1002, 0x1002]],
  [
    tagged,
    [
      ['vlan_vid', 0x1064],
      ['vlan_pcp', 3],
    ],
    ['vlan_pcp', 4],
  ],
  [tcp4, [is4, ['ip_dscp', 10]], ['ip_dscp', 11]],
  [tcp6, [is6, ['ip_dscp', 10]], ['ip_dscp', 11]],
  [tcp4, [is4, ['ip_ecn', 0]], ['ip_ecn', 1]],
  [tcp4, [is4, proto(TCP)], proto(UDP)],
  [udp6, [is6, proto(UDP)], proto(TCP)],
  [tcp4, [is4, ['ipv4_src', '192.0.2.1']], ['ipv4_src', '192.0.2.2']],
  [tcp4, [is4, ['ipv4_src', '192.0.2.0', '255.255.255.0']], ['ipv4_src', '192.0.3.0', '255.255.255.0']],
  [tcp4, [is4, ['ipv4_dst', '198.51.100.2']], ['ipv4_dst', '198.51.100.3']],
  [tcp4, [is4, proto(TCP), ['tcp_src', 1234]], ['tcp_src', 1235]],
  [tcp6, [is6, proto(TCP), ['tcp_dst', 80]], ['tcp_dst', 81]],
  [udp4, [is4, proto(UDP), ['udp_src', 1234]], ['udp_src', 1235]],
  [udp6, [is6, proto(UDP), ['udp_dst', 80]], ['udp_dst', 81]],
  [sctp4, [is4, proto(SCTP), ['sctp_src', 1234]], ['sctp_src', 1235]],
  [icmp4, [is4, proto(ICMP), ['icmpv4_type', 8]], ['icmpv4_type', 0]],
  [icmp6, [is6, proto(ICMP6), ['icmpv6_type', 128]], ['icmpv6_type', 129]],
  [arpRequest, [isArp, ['arp_op', 1]], ['arp_op', 2]],
  [arpRequest, [isArp, ['arp_spa', '192.0.2.1']], ['arp_spa', '192.0.2.2']],
  [arpRequest, [isArp, ['arp_tpa', '192.0.2.0', '255.255.255.0']], ['arp_tpa', '192.0.3.0', '255.255.255.0']],
  [arpRequest, [isArp, ['arp_sha', '02:00:00:00:00:01']], ['arp_sha', '02:00:00:00:00:02']],
  [tcp6, [is6, ['ipv6_src', '2001:db8::1']], ['ipv6_src', '2001:db8::3']],
  [tcp6, [is6, ['ipv6_dst', '2001:db8::2']], ['ipv6_dst', '2001:db8::3']],
  [labelled, [isMpls, ['mpls_label', 100]], ['mpls_label', 101]],
  [labelled, [isMpls, ['mpls_tc', 3]], ['mpls_tc', 4]],
  [labelled, [isMpls, ['mpls_bos', 1]], ['mpls_bos', 0]],
];

const set = (field: string, value: string | number): Action => ({
  OFPActionSetField: { field: { OXMTlv: { field, value } } },
});

/** Frames that meet the fields leave changed by the actions. */
const actions: readonly (readonly [
  name: string,
  fields: readonly Oxm[],
  actions: readonly Action[],
  before: readonly string[],
  after: readonly string[],
])[] = [
  ['output', [is4], [], tcp4, tcp4],
  [
    'set eth_dst',
    [is4],
    [set('eth_dst', '02:00:00:00:00:09')],
    tcp4,
    [ether(IP4, { dst: '02:00:00:00:00:09' }), ...tcp4.slice(1)],
  ],
  [
    'set ipv4_src',
    [is4],
    [set('ipv4_src', '203.0.113.9')],
    tcp4,
    [ether(IP4), ip4(TCP, { src: '203.0.113.9' }), ports('tcp'), data],
  ],
  ['set ip_dscp', [is4], [set('ip_dscp', 46)], udp4, [ether(IP4), ip4(UDP, { tos: 0xb8 }), ports('udp'), data]],
  [
    'set tcp_dst',
    [is4, proto(TCP)],
    [set('tcp_dst', 8080)],
    tcp4,
    [ether(IP4), ip4(TCP), ports('tcp', { dst_port: 8080 }), data],
  ],
  [
    'set udp_src',
    [is6, proto(UDP)],
    [set('udp_src', 8080)],
    udp6,
    [ether(IP6), ip6(UDP), ports('udp', { src_port: 8080 }), data],
  ],
  [
    'set ipv6_dst',
    [is6],
    [set('ipv6_dst', '2001:db8::9')],
    tcp6,
    [ether(IP6), ip6(TCP, { dst: '2001:db8::9' }), ports('tcp'), data],
  ],
  ['set arp_op', [isArp], [set('arp_op', 2)], arpRequest, [ether(ARP), arp({ opcode: 2 }), data]],
  [
    'set vlan_vid',
    [['vlan_vid', 0x1064]],
    [set('vlan_vid', 0x10c8)],
    tagged,
    [ether(VLAN), vlan({ vid: 200 }), ip4(TCP), ports('tcp'), data],
  ],
  ['dec_nw_ttl', [is4], [{ OFPActionDecNwTtl: {} }], tcp4, [ether(IP4), ip4(TCP, { ttl: 63 }), ports('tcp'), data]],
  [
    'set_nw_ttl',
    [is6],
    [{ OFPActionSetNwTtl: { nw_ttl: 7 } }],
    tcp6,
    [ether(IP6), ip6(TCP, { hop_limit: 7 }), ports('tcp'), data],
  ],
  [
    'push_vlan',
    [is4],
    [{ OFPActionPushVlan: { ethertype: VLAN } }],
    tcp4,
    [ether(VLAN), vlan({ pcp: 0, vid: 0 }), ip4(TCP), ports('tcp'), data],
  ],
  [
    'push_vlan, 802.1ad',
    [['vlan_vid', 0x1064]],
    [{ OFPActionPushVlan: { ethertype: QINQ } }],
    tagged,
    [ether(QINQ), layer('svlan', { pcp: 3, cfi: 0, vid: 100, ethertype: VLAN }), vlan(), ip4(TCP), ports('tcp'), data],
  ],
  ['pop_vlan', [['vlan_vid', 0x1064]], [{ OFPActionPopVlan: {} }], tagged, tcp4],
  [
    'push_mpls',
    [is4],
    [{ OFPActionPushMpls: { ethertype: MPLS } }],
    tcp4,
    [ether(MPLS), mpls({ label: 0, exp: 0 }), ip4(TCP), ports('tcp'), data],
  ],
  ['pop_mpls', [isMpls], [{ OFPActionPopMpls: { ethertype: IP4 } }], labelled, tcp4],
  [
    'dec_mpls_ttl',
    [isMpls],
    [{ OFPActionDecMplsTtl: {} }],
    labelled,
    [ether(MPLS), mpls({ ttl: 63 }), ip4(TCP), ports('tcp'), data],
  ],
  [
    'push_pbb',
    [is4],
    [{ OFPActionPushPbb: { ethertype: PBB } }],
    tcp4,
    [ether(PBB), 'itag()', ether(IP4), ip4(TCP), ports('tcp'), data],
  ],
];

function flow(fields: readonly Oxm[], does: readonly Action[]) {
  const oxm_fields = fields.map(([field, value, mask]) => ({
    OXMTlv: { field, value, ...(mask === undefined ? {} : { mask }) },
  }));
  return {
    OFPFlowMod: {
      table_id: 0,
      match: { OFPMatch: { oxm_fields } },
      instructions: [{ OFPInstructionActions: { actions: [...does, { OFPActionOutput: { port: 2 } }], type: 4 } }],
    },
  };
}

const text = (fields: readonly Oxm[]) =>
  fields.map(([field, value, mask]) => `${field}=${value}${mask === undefined ? '' : `/${mask}`}`).join(',');

export const patterns: readonly Pattern[] = [
  ...matches.flatMap(([frame, fields, other]): Pattern[] => {
    const missed = [...fields.slice(0, -1), other];
    return [
      {
        description: `match: ${text(fields)}`,
        prerequisite: [flow(fields, [])],
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
    ([name, fields, does, before, after]): Pattern => ({
      description: `action: ${name}`,
      prerequisite: [flow(fields, does)],
      tests: [{ ingress: before, egress: after }],
    }),
  ),
];
