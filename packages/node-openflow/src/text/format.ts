/**
 * Matches, actions and instructions in the text form of ovs-ofctl, which is what people who run switches read.
 *
 * What ovs-ofctl has no words for (copy_ttl_*, PBB, in_phy_port, ipv6_exthdr) gets the specification's name.
 */
import { isFullMask } from '../codec/oxm.js';
import { oxmFacts } from '../match/build.js';
import { OFPP, OFPVID } from '../of13/constants.js';
import type { OxmKind } from '../of13/oxm-fields.js';
import type { Action, Instruction } from '../types/action.js';
import type { Match, OxmFieldName, OxmKnown, OxmTlv } from '../types/oxm.js';
import { bytesToBigint, formatHex, formatIpv4, formatIpv6, formatMac, prefixLength } from './addresses.js';

/** In the order ovs-ofctl prints them: the field, its name in a match, its name in set_field, its least hex digits. */
const textNames: readonly (readonly [OxmFieldName, string, string, number?])[] = [
  ['tunnel_id', 'tun_id', 'tun_id'],
  ['metadata', 'metadata', 'metadata'],
  ['in_port', 'in_port', 'in_port'],
  ['in_phy_port', 'in_phy_port', 'in_phy_port'],
  ['vlan_vid', 'vlan_tci', 'vlan_vid'],
  ['vlan_pcp', 'dl_vlan_pcp', 'vlan_pcp'],
  ['eth_src', 'dl_src', 'eth_src'],
  ['eth_dst', 'dl_dst', 'eth_dst'],
  ['eth_type', 'dl_type', 'eth_type', 4],
  ['ipv6_src', 'ipv6_src', 'ipv6_src'],
  ['ipv6_dst', 'ipv6_dst', 'ipv6_dst'],
  ['ipv6_flabel', 'ipv6_label', 'ipv6_label', 5],
  ['ipv6_exthdr', 'ipv6_exthdr', 'ipv6_exthdr'],
  ['arp_spa', 'arp_spa', 'arp_spa'],
  ['arp_tpa', 'arp_tpa', 'arp_tpa'],
  ['ipv4_src', 'nw_src', 'ip_src'],
  ['ipv4_dst', 'nw_dst', 'ip_dst'],
  ['arp_op', 'arp_op', 'arp_op'],
  ['ip_proto', 'nw_proto', 'ip_proto'],
  ['arp_sha', 'arp_sha', 'arp_sha'],
  ['arp_tha', 'arp_tha', 'arp_tha'],
  ['ip_dscp', 'nw_tos', 'ip_dscp'],
  ['ip_ecn', 'nw_ecn', 'nw_ecn'],
  ['mpls_label', 'mpls_label', 'mpls_label'],
  ['mpls_tc', 'mpls_tc', 'mpls_tc'],
  ['mpls_bos', 'mpls_bos', 'mpls_bos'],
  ['pbb_isid', 'pbb_isid', 'pbb_isid'],
  ['icmpv4_type', 'icmp_type', 'icmp_type'],
  ['icmpv4_code', 'icmp_code', 'icmp_code'],
  ['icmpv6_type', 'icmp_type', 'icmpv6_type'],
  ['icmpv6_code', 'icmp_code', 'icmpv6_code'],
  ['ipv6_nd_target', 'nd_target', 'nd_target'],
  ['ipv6_nd_sll', 'nd_sll', 'nd_sll'],
  ['ipv6_nd_tll', 'nd_tll', 'nd_tll'],
  ['tcp_src', 'tp_src', 'tcp_src'],
  ['udp_src', 'tp_src', 'udp_src'],
  ['sctp_src', 'tp_src', 'sctp_src'],
  ['tcp_dst', 'tp_dst', 'tcp_dst'],
  ['udp_dst', 'tp_dst', 'udp_dst'],
  ['sctp_dst', 'tp_dst', 'sctp_dst'],
];

/** eth_type, then ip_proto where it has a word of its own. */
const protocolNames: ReadonlyMap<number, { readonly name: string; readonly protocols: ReadonlyMap<number, string> }> =
  new Map([
    [
      0x0800,
      {
        name: 'ip',
        protocols: new Map([
          [1, 'icmp'],
          [6, 'tcp'],
          [17, 'udp'],
          [132, 'sctp'],
        ]),
      },
    ],
    [
      0x86dd,
      {
        name: 'ipv6',
        protocols: new Map([
          [58, 'icmp6'],
          [6, 'tcp6'],
          [17, 'udp6'],
          [132, 'sctp6'],
        ]),
      },
    ],
    [0x0806, { name: 'arp', protocols: new Map() }],
    [0x8035, { name: 'rarp', protocols: new Map() }],
    [0x8847, { name: 'mpls', protocols: new Map() }],
    [0x8848, { name: 'mplsm', protocols: new Map() }],
  ]);

