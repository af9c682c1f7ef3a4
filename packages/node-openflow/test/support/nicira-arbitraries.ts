/** Random values of Nicira's actions, all of them legal on the wire. */
import fc from 'fast-check';
import {
  type Action,
  type LearnSpec,
  type NiciraAction,
  type NxLearn2,
  nicira,
  type OxmFieldName,
  type Subfield,
} from '../../src/index.js';
import { bytes, data, u8, u16, u32, u64 } from './arbitraries.js';

const writable: readonly OxmFieldName[] = [
  'reg0',
  'reg15',
  'xreg3',
  'xxreg1',
  'nxm_of_eth_dst',
  'metadata',
  'pkt_mark',
];
const readable: readonly OxmFieldName[] = [...writable, 'nxm_of_in_port', 'ct_zone', 'nxm_nx_tun_id', 'recirc_id'];
const bitsOf: Readonly<Record<string, number>> = {
  reg0: 32,
  reg15: 32,
  xreg3: 64,
  xxreg1: 128,
  nxm_of_eth_dst: 48,
  metadata: 64,
  pkt_mark: 32,
  nxm_of_in_port: 16,
  ct_zone: 16,
  nxm_nx_tun_id: 64,
  recirc_id: 32,
};

/** Bits of one of `fields`, `least` to 64 of them. */
function subfield(fields: readonly OxmFieldName[], least = 1): fc.Arbitrary<Subfield> {
  return fc.constantFrom(...fields.filter((field) => bitsOf[field]! >= least)).chain((field) => {
    const width = bitsOf[field]!;
    return fc.integer({ min: least, max: Math.min(64, width) }).chain((bits) =>
      fc.record({
        field: fc.constant(field),
        offset: fc.integer({ min: 0, max: width - bits }),
        bits: fc.constant(bits),
      }),
    );
  });
}

const type = <const T extends string>(name: T) => fc.constant(name);
const withBits = (bits: number) => subfield(readable, bits).map(({ field, offset }) => ({ field, offset }));
const intoBits = (bits: number) => subfield(writable, bits).map(({ field, offset }) => ({ field, offset }));

const spec: fc.Arbitrary<LearnSpec> = fc.integer({ min: 1, max: 64 }).chain((bits) => {
  const value = fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }).map((number) => {
    const digits = number.toString(16).padStart(2 * Math.ceil(bits / 8), '0');
    return new Uint8Array(Buffer.from(digits, 'hex'));
  });
  const source = fc.oneof(value, withBits(bits));
  return fc.oneof(
    fc.record({ type: type('match'), bits: fc.constant(bits), source, destination: withBits(bits) }),
    fc.record({ type: type('load'), bits: fc.constant(bits), source, destination: intoBits(bits) }),
    fc.record({ type: type('output'), bits: fc.constant(bits), source: withBits(bits) }),
  );
});

const learnHead = {
  idleTimeout: u16,
  hardTimeout: u16,
  priority: u16,
  cookie: u64,
  flags: fc.integer({ min: 0, max: 3 }),
  tableId: fc.integer({ min: 0, max: 254 }),
  finIdleTimeout: u16,
  finHardTimeout: u16,
  specs: fc.array(spec, { maxLength: 4 }),
};

const learn2 = fc.oneof(
  fc.record({ type: type('nx_learn2'), ...learnHead, limit: u32 }),
  fc
    .record({ type: type('nx_learn2'), ...learnHead, limit: u32, result: intoBits(1) })
    .map((action): NxLearn2 => ({ ...action, flags: action.flags | nicira.NX_LEARN_F.WRITE_RESULT })),
);

const ordered = (width: number) =>
  fc.tuple(bytes(width), bytes(width)).map(([a, b]) => {
    const [min, max] = Buffer.compare(a, b) <= 0 ? [a, b] : [b, a];
    return {
      addressMin: min.map((byte, i) => (i === 0 ? byte | 1 : byte)),
      addressMax: max.map((byte, i) => (i === 0 ? byte | 1 : byte)),
    };
  });
const ports = fc.oneof(
  fc.constant({}),
  fc.integer({ min: 1, max: 1000 }).map((portMin) => ({ portMin })),
  fc.integer({ min: 1, max: 1000 }).map((portMin) => ({ portMin, portMax: portMin + 7 })),
);
const range = fc
  .oneof(ordered(4), ordered(16))
  .filter(({ addressMin, addressMax }) => Buffer.compare(addressMin, addressMax) <= 0);
const nat = fc.oneof(
  fc.record({ type: type('nx_nat'), flags: fc.constantFrom(0, 1, 2, 5, 9, 18) }),
  fc.record({
    type: type('nx_nat'),
    flags: fc.constantFrom(1, 2, 5, 9, 18),
    range: fc.tuple(range, ports).map(([addresses, some]) => ({ ...addresses, ...some })),
  }),
);

const sample = {
  probability: fc.integer({ min: 1, max: 0xffff }),
  collectorSetId: u32,
  obsDomainId: u32,
  obsPointId: u32,
};

const encapProperty = fc.oneof(
  fc.record({ type: type('nsh_md_type'), mdType: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ type: type('nsh_tlv'), tlvClass: u16, tlvType: u8, data: data(60) }),
);

const oneBit = fc.record({ field: fc.constantFrom(...writable), offset: fc.integer({ min: 0, max: 31 }) });
const members = fc.array(fc.integer({ min: 1, max: 0xfeff }), { maxLength: 6 });
const balance = {
  algorithm: fc.integer({ min: 0, max: 1 }),
  fields: fc.integer({ min: 0, max: 6 }),
  basis: u16,
  members,
};

