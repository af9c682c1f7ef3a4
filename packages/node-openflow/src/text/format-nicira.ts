/** Nicira's actions as ovs-ofctl prints them. */
import type {
  NatRange,
  NiciraAction,
  NxBundle,
  NxBundleLoad,
  NxController,
  NxController2,
  NxCt,
  NxEncap,
  NxNat,
  NxSample,
  NxSample2,
} from '../nicira/action-types.js';
import { NX_ACTION_SAMPLE, NX_CT_F, NX_CT_RECIRC_NONE, NX_NAT_F, OFPP10, PT } from '../nicira/constants.js';
import { OFPR } from '../of13/constants.js';
import type { Action } from '../types/action.js';
import type { OxmTlv } from '../types/oxm.js';
import { helperNames } from './actions-ct.js';
import { encapNames } from './actions-other.js';
import { bundleAlgorithms, hashFieldNames, multipathAlgorithms, packetInReasons } from './actions-output.js';
import { bytesToBigint, formatIpv4, formatIpv6 } from './addresses.js';
import { hexText } from './field-values.js';
import { learnText } from './format-learn.js';
import { type NamesOf, portText, tableText } from './numbers.js';
import { fieldsByWire } from './ovs-fields.js';
import { subfieldText } from './subfields.js';

const unknown = '<unknown>';
const dotted = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('.');
const padded = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
const given = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter((part) => part !== false && part !== undefined).join(',');
const whole = ({
  field,
  offset,
  bits,
}: {
  field: Parameters<typeof subfieldText>[0]['field'];
  offset: number;
  bits: number;
}): string => subfieldText({ field, offset }, bits);

const reasonNames = new Map(Object.entries(packetInReasons).map(([name, reason]) => [reason, name]));

function controllerText(action: NxController | NxController2): string {
  const second = action.type === 'nx_controller2' ? action : undefined;
  const { maxLen = 0xffff, controllerId = 0, reason = OFPR.ACTION } = action;
  const { userdata, pause, meterId } = second ?? {};
  const more = (userdata !== undefined && userdata.length > 0) || pause || (meterId ?? 0) !== 0;
  if (reason === OFPR.ACTION && controllerId === 0 && !more) return `CONTROLLER:${maxLen}`;
  const inside = given(
    reason !== OFPR.ACTION && `reason=${reasonNames.get(reason) ?? reason}`,
    maxLen !== 0xffff && `max_len=${maxLen}`,
    controllerId !== 0 && `id=${controllerId}`,
    userdata !== undefined && userdata.length > 0 && `userdata=${dotted(userdata)}`,
    pause && 'pause',
    (meterId ?? 0) !== 0 && `meter_id=${meterId}`,
  );
  return `controller(${inside})`;
}

function bundleText(action: NxBundle | NxBundleLoad, names: NamesOf): string {
  const { fields, basis, algorithm, members } = action;
  const target = action.type === 'nx_bundle_load' ? [whole(action.destination)] : [];
  const head = [
    hashFieldNames[fields] ?? unknown,
    basis,
    bundleAlgorithms[algorithm] ?? unknown,
    'ofport',
    ...target,
  ].join(',');
  const list = members.map((member) => portText(member, names)).join(',');
  return `${action.type.slice('nx_'.length)}(${head},members:${list})`;
}

function rangeText({ addressMin, addressMax, portMin, portMax }: NatRange): string {
  // Brackets tell the colons of an address from that of the ports.
  const address = (bytes: Uint8Array): string => {
    if (bytes.length === 4) return formatIpv4(bytes);
    return portMin === undefined ? formatIpv6(bytes) : `[${formatIpv6(bytes)}]`;
  };
  const isRange = addressMax !== undefined && bytesToBigint(addressMax) !== bytesToBigint(addressMin);
  const ports =
    portMin === undefined ? '' : `:${portMin}${portMax === undefined || portMax === portMin ? '' : `-${portMax}`}`;
  return `${address(addressMin)}${isRange ? `-${address(addressMax)}` : ''}${ports}`;
}