const portNames: ReadonlyMap<number, string> = new Map(
  Object.entries(OFPP)
    .filter(([name]) => name !== 'MAX')
    .map(([name, port]) => [port, name]),
);

/** 'LOCAL' for a reserved port, else the number. */
export function formatPort(port: number): string {
  return portNames.get(port) ?? String(port);
}

/** Without a least number of digits, zero is '0', as printf's %#x has it. */
function hex(value: bigint | number, digits = 0): string {
  return value || digits > 0 ? `0x${value.toString(16).padStart(digits, '0')}` : '0';
}

function formatBytes(bytes: Uint8Array, kind: OxmKind, digits: number): string {
  switch (kind) {
    case 'mac':
      return formatMac(bytes);
    case 'ipv4':
      return formatIpv4(bytes);
    case 'ipv6':
      return formatIpv6(bytes);
    case 'port':
      return formatPort(Number(bytesToBigint(bytes)));
    case 'dec':
      return bytesToBigint(bytes).toString();
    case 'hex':
      return hex(bytesToBigint(bytes), digits);
  }
}

function formatValue(tlv: OxmKnown, digits = 0): string {
  const facts = oxmFacts(tlv.field);
  const value = formatBytes(tlv.value, facts.kind, digits);
  if (tlv.mask === undefined || isFullMask(tlv.mask, facts)) return value;
  const prefix = facts.kind === 'ipv4' || facts.kind === 'ipv6' ? prefixLength(tlv.mask) : undefined;
  return `${value}/${prefix ?? formatBytes(tlv.mask, facts.kind, digits)}`;
}

function formatOther(tlv: OxmTlv): string {
  if (tlv.field === 'experimenter') {
    return `experimenter:${hex(tlv.experimenter)}:${tlv.oxmField}${tlv.hasMask ? 'w' : ''}=${formatHex(tlv.data)}`;
  }
  if (tlv.field === 'raw') {
    return `oxm:${hex(tlv.oxmClass)}:${tlv.oxmField}${tlv.hasMask ? 'w' : ''}=${formatHex(tlv.data)}`;
  }
  return `${tlv.field}=${formatValue(tlv)}`;
}

const toNumber = (bytes: Uint8Array | undefined): number => (bytes === undefined ? 0 : Number(bytesToBigint(bytes)));
const pcpBits = 0xe000;

/** ovs-ofctl speaks of the tag as a whole when it cannot say "VLAN n" and "priority n". */
function formatVlan(vid: OxmKnown | undefined, pcp: OxmKnown | undefined): string[] {
  const vidMask = vid === undefined ? 0 : vid.mask === undefined ? 0x1fff : toNumber(vid.mask) & 0x1fff;
  const tci = (toNumber(vid?.value) | (toNumber(pcp?.value) << 13)) & 0xffff;
  const mask = vidMask | (pcp === undefined ? 0 : pcpBits);
  if (mask === 0) return [];
  const idMask = vidMask & 0x0fff;
  const present = (tci & vidMask & OFPVID.PRESENT) !== 0;
  if (present && (idMask === 0 || idMask === 0x0fff) && (idMask !== 0 || pcp !== undefined)) {
    const id = idMask === 0 ? [] : [`dl_vlan=${tci & 0x0fff}`];
    return pcp === undefined ? id : [...id, `dl_vlan_pcp=${tci >> 13}`];
  }
  return [mask === 0xffff ? `vlan_tci=${hex(tci, 4)}` : `vlan_tci=${hex(tci, 4)}/${hex(mask, 4)}`];
}

function formatField(tlv: OxmKnown, name: string, digits: number): string {
  // ovs-ofctl shows the six bits where they stand in the TOS byte.
  if (tlv.field === 'ip_dscp') return `${name}=${toNumber(tlv.value) << 2}`;
  return `${name}=${formatValue(tlv, digits)}`;
}

