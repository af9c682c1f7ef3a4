/**
 * The match fields that came after 1.3 (OpenFlow 1.4.1 §7.2.3.8, OpenFlow 1.5.1 §7.2.3.8), and which fields each version
 * has. Before 1.5 two of them are ONF's, of class 0xffff, with the same numbers (extensions 109 and 233).
 */
import { ONF } from '../errors/older.js';
import { OFPXMC, type Oxm13FieldName, type OxmFacts, oxmFields13 } from '../of13/oxm-fields.js';

const basic = { oxmClass: OFPXMC.OPENFLOW_BASIC } as const;

const pbbUca = {
  name: 'pbb_uca',
  oxmField: 41,
  bytes: 1,
  bits: 1,
  maskable: false,
  settable: true,
  kind: 'dec',
  requires: { field: 'eth_type', anyOf: [0x88e7] },
  ...basic,
} as const;

const tcpFlags = {
  name: 'tcp_flags',
  oxmField: 42,
  bytes: 2,
  bits: 12,
  maskable: true,
  settable: true,
  kind: 'hex',
  requires: { field: 'ip_proto', anyOf: [6] },
  ...basic,
} as const;

const actsetOutput = {
  name: 'actset_output',
  oxmField: 43,
  bytes: 4,
  bits: 32,
  maskable: false,
  settable: false,
  kind: 'port',
  ...basic,
} as const;

/** A namespace of 16 bits and a type in it (§7.2.3.11). */
export const packetType = {
  name: 'packet_type',
  oxmField: 44,
  bytes: 4,
  bits: 32,
  maskable: false,
  settable: false,
  kind: 'hex',
  ...basic,
} as const;

const newFields = [pbbUca, tcpFlags, actsetOutput, packetType] as const satisfies readonly OxmFacts[];

/** Name of a match field, such as `'eth_dst'`, of any version. */
export type OxmFieldName = Oxm13FieldName | (typeof newFields)[number]['name'];

/** The fields of all versions, in an order that puts every prerequisite before what needs it. */
export const allOxmFields = [...oxmFields13, ...newFields] as const;

const asOnf = (facts: OxmFacts): OxmFacts => ({ ...facts, oxmClass: OFPXMC.EXPERIMENTER, experimenter: ONF });
const onfFields = [tcpFlags, actsetOutput].map(asOnf);
/** OXM_OF_MPLS_TC, the last of 1.2. */
const lastOf12 = 35;

export const oxmFields12: readonly OxmFacts[] = oxmFields13.filter(({ oxmField }) => oxmField <= lastOf12);
export const oxmFieldsOnf13: readonly OxmFacts[] = [...oxmFields13, ...onfFields];
export const oxmFields14: readonly OxmFacts[] = [...oxmFields13, pbbUca, ...onfFields];
export const oxmFields15: readonly OxmFacts[] = allOxmFields;