function natText({ flags, range }: NxNat): string {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (!has(NX_NAT_F.SRC | NX_NAT_F.DST)) return 'nat';
  const side = has(NX_NAT_F.SRC) ? 'src' : 'dst';
  if (range === undefined) return `nat(${side})`;
  const inside = given(
    `${side}=${rangeText(range)}`,
    has(NX_NAT_F.PERSISTENT) && 'persistent',
    has(NX_NAT_F.PROTO_HASH) && 'hash',
    has(NX_NAT_F.PROTO_RANDOM) && 'random',
  );
  return `nat(${inside})`;
}

type Formatter = (actions: readonly Action[], names: NamesOf) => string;

function ctText({ flags, zone, recircTable, alg, actions }: NxCt, names: NamesOf, format: Formatter): string {
  const [first, ...rest] = actions;
  const nat = first?.type === 'nx_nat' ? first : undefined;
  const exec = nat === undefined ? actions : rest;
  const inside = given(
    (flags & NX_CT_F.COMMIT) !== 0 && 'commit',
    (flags & NX_CT_F.FORCE) !== 0 && 'force',
    recircTable !== NX_CT_RECIRC_NONE && `table=${tableText(recircTable, names)}`,
    typeof zone !== 'number' ? `zone=${whole(zone)}` : zone !== 0 && `zone=${zone}`,
    nat !== undefined && natText(nat),
    exec.length > 0 && `exec(${format(exec, names)})`,
    alg !== 0 && `alg=${helperNames.get(alg) ?? alg}`,
  );
  return `ct(${inside})`;
}

function sampleText(action: NxSample | NxSample2, names: NamesOf): string {
  const { probability, collectorSetId, obsDomainId, obsPointId } = action;
  const { samplingPort = OFPP10.NONE, direction } = action.type === 'nx_sample' ? {} : action;
  const inside = given(
    `probability=${probability}`,
    `collector_set_id=${collectorSetId}`,
    `obs_domain_id=${obsDomainId}`,
    `obs_point_id=${obsPointId}`,
    samplingPort !== OFPP10.NONE && `sampling_port=${portText(samplingPort, names)}`,
    direction === NX_ACTION_SAMPLE.INGRESS && 'ingress',
    direction === NX_ACTION_SAMPLE.EGRESS && 'egress',
  );
  return `sample(${inside})`;
}

function encapText({ packetType, properties }: NxEncap): string {
  const parts = properties.map((property) => {
    if (property.type === 'nsh_md_type') return `md_type=${property.mdType}`;
    // Open vSwitch takes no others, and has no words for them.
    if (property.type === 'other') return `unknown(${property.propertyClass},${property.propertyType})`;
    return `tlv(${padded(property.tlvClass)},${property.tlvType},${hexText(bytesToBigint(property.data))})`;
  });
  return `encap(${encapNames.get(packetType) ?? 'UNKNOWN'}${parts.length === 0 ? '' : `(${parts.join(',')})`})`;
}

function decapText(packetType: number): string {
  if (packetType === PT.USE_NEXT_PROTO) return 'decap()';
  return `decap(packet_type(ns=${packetType >>> 16},type=${hexText(packetType & 0xffff)}))`;
}

function resubmitText(inPort: number, tableId: number, ct: boolean, names: NamesOf): string {
  const port = inPort === OFPP10.IN_PORT ? '' : portText(inPort, names);
  if (port !== '' && tableId === 0xff) return `resubmit:${port}`;
  return `resubmit(${port},${tableId === 0xff ? '' : tableText(tableId, names)}${ct ? ',ct' : ''})`;
}

