/** The remaining actions of Open vSwitch. */
import type { EncapProperty, NiciraAction } from '../nicira/action-types.js';
import { NX_ACTION_SAMPLE, OFPP10, PT } from '../nicira/constants.js';
import type { ActionParser, ActionParsers } from './action-context.js';
import { arrow, requireWritable } from './actions-fields.js';
import { learn } from './actions-learn.js';
import { hexBytes } from './actions-output.js';
import { TextFailure, unknownWord } from './error.js';
import { requireField, requirePacket } from './known.js';
import { port, u8, u16, u32 } from './numbers.js';
import { structureField } from './ovs-fields.js';
import { parseFieldName, parseSubfield, wireStart } from './subfields.js';
import { keyValues, lookUp, type Span, slice } from './tokens.js';

const plain =
  (type: 'nx_exit' | 'nx_ct_clear' | 'nx_debug_recirc' | 'nx_debug_slow'): ActionParser =>
  () => [{ type }];

const finTimeout: ActionParser = ({ key, value }, { known }) => {
  requirePacket(known, 'tcp', 'fin_timeout', key.at);
  let idleTimeout = 0;
  let hardTimeout = 0;
  for (const { key: name, value: one } of keyValues(value)) {
    if (name.text === 'idle_timeout') idleTimeout = u16(one, name.text);
    else if (name.text === 'hard_timeout') hardTimeout = u16(one, name.text);
    else throw unknownWord('word', name.text, name.at, ['idle_timeout', 'hard_timeout']);
  }
  return [{ type: 'nx_fin_timeout', idleTimeout, hardTimeout }];
};

const conjunction: ActionParser = ({ value }) => {
  const parts = /^\s*(0x[0-9a-f]+|\d+)\s*,\s*(\d+)\s*\/\s*(\d+)\s*$/i.exec(value.text);
  if (parts === null) throw new TextFailure('conjunction is written conjunction(id,k/n)', value.at);
  const id = u32({ text: parts[1]!, at: value.at }, 'id');
  const [clause, clauses] = [Number(parts[2]), Number(parts[3])];
  if (clauses < 2 || clauses > 64) throw new TextFailure(`a conjunction has 2 to 64 clauses, not ${clauses}`, value.at);
  if (clause < 1 || clause > clauses) throw new TextFailure(`there is no clause ${clause} of ${clauses}`, value.at);
  return [{ type: 'nx_conjunction', id, clause: clause - 1, clauses }];
};

const sampleWords = [
  'probability',
  'collector_set_id',
  'obs_domain_id',
  'obs_point_id',
  'sampling_port',
  'ingress',
  'egress',
];

const sample: ActionParser = ({ key, value }, { names }) => {
  const ids = { collectorSetId: 0, obsDomainId: 0, obsPointId: 0 };
  let probability = 0;
  let samplingPort: number = OFPP10.NONE;
  let direction: number = NX_ACTION_SAMPLE.DEFAULT;
  for (const { key: name, value: one } of keyValues(value)) {
    if (name.text === 'probability') probability = u16(one, name.text);
    else if (name.text === 'collector_set_id') ids.collectorSetId = u32(one, name.text);
    else if (name.text === 'obs_domain_id') ids.obsDomainId = u32(one, name.text);
    else if (name.text === 'obs_point_id') ids.obsPointId = u32(one, name.text);
    else if (name.text === 'sampling_port') samplingPort = port(one, names);
    else if (name.text === 'ingress') direction = NX_ACTION_SAMPLE.INGRESS;
    else if (name.text === 'egress') direction = NX_ACTION_SAMPLE.EGRESS;
    else throw unknownWord('word', name.text, name.at, sampleWords);
  }
  if (probability === 0) throw new TextFailure('sample needs a probability of 1 to 65535', key.at);
  if (direction !== NX_ACTION_SAMPLE.DEFAULT)
    return [{ type: 'nx_sample3', probability, ...ids, samplingPort, direction }];
  if (samplingPort !== OFPP10.NONE) return [{ type: 'nx_sample2', probability, ...ids, samplingPort }];
  return [{ type: 'nx_sample', probability, ...ids }];
};

const packetTypes: Readonly<Record<string, number>> = {
  ethernet: PT.ETHERNET,
  nsh: PT.NSH,
  mpls: PT.MPLS,
  mpls_mc: PT.MPLS_MC,
};
export const encapNames: ReadonlyMap<number, string> = new Map(
  Object.entries(packetTypes).map(([name, type]) => [type, name]),
);