const leaf: fc.Arbitrary<NiciraAction> = fc.oneof(
  fc.record({ type: type('nx_resubmit'), inPort: u16 }),
  fc.record({
    type: fc.constantFrom('nx_resubmit_table' as const, 'nx_resubmit_table_ct' as const),
    inPort: u16,
    tableId: u8,
  }),
  fc.record({ type: type('nx_set_tunnel'), tunnelId: u32 }),
  fc.record({ type: type('nx_set_tunnel64'), tunnelId: u64 }),
  fc.record({
    type: fc.constantFrom(
      'nx_pop_queue' as const,
      'nx_exit' as const,
      'nx_ct_clear' as const,
      'nx_dec_nsh_ttl' as const,
      'nx_debug_slow' as const,
      'nx_debug_recirc' as const,
    ),
  }),
  fc.integer({ min: 1, max: 64 }).chain((bits) =>
    fc.record({
      type: fc.constantFrom('nx_reg_move' as const, 'onf_copy_field' as const),
      bits: fc.constant(bits),
      source: withBits(bits),
      destination: intoBits(bits),
    }),
  ),
  subfield(writable).chain((destination) =>
    fc.record({
      type: type('nx_reg_load'),
      destination: fc.constant(destination),
      value: fc.bigInt({ min: 0n, max: (1n << BigInt(destination.bits)) - 1n }),
    }),
  ),
  fc.record({
    type: type('nx_reg_load2'),
    oxm: bytes(4).chain((mask) =>
      bytes(4).map((value) => ({ field: 'reg4' as const, value: value.map((byte, i) => byte & mask[i]!), mask })),
    ),
  }),
  fc.integer({ min: 0, max: 3 }).chain((n) => fc.record({ type: type('nx_note'), note: bytes(6 + 8 * n) })),
  fc.record({
    type: type('nx_multipath'),
    fields: fc.integer({ min: 0, max: 6 }),
    basis: u16,
    algorithm: fc.integer({ min: 0, max: 3 }),
    maxLink: u16,
    argument: u32,
    destination: subfield(writable, 16),
  }),
  fc.record({ type: type('nx_bundle'), ...balance }),
  fc.record({ type: type('nx_bundle_load'), ...balance, destination: subfield(writable, 16) }),
  fc.record({
    type: fc.constantFrom('nx_output_reg' as const, 'nx_output_reg2' as const),
    source: subfield(readable),
    maxLen: u16,
  }),
  fc.record({ type: type('nx_output_trunc'), port: u16, maxLen: fc.integer({ min: 14, max: 0xffff }) }),
  fc.record({ type: type('nx_learn'), ...learnHead }),
  learn2,
  fc.record({ type: type('nx_dec_ttl_cnt_ids'), controllers: fc.array(u16, { minLength: 1, maxLength: 5 }) }),
  fc.record({ type: type('nx_fin_timeout'), idleTimeout: u16, hardTimeout: u16 }),
  fc.record({ type: type('nx_controller'), maxLen: u16, controllerId: u16, reason: u8 }),
  fc.record(
    {
      type: type('nx_controller2'),
      maxLen: u16,
      controllerId: u16,
      reason: u8,
      userdata: data(12),
      pause: fc.constant(true as const),
      meterId: u32,
    },
    { requiredKeys: ['type'] },
  ),
  fc.record({ type: type('nx_write_metadata'), metadata: u64, metadataMask: u64 }),
  fc.record({ type: type('nx_stack_push'), subfield: subfield(readable) }),
  fc.record({ type: type('nx_stack_pop'), subfield: subfield(writable) }),
  fc.record({ type: type('nx_sample'), ...sample }),
  fc.record({ type: type('nx_sample2'), ...sample, samplingPort: u16 }),
  fc.record({ type: type('nx_sample3'), ...sample, samplingPort: u16, direction: fc.integer({ min: 0, max: 2 }) }),
  fc.integer({ min: 2, max: 64 }).chain((clauses) =>
    fc.record({
      type: type('nx_conjunction'),
      id: u32,
      clause: fc.integer({ min: 0, max: clauses - 1 }),
      clauses: fc.constant(clauses),
    }),
  ),
  fc.record({
    type: type('nx_encap'),
    headerSize: u16,
    packetType: fc.constantFrom(...Object.values(nicira.PT).filter((pt) => pt !== nicira.PT.USE_NEXT_PROTO)),
    properties: fc.array(encapProperty, { maxLength: 3 }),
  }),
  fc.record({ type: type('nx_decap'), packetType: u32 }),
  fc.record({ type: type('nx_check_pkt_larger'), packetLength: u16, destination: oneBit }),
  fc.record({
    type: type('nx_delete_field'),
    field: fc.constantFrom('tun_metadata0' as const, 'tun_metadata63' as const),
  }),
);

const nested = fc.array(leaf as fc.Arbitrary<Action>, { maxLength: 3 });
const zone = fc.oneof(u16, fc.constant({ field: 'reg0' as const, offset: 3, bits: 16 }));

export const niciraAction: fc.Arbitrary<NiciraAction> = fc.oneof(
  { weight: 20, arbitrary: leaf },
  { weight: 2, arbitrary: nat },
  {
    weight: 2,
    arbitrary: fc.record({
      type: type('nx_ct'),
      flags: fc.constantFrom(0, 1, 3),
      zone,
      recircTable: u8,
      alg: u16,
      actions: nested,
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: type('nx_clone'), actions: nested }) },
);