/** 'tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80'; the empty text for a match on everything. */
export function formatMatch(match: Match): string {
  const fields = new Map<string, OxmKnown>();
  const others: string[] = [];
  for (const tlv of match) {
    if (tlv.field === 'raw' || tlv.field === 'experimenter') others.push(formatOther(tlv));
    else if (tlv.mask?.every((byte) => byte === 0) !== true) fields.set(tlv.field, tlv);
  }
  const parts: string[] = [];
  const shown = new Set<string>();
  const family = protocolNames.get(toNumber(fields.get('eth_type')?.value));
  if (family !== undefined) {
    const protocol = family.protocols.get(toNumber(fields.get('ip_proto')?.value));
    parts.push(protocol ?? family.name);
    shown.add('eth_type');
    if (protocol !== undefined) shown.add('ip_proto');
  }
  for (const [field, name, , digits] of textNames) {
    const tlv = fields.get(field);
    if (field === 'vlan_vid') parts.push(...formatVlan(tlv, fields.get('vlan_pcp')));
    else if (tlv !== undefined && field !== 'vlan_pcp' && !shown.has(field)) {
      parts.push(formatField(tlv, name, digits ?? 0));
    }
  }
  return [...parts, ...others].join(',');
}

const setNames: ReadonlyMap<string, string> = new Map(textNames.map(([field, , name]) => [field, name]));

function formatSetField(oxm: OxmTlv): string {
  if (oxm.field === 'raw' || oxm.field === 'experimenter') return `set_field:${formatOther(oxm)}`;
  const value = oxm.field === 'vlan_vid' ? String(toNumber(oxm.value)) : formatValue(oxm);
  return `set_field:${value}->${setNames.get(oxm.field)}`;
}

function formatOutput(port: number, maxLen: number): string {
  if (port === OFPP.CONTROLLER) return `CONTROLLER:${maxLen}`;
  return portNames.get(port) ?? `output:${port}`;
}

export function formatAction(action: Action): string {
  switch (action.type) {
    case 'output':
      return formatOutput(action.port, action.maxLen);
    case 'group':
      return `group:${action.groupId}`;
    case 'set_queue':
      return `set_queue:${action.queueId}`;
    case 'set_mpls_ttl':
      return `set_mpls_ttl(${action.ttl})`;
    case 'set_nw_ttl':
      return `mod_nw_ttl:${action.ttl}`;
    case 'dec_nw_ttl':
      return 'dec_ttl';
    case 'push_vlan':
    case 'push_mpls':
    case 'push_pbb':
    case 'pop_mpls':
      return `${action.type}:${hex(action.ethertype, 4)}`;
    case 'set_field':
      return formatSetField(action.oxm);
    case 'experimenter':
      return `experimenter:${hex(action.experimenter)}:${formatHex(action.data)}`;
    case 'unknown':
      return `unknown:${action.code}:${formatHex(action.data)}`;
    default:
      return action.type;
  }
}

/** 'output:2,CONTROLLER:128'; 'drop' when there is none. */
export function formatActions(actions: readonly Action[]): string {
  return actions.length === 0 ? 'drop' : actions.map(formatAction).join(',');
}

/** The order instructions are carried out in, whatever their order in the message (OpenFlow 1.3.5 §5.9). */
const instructionOrder: readonly Instruction['type'][] = [
  'meter',
  'apply_actions',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'experimenter',
  'unknown',
  'goto_table',
];

function formatInstruction(instruction: Instruction): string | undefined {
  switch (instruction.type) {
    case 'meter':
      return `meter:${instruction.meterId}`;
    case 'apply_actions':
      return instruction.actions.length === 0 ? undefined : formatActions(instruction.actions);
    case 'clear_actions':
      return 'clear_actions';
    case 'write_actions':
      return `write_actions(${formatActions(instruction.actions)})`;
    case 'write_metadata': {
      const whole = instruction.metadataMask === 0xffff_ffff_ffff_ffffn;
      return `write_metadata:${hex(instruction.metadata)}${whole ? '' : `/${hex(instruction.metadataMask)}`}`;
    }
    case 'goto_table':
      return `goto_table:${instruction.tableId}`;
    case 'stat_trigger':
      return 'stat_trigger';
    case 'experimenter':
      return `experimenter:${hex(instruction.experimenter)}:${formatHex(instruction.data)}`;
    case 'unknown':
      return `unknown:${instruction.code}:${formatHex(instruction.data)}`;
  }
}

/** What ovs-ofctl prints after 'actions=': 'output:2,goto_table:3', or 'drop'. */
export function formatInstructions(instructions: readonly Instruction[]): string {
  const parts = instructionOrder.flatMap((type) =>
    instructions.filter((instruction) => instruction.type === type).map(formatInstruction),
  );
  const said = parts.filter((part) => part !== undefined);
  return said.length === 0 ? 'drop' : said.join(',');
}

/** 'priority=10,ip,nw_dst=10.0.0.1 actions=output:2' */
export function formatFlow(flow: {
  readonly priority: number;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
}): string {
  const match = [`priority=${flow.priority}`, formatMatch(flow.match)].filter((part) => part !== '').join(',');
  return `${match} actions=${formatInstructions(flow.instructions)}`;
}
