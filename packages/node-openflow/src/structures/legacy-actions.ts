/** The actions of 1.0 and 1.1 that later versions do not have (OpenFlow 1.0.2 §5.2.4, OpenFlow 1.1.0 §A.2.5). */
import { bytesOf, numberOf } from '../codec/legacy-match.js';
import { ports16 } from '../codec/port-numbers.js';
import { type Codec, type Table, tableOf } from '../codec/protocol.js';
import { OFPVID } from '../of13/constants.js';
import { OFPBAC, OFPET } from '../of13/errors.js';
import type {
  Action,
  EnqueueAction,
  OutputAction,
  SetFieldAction,
  SetTransportAction,
  SetVlanPcpAction,
  SetVlanVidAction,
} from '../types/action.js';
import type { OxmFieldName } from '../types/oxm.js';
import { EncodeError, WireError } from '../wire/error.js';
import { plain } from './actions.js';

/** An action that sets one field: `width` bytes of value, zeroes up to `size`. */
interface Setter {
  readonly code: number;
  readonly field: OxmFieldName;
  readonly width: number;
  readonly size: number;
  /** From the wire's number to the field's; undefined: not allowed. */
  readonly toField?: (value: number) => number | undefined;
  readonly fromField?: (value: number) => number;
  /** The field's bytes, where they are not the action's. */
  readonly fieldBytes?: number;
}

const upTo = (max: number) => (value: number) => (value <= max ? value : undefined);
const tos = {
  toField: (value: number) => ((value & 3) === 0 ? value >> 2 : undefined),
  fromField: (v: number) => v << 2,
};
const mac = { width: 6, size: 12 };
const byte = { width: 1, size: 4 };
const address = { width: 4, size: 4 };
const port = { width: 2, size: 4 };

export const setters10: readonly Setter[] = [
  { code: 4, field: 'eth_src', ...mac },
  { code: 5, field: 'eth_dst', ...mac },
  { code: 6, field: 'ipv4_src', ...address },
  { code: 7, field: 'ipv4_dst', ...address },
  { code: 8, field: 'ip_dscp', ...byte, ...tos },
];

const vid = {
  ...port,
  toField: (value: number) => (value <= 0x0fff ? value | OFPVID.PRESENT : undefined),
  fromField: (value: number) => value & 0x0fff,
};

export const setters11: readonly Setter[] = [
  { code: 1, field: 'vlan_vid', ...vid },
  { code: 2, field: 'vlan_pcp', ...byte, toField: upTo(7) },
  { code: 3, field: 'eth_src', ...mac },
  { code: 4, field: 'eth_dst', ...mac },
  { code: 5, field: 'ipv4_src', ...address },
  { code: 6, field: 'ipv4_dst', ...address },
  { code: 7, field: 'ip_dscp', ...byte, ...tos },
  { code: 8, field: 'ip_ecn', ...byte, toField: upTo(3) },
  { code: 13, field: 'mpls_label', ...address, toField: upTo(0xfffff) },
  { code: 14, field: 'mpls_tc', ...byte, toField: upTo(7) },
];

/** Fields that are set by an action which does not say which of them it is; see `SetTransportAction`. */
const transport: readonly Setter[] = [
  ...(['tcp_src', 'udp_src', 'sctp_src'] as const).map((field) => ({ code: 9, field, ...port })),
  ...(['tcp_dst', 'udp_dst', 'sctp_dst'] as const).map((field) => ({ code: 10, field, ...port })),
];
/** In 1.0, whose own actions also add a tag. */
export const vlanWriters10: readonly Setter[] = [
  { code: 1, field: 'vlan_vid', ...vid },
  { code: 2, field: 'vlan_pcp', ...byte },
];

function reader(setter: Setter): Codec<SetFieldAction> {
  const { code, field, width, size, toField } = setter;
  return {
    code,
    type: 'set_field',
    decode(r) {
      const bytes = r.bytes(width);
      r.skip(size - width);
      if (toField === undefined) return { type: 'set_field', oxm: { field, value: bytes } };
      const value = toField(numberOf(bytes));
      if (value === undefined) {
        throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, `${field} set to ${numberOf(bytes)}`);
      }
      return { type: 'set_field', oxm: { field, value: bytesOf(value, width) } };
    },
    encode: () => {},
  };
}