/** `format` and `setField` are the formatters of all actions, which in turn use this one. */
export function niciraText(
  action: NiciraAction,
  names: NamesOf,
  format: Formatter,
  setField: (oxm: OxmTlv, names: NamesOf) => string,
): string {
  switch (action.type) {
    case 'nx_resubmit':
      return resubmitText(action.inPort, 0xff, false, names);
    case 'nx_resubmit_table':
    case 'nx_resubmit_table_ct':
      return resubmitText(action.inPort, action.tableId, action.type === 'nx_resubmit_table_ct', names);
    case 'nx_set_tunnel':
      return `set_tunnel:${hexText(action.tunnelId)}`;
    case 'nx_set_tunnel64':
      return `set_tunnel64:${hexText(action.tunnelId)}`;
    case 'nx_set_queue':
      return `set_queue:${action.queueId}`;
    case 'nx_group':
      return `group:${action.groupId}`;
    case 'nx_push_mpls':
    case 'nx_pop_mpls':
      return `${action.type.slice('nx_'.length)}:${padded(action.ethertype)}`;
    case 'nx_set_mpls_label':
    case 'nx_set_mpls_tc':
    case 'nx_set_mpls_ttl':
      return `${action.type.slice('nx_'.length)}(${action.value})`;
    case 'nx_reg_move':
      return `move:${subfieldText(action.source, action.bits)}->${subfieldText(action.destination, action.bits)}`;
    case 'nx_reg_load':
      return `load:${hexText(action.value)}->${whole(action.destination)}`;
    case 'nx_reg_load2':
      return setField(action.oxm, names);
    case 'nx_note':
      return `note:${dotted(action.note)}`;
    case 'nx_multipath':
      return `multipath(${[
        hashFieldNames[action.fields] ?? unknown,
        action.basis,
        multipathAlgorithms[action.algorithm] ?? unknown,
        action.maxLink + 1,
        action.argument,
        whole(action.destination),
      ].join(',')})`;
    case 'nx_bundle':
    case 'nx_bundle_load':
      return bundleText(action, names);
    case 'nx_output_reg':
    case 'nx_output_reg2':
      return `output:${whole(action.source)}`;
    case 'nx_output_trunc':
      return `output(port=${portText(action.port, names)},max_len=${action.maxLen})`;
    case 'nx_learn':
    case 'nx_learn2':
      return learnText(action, names);
    case 'nx_dec_ttl_cnt_ids':
      return `dec_ttl(${action.controllers.join(',')})`;
    case 'nx_fin_timeout':
      return `fin_timeout(${given(
        action.idleTimeout !== 0 && `idle_timeout=${action.idleTimeout}`,
        action.hardTimeout !== 0 && `hard_timeout=${action.hardTimeout}`,
      )})`;
    case 'nx_controller':
    case 'nx_controller2':
      return controllerText(action);
    case 'nx_write_metadata': {
      const full = action.metadataMask === 0xffff_ffff_ffff_ffffn;
      return `write_metadata:${hexText(action.metadata)}${full ? '' : `/${hexText(action.metadataMask)}`}`;
    }
    case 'nx_stack_push':
      return `push:${whole(action.subfield)}`;
    case 'nx_stack_pop':
      return `pop:${whole(action.subfield)}`;
    case 'nx_sample':
    case 'nx_sample2':
    case 'nx_sample3':
      return sampleText(action, names);
    case 'nx_conjunction':
      return `conjunction(${action.id},${action.clause + 1}/${action.clauses})`;
    case 'nx_ct':
      return ctText(action, names, format);
    case 'nx_nat':
      return natText(action);
    case 'nx_clone':
      return `clone(${format(action.actions, names)})`;
    case 'nx_encap':
      return encapText(action);
    case 'nx_decap':
      return decapText(action.packetType);
    case 'nx_check_pkt_larger':
      return `check_pkt_larger(${action.packetLength})->${subfieldText(action.destination, 1)}`;
    case 'nx_delete_field':
      return `delete_field:${fieldsByWire.get(action.field)?.name ?? action.field}`;
    case 'nx_dec_ttl':
      return 'dec_ttl';
    case 'nx_pop_queue':
    case 'nx_exit':
    case 'nx_ct_clear':
    case 'nx_dec_nsh_ttl':
    case 'nx_dec_mpls_ttl':
    case 'nx_debug_slow':
    case 'nx_debug_recirc':
      return action.type.slice('nx_'.length);
  }
}
