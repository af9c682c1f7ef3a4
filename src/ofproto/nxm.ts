/** What Nicira's messages of OpenFlow 1.0 say in other words than OpenFlow: NXM fields, and actions for instructions. */
import { type Action, type Instruction, type Match, nicira, type OxmFieldName, type OxmKnown } from 'node-openflow';
import { readBig, writeBig } from '../datapath/records.js';
import { fields, ReservedPort } from '../datapath/schema.gen.js';
import { fieldIds, numberOf, oxmWidth } from './translate-match.js';
import { loadAction, narrowPort } from './translate-nicira.js';

/** NXM's name of a field that OpenFlow has too, with the same bytes. */
const nxmNames: ReadonlyMap<string, OxmFieldName> = new Map(
  nicira.oxmFields.flatMap(({ name, twin, bytes }) => {
    const id = twin === undefined ? undefined : fieldIds.get(twin);
    return id === undefined || oxmWidth(id) !== bytes ? [] : [[twin!, name as OxmFieldName] as const];
  }),
);

const VID_BITS = 0x1fffn;
const PCP_SHIFT = 13n;
const PCP_BITS = 7n;
const ALL_TCI = 0xffffn;
const TOS_DSCP_SHIFT = 2;

function bytesOf(value: bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  writeBig(bytes, 0, width, value);
  return bytes;
}
const bigOf = (bytes: Uint8Array): bigint => readBig(bytes, 0, bytes.length);

/** VLAN id and priority, which are one field in NXM. */
function vlanTci(parts: readonly OxmKnown[]): OxmKnown {
  let [value, mask] = [0n, 0n];
  for (const part of parts) {
    const [shift, all] = part.field === 'vlan_pcp' ? [PCP_SHIFT, PCP_BITS] : [0n, VID_BITS];
    value |= bigOf(part.value) << shift;
    mask |= (part.mask === undefined ? all : bigOf(part.mask) & all) << shift;
  }
  const tci = { field: 'vlan_tci', value: bytesOf(value & mask, 2) } as const;
  return mask === ALL_TCI ? tci : { ...tci, mask: bytesOf(mask, 2) };
}

const isVlan = ({ field }: { readonly field: string }): boolean => field === 'vlan_vid' || field === 'vlan_pcp';

/** A match in NXM, as far as that has a name for its fields. */
export function nxmMatch(match: Match): Match {
  const vlan = match.filter(isVlan) as readonly OxmKnown[];
  return match.flatMap((tlv): Match => {
    if (isVlan(tlv)) return tlv === vlan[0] ? [vlanTci(vlan)] : [];
    const known = tlv as OxmKnown;
    if (tlv.field === 'in_port') {
      return [{ field: 'nxm_of_in_port', value: bytesOf(BigInt(narrowPort(numberOf(known.value))), 2) }];
    }
    if (tlv.field === 'ip_dscp' && known.mask === undefined) {
      return [{ field: 'ip_tos', value: Uint8Array.of(numberOf(known.value) << TOS_DSCP_SHIFT) }];
    }
    const name = nxmNames.get(tlv.field);
    return [name === undefined ? tlv : { ...known, field: name }];
  });
}

/** What set_field of 1.0's own actions can write. */
const ownSetters: ReadonlySet<string> = new Set([
  ...['eth_src', 'eth_dst', 'ipv4_src', 'ipv4_dst', 'ip_dscp', 'vlan_vid', 'vlan_pcp'],
  ...['tcp_src', 'tcp_dst', 'udp_src', 'udp_dst'],
]);

function nxmAction(action: Action): Action {
  switch (action.type) {
    case 'dec_nw_ttl':
      return { type: 'nx_dec_ttl' };
    case 'dec_mpls_ttl':
      return { type: 'nx_dec_mpls_ttl' };
    case 'set_mpls_ttl':
      return { type: 'nx_set_mpls_ttl', value: action.ttl };
    case 'push_mpls':
      return { type: 'nx_push_mpls', ethertype: action.ethertype };
    case 'pop_mpls':
      return { type: 'nx_pop_mpls', ethertype: action.ethertype };
    case 'set_queue':
      return { type: 'nx_set_queue', queueId: action.queueId };
    case 'group':
      return { type: 'nx_group', groupId: action.groupId };
    case 'set_field': {
      const { field, value } = action.oxm as OxmKnown;
      const id = fieldIds.get(field);
      if (ownSetters.has(field) || id === undefined) return action;
      return loadAction({ field: id, offset: 0, bits: fields[id]!.bits }, bigOf(value), false);
    }
    default:
      return action;
  }
}

/** Instructions as actions; undefined where there are no actions for them. */
export function nxmActions(instructions: readonly Instruction[]): readonly Action[] | undefined {
  const actions: Action[] = [];
  for (const instruction of instructions) {
    switch (instruction.type) {
      case 'apply_actions':
        actions.push(...instruction.actions.map(nxmAction));
        break;
      case 'write_metadata': {
        const { metadata, metadataMask } = instruction;
        actions.push({ type: 'nx_write_metadata', metadata, metadataMask });
        break;
      }
      case 'goto_table': {
        const inPort = narrowPort(ReservedPort.inPort);
        actions.push({ type: 'nx_resubmit_table', inPort, tableId: instruction.tableId });
        break;
      }
      default:
        return undefined;
    }
  }
  return actions;
}