function tlv(value: Span): EncapProperty {
  const parts = /^0x([0-9a-f]{1,4}),(\d+),0x([0-9a-f]+)$/i.exec(value.text);
  if (parts === null) throw new TextFailure('a TLV is written tlv(0xclass,type,0xvalue)', value.at);
  const digits = parts[3]!.length % 2 === 0 ? parts[3]! : parts[3]!.slice(0, -1);
  const data = hexBytes({ text: digits, at: value.at });
  if (digits !== parts[3]) throw new TextFailure('the value of a TLV has two digits a byte', value.at);
  return {
    type: 'nsh_tlv',
    tlvClass: Number.parseInt(parts[1]!, 16),
    tlvType: u8({ text: parts[2]!, at: value.at }, 'type'),
    data,
  };
}

function properties(text: Span): EncapProperty[] {
  const found: EncapProperty[] = [];
  for (const { key, value } of keyValues(text)) {
    if (key.text === 'md_type') {
      const mdType = u8(value, 'md_type');
      if (mdType < 1 || mdType > 2) throw new TextFailure('md_type is 1 or 2', value.at);
      found.push({ type: 'nsh_md_type', mdType });
    } else if (key.text === 'tlv') found.push(tlv(value));
    else throw unknownWord('property', key.text, key.at, ['md_type', 'tlv']);
  }
  return found;
}

const encap: ActionParser = ({ value, key }, { known }) => {
  const [header] = keyValues(value);
  if (header === undefined) throw new TextFailure('encap needs a header', key.at);
  const packetType = lookUp(packetTypes, header.key.text);
  if (packetType === undefined) throw unknownWord('header', header.key.text, header.key.at, Object.keys(packetTypes));
  const list = properties(header.value);
  if (list.length > 0 && packetType !== PT.NSH)
    throw new TextFailure(`${header.key.text} has no properties`, header.value.at);
  if (known !== undefined && packetType !== PT.ETHERNET) {
    known.ethertype = packetType & 0xffff;
    known.protocol = 0;
  }
  return [{ type: 'nx_encap', headerSize: 0, packetType, properties: list }];
};

function attribute(words: readonly { readonly key: Span; readonly value: Span }[], name: string, at: number): Span {
  const found = words.find(({ key }) => key.text === name);
  if (found === undefined) throw new TextFailure(`packet_type needs ${name}`, at);
  return found.value;
}

const nameSpaces = 5;

const decap: ActionParser = ({ value }) => {
  const [word] = keyValues(value);
  if (word === undefined) return [{ type: 'nx_decap', packetType: PT.USE_NEXT_PROTO }];
  if (word.key.text !== 'packet_type') throw unknownWord('word', word.key.text, word.key.at, ['packet_type']);
  const parts = [...keyValues(word.value)];
  const space = attribute(parts, 'ns', word.value.at);
  const ns = u16(space, 'ns');
  if (ns >= nameSpaces) throw new TextFailure(`there is no name space ${ns}`, space.at);
  return [{ type: 'nx_decap', packetType: ns * 0x10000 + u16(attribute(parts, 'type', word.value.at), 'type') }];
};

/** 'check_pkt_larger(1500)->reg0[0]'; the parenthesis belongs to the value. */
const checkPktLarger: ActionParser = ({ value }, { known }) => {
  const { source, target } = arrow(value);
  const found = parseSubfield(target);
  if (found.bits !== 1) throw new TextFailure('the destination is one bit', target.at);
  requireWritable(found.field, target.at);
  requireField(known, found.field, target.at);
  const length = source.text.endsWith(')') ? slice(source, 0, -1) : source;
  return [
    { type: 'nx_check_pkt_larger', packetLength: u16(length, 'length'), destination: wireStart(found, target.at) },
  ];
};

const deleteField: ActionParser = ({ value }) => {
  const field = parseFieldName(value);
  if (!field.name.startsWith('tun_metadata'))
    throw new TextFailure('only tun_metadata fields can be deleted', value.at);
  return [{ type: 'nx_delete_field', field: structureField(field)! }];
};

/** Padded as on the wire, so that what is read again is the same. */
const note: ActionParser = ({ value }) => {
  const bytes = hexBytes(value);
  const padded = new Uint8Array(bytes.length + ((6 - bytes.length) & 7));
  padded.set(bytes);
  return [{ type: 'nx_note', note: padded } satisfies NiciraAction];
};

export const otherActions: ActionParsers = {
  learn,
  note,
  exit: plain('nx_exit'),
  ct_clear: plain('nx_ct_clear'),
  debug_recirc: plain('nx_debug_recirc'),
  debug_slow: plain('nx_debug_slow'),
  clear_actions: () => ({ type: 'clear_actions' }),
  fin_timeout: finTimeout,
  conjunction,
  sample,
  encap,
  decap,
  check_pkt_larger: checkPktLarger,
  delete_field: deleteField,
};