function writer(version: string, setters: readonly Setter[]): Codec<SetFieldAction> {
  const find = (action: SetFieldAction): Setter => {
    const { oxm } = action;
    const setter = setters.find(({ field }) => field === oxm.field);
    if (setter === undefined) throw new EncodeError(`${version} has no action that sets ${oxm.field}`);
    return setter;
  };
  return {
    code: -1,
    type: 'set_field',
    codeFor: (action) => find(action).code,
    decode: () => {
      throw new Error('unreachable: only written');
    },
    encode(w, action) {
      const { width, size, fromField, field } = find(action);
      const { oxm } = action;
      if (oxm.field === 'raw' || oxm.field === 'experimenter') return;
      if (oxm.mask !== undefined) throw new EncodeError(`${version} has no set_field of ${field} with a mask`);
      w.exactly(fromField === undefined ? oxm.value : bytesOf(fromField(numberOf(oxm.value)), width), width);
      w.zero(size - width);
    },
  };
}

/** A table with an action for each field that can be set, and one writer that picks among them. */
export function legacyActions(
  version: string,
  others: readonly Codec<Action>[],
  setters: readonly Setter[],
  writers: readonly Codec<Action>[] = [],
  alsoWritten: readonly Setter[] = [],
): Table<Codec<Action>> {
  const setField = writer(version, [...setters, ...transport, ...alsoWritten]);
  return tableOf<Codec<Action>>([...others, ...setters.map(reader)], [setField, ...writers]);
}

export const output10: Codec<OutputAction> = {
  code: 0,
  type: 'output',
  decode: (r) => ({ type: 'output', port: ports16.decode(r), maxLen: r.u16() }),
  encode(w, action) {
    ports16.encode(w, action.port);
    w.u16(action.maxLen);
  },
};

export const enqueue: Codec<EnqueueAction> = {
  code: 11,
  type: 'enqueue',
  decode(r) {
    const number = ports16.decode(r);
    r.skip(6);
    return { type: 'enqueue', port: number, queueId: r.u32() };
  },
  encode(w, action) {
    ports16.encode(w, action.port);
    w.zero(6);
    w.u32(action.queueId);
  },
};

function refuseAbove(max: number, value: number, what: string): number {
  if (value > max) throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, `${what} ${value}`);
  return value;
}

/** 1.0's and 1.1's have the same layout and code. */
export const setVlanVid: Codec<SetVlanVidAction> = {
  code: 1,
  type: 'set_vlan_vid',
  decode(r) {
    const value = r.u16();
    r.skip(2);
    return { type: 'set_vlan_vid', vlanVid: refuseAbove(0x0fff, value, 'VLAN id') };
  },
  encode(w, action) {
    w.u16(action.vlanVid);
    w.zero(2);
  },
};

export const setVlanPcp: Codec<SetVlanPcpAction> = {
  code: 2,
  type: 'set_vlan_pcp',
  decode(r) {
    const value = r.u8();
    r.skip(3);
    return { type: 'set_vlan_pcp', vlanPcp: refuseAbove(7, value, 'VLAN priority') };
  },
  encode(w, action) {
    w.u8(action.vlanPcp);
    w.zero(3);
  },
};

function setTransport(code: number, type: SetTransportAction['type']): Codec<SetTransportAction> {
  return {
    code,
    type,
    decode(r) {
      const number = r.u16();
      r.skip(2);
      return { type, port: number };
    },
    encode(w, action) {
      w.u16(action.port);
      w.zero(2);
    },
  };
}

export const setTpSrc = setTransport(9, 'set_tp_src');
export const setTpDst = setTransport(10, 'set_tp_dst');

/** 1.0's strip_vlan is pop_vlan in all but name. */
export const stripVlan = plain(3, 'pop_vlan');
