/** Random parts of messages that a version can express, in the form its decoding gives. */
import fc from 'fast-check';
import {
  type Action,
  type Bucket,
  match as buildMatch,
  type Instruction,
  type Match,
  type MatchSpec,
  type OxmTlv,
  type OxsStats,
  type OxsTlv,
  of12,
  of13,
  of14,
  of15,
  type PacketQueue,
  type PortDesc,
  type PortDescProperty,
} from '../../src/index.js';
import type { OxmFacts } from '../../src/of13/oxm-fields.js';
import { alignedData, band, bytes, data, knownOxm, name, u8, u16, u32, u64 } from './arbitraries.js';

export const is = <const T>(value: T) => fc.constant(value);
export const few = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });
/** The property is there only when the list is not empty. */
export const optionalList = <P>(item: fc.Arbitrary<P>) =>
  few(item).map((properties) => (properties.length === 0 ? {} : { properties }));
/** The same of a request, in which each type stands once. */
export const optionalOnce = <P extends { readonly type: string }>(item: fc.Arbitrary<P>) =>
  fc
    .uniqueArray(item, { maxLength: 3, comparator: (a, b) => a.type === b.type && a.type !== 'experimenter' })
    .map((properties) => (properties.length === 0 ? {} : { properties }));
export const merge = <A, B>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>): fc.Arbitrary<A & B> =>
  fc.tuple(a, b).map(([x, y]) => ({ ...x, ...y }));

export const ONF = 0x4f4e4600;
const port16 = fc.oneof(fc.nat(0xfeff), fc.integer({ min: 0xffffff00, max: 0xffffffff }));
export const portNo = (version: number) => (version === 1 ? port16 : u32);

// ---- fields

const ip = (a: number) =>
  fc.tuple(u8, u8, u8, u8, fc.integer({ min: 1, max: a })).map((b) => `${b.slice(0, 4).join('.')}/${b[4]}`);
const bits = (count: number) => fc.nat(2 ** count - 1);
const mac = bytes(6);

/** What a fixed match can say: prerequisites are there, masks are prefixes. */
function legacyMatch(version: 1 | 2): fc.Arbitrary<Match> {
  const maybe = <T>(item: fc.Arbitrary<T>) => fc.option(item, { nil: undefined });
  const maskedMac =
    version === 1
      ? mac
      : fc.oneof(
          mac,
          fc.tuple(mac, bytes(6)).map(([value, mask]) => ({ value, mask })),
        );
  const base = {
    in_port: maybe(portNo(version)),
    eth_dst: maybe(maskedMac),
    eth_src: maybe(maskedMac),
    ...(version === 2 ? { metadata: maybe(u64) } : {}),
  };
  const vlan = fc.oneof(
    is({}),
    is({ vlan_vid: 0 }),
    bits(12).map((vid) => ({ vlan_vid: 0x1000 | vid })),
    fc.tuple(bits(12), bits(3)).map(([vid, vlan_pcp]) => ({ vlan_vid: 0x1000 | vid, vlan_pcp })),
    bits(3).map((vlan_pcp) => ({ vlan_vid: '0x1000/0x1000', vlan_pcp })),
    ...(version === 2 ? [is({ vlan_vid: '0x1000/0x1000' })] : []),
  );
  const transport = fc.oneof(
    is({}),
    u8.filter((proto) => ![1, 6, 17, 132].includes(proto)).map((ip_proto) => ({ ip_proto })),
    fc.record({ ip_proto: is(6), tcp_src: maybe(u16), tcp_dst: maybe(u16) }),
    fc.record({ ip_proto: is(17), udp_src: maybe(u16), udp_dst: maybe(u16) }),
    fc.record({ ip_proto: is(132), sctp_src: maybe(u16), sctp_dst: maybe(u16) }),
    fc.record({ ip_proto: is(1), icmpv4_type: maybe(u8), icmpv4_code: maybe(u8) }),
  );
  const ipv4 = merge(
    fc.record({ eth_type: is(0x0800), ip_dscp: maybe(bits(6)), ipv4_src: maybe(ip(32)), ipv4_dst: maybe(ip(32)) }),
    transport,
  );
  const arp = fc.record({ eth_type: is(0x0806), arp_op: maybe(u8), arp_spa: maybe(ip(32)), arp_tpa: maybe(ip(32)) });
  const mpls = fc.record({
    eth_type: fc.constantFrom(0x8847, 0x8848),
    mpls_label: maybe(bits(20)),
    mpls_tc: maybe(bits(3)),
  });
  const above = fc.oneof(
    is({}),
    u16.filter((type) => type < 0x0800).map((eth_type) => ({ eth_type })),
    ipv4,
    arp,
    ...(version === 2 ? [mpls] : []),
  );
  return fc.tuple(fc.record(base), vlan, above).map(([a, b, c]) => {
    const given = Object.entries({ ...a, ...b, ...c }).filter(([, value]) => value !== undefined);
    const built = buildMatch(Object.fromEntries(given) as MatchSpec);
    return built.filter((tlv) => !('mask' in tlv) || tlv.mask?.some((byte) => byte !== 0) === true);
  });
}

const fieldsOf: Readonly<Record<number, readonly OxmFacts[]>> = {
  3: of12.oxmFields,
  4: of13.oxmFields,
  5: of14.oxmFields,
  6: of15.oxmFields,
};
type Facts = Parameters<typeof knownOxm>[0];
const known = (facts: OxmFacts, maskable = facts.maskable) => knownOxm(facts as Facts, maskable);

const foreign: fc.Arbitrary<OxmTlv> = fc.oneof(
  fc.record({
    field: is('experimenter'),
    experimenter: u32.filter((id) => id !== ONF),
    oxmField: fc.nat(127),
    hasMask: fc.boolean(),
    data: data(20),
  }),
  fc.record({
    field: is('raw'),
    oxmClass: fc.constantFrom(2, 3, 0x8002),
    oxmField: fc.nat(127),
    hasMask: fc.boolean(),
    data: data(20),
  }),
);
const identity = (tlv: OxmTlv): string => JSON.stringify({ ...tlv, value: 0, mask: 0, data: 0, hasMask: 0 });

export function matchOf(version: number): fc.Arbitrary<Match> {
  if (version <= 2) return legacyMatch(version as 1 | 2);
  const field = fc.constantFrom(...fieldsOf[version]!).chain((facts) => known(facts));
  return fc.uniqueArray(fc.oneof({ weight: 8, arbitrary: field }, { weight: 1, arbitrary: foreign }), {
    selector: identity,
    maxLength: 6,
  });
}

// ---- actions

const output = (version: number) => fc.record({ type: is('output'), port: portNo(version), maxLen: u16 });
const setField = (version: number) => {
  const settable = fieldsOf[version]!.filter((facts) => facts.settable);
  const field = fc.constantFrom(...settable).chain((facts) => known(facts, version >= 6 && facts.maskable));
  return fc.record({
    type: is('set_field'),
    oxm: fc.oneof({ weight: 8, arbitrary: field }, { weight: 1, arbitrary: foreign }),
  });
};
const set = (spec: fc.Arbitrary<MatchSpec>) =>
  spec.map((value) => ({ type: 'set_field' as const, oxm: buildMatch(value)[0]! }));
const setLegacy = fc.oneof(
  set(fc.record({ eth_src: mac })),
  set(fc.record({ eth_dst: mac })),
  set(fc.record({ ipv4_src: bytes(4) })),
  set(fc.record({ ipv4_dst: bytes(4) })),
  set(fc.record({ ip_dscp: bits(6) })),
);
const vendor = fc.record({
  type: is('experimenter'),
  experimenter: u32.filter((id) => id !== ONF),
  data: alignedData(8),
});
const transport = fc.record({ type: fc.constantFrom('set_tp_src' as const, 'set_tp_dst' as const), port: u16 });

const shared = (version: number) => [
  output(version),
  fc.record({ type: is('group'), groupId: u32 }),
  fc.record({ type: is('set_queue'), queueId: u32 }),
  fc.record({ type: fc.constantFrom('set_mpls_ttl' as const, 'set_nw_ttl' as const), ttl: u8 }),
  fc.record({
    type: fc.constantFrom(
      'copy_ttl_out',
      'copy_ttl_in',
      'dec_mpls_ttl',
      'dec_nw_ttl',
      'pop_vlan',
    ) as fc.Arbitrary<'pop_vlan'>,
  }),
  fc.record({ type: fc.constantFrom('push_vlan' as const, 'push_mpls' as const, 'pop_mpls' as const), ethertype: u16 }),
  vendor,
];
export const oxmIdOf = (version: number) =>
  fc.oneof(
    fc.record({
      field: fc.constantFrom(...fieldsOf[version]!.map((facts) => facts.name as 'in_port')),
      hasMask: fc.boolean(),
    }),
    fc.record({
      field: is('raw'),
      oxmClass: fc.constantFrom(2, 3),
      oxmField: fc.nat(127),
      hasMask: fc.boolean(),
      length: u8,
    }),
  );
const copyField = (version: number) =>
  fc.record({
    type: is('copy_field'),
    nBits: u16,
    srcOffset: u16,
    dstOffset: u16,
    src: oxmIdOf(version),
    dst: oxmIdOf(version),
  });
const pbb = [fc.record({ type: is('push_pbb'), ethertype: u16 }), fc.record({ type: is('pop_pbb') })];

export function actionOf(version: number): fc.Arbitrary<Action> {
  switch (version) {
    case 1:
      return fc.oneof(
        output(1),
        fc.record({ type: is('set_vlan_vid'), vlanVid: bits(12) }),
        fc.record({ type: is('set_vlan_pcp'), vlanPcp: bits(3) }),
        fc.record({ type: is('pop_vlan') }),
        fc.record({ type: is('enqueue'), port: port16, queueId: u32 }),
        setLegacy,
        transport,
        vendor,
      );
    case 2:
      return fc.oneof(
        ...shared(2),
        setLegacy,
        transport,
        set(bits(12).map((vid) => ({ vlan_vid: 0x1000 | vid }))),
        set(fc.record({ vlan_pcp: bits(3) })),
        set(fc.record({ ip_ecn: bits(2) })),
        set(fc.record({ mpls_label: bits(20) })),
        set(fc.record({ mpls_tc: bits(3) })),
      );
    case 3:
      return fc.oneof(...shared(3), setField(3));
    default: {
      const all = [...shared(version), setField(version), ...pbb, copyField(version)];
      return version < 6 ? fc.oneof(...all) : fc.oneof(...all, fc.record({ type: is('meter'), meterId: u32 }));
    }
  }
}
export const actionsOf = (version: number) => fc.array(actionOf(version), { maxLength: 4 });

// ---- instructions

export const stats: fc.Arbitrary<OxsTlv> = fc.oneof(
  fc.record({ field: is('idle_time'), sec: u32, nsec: u32 }),
  fc.record({ field: is('flow_count'), count: u32 }),
  fc.record({ field: is('experimenter'), experimenter: u32, oxsField: fc.nat(127), data: data(20) }),
  fc.record({ field: is('raw'), oxsClass: fc.constantFrom(1, 0x8001), oxsField: fc.nat(127), data: data(20) }),
);
const anyStats: fc.Arbitrary<OxsStats> = few(
  fc.oneof(
    stats,
    fc.record({ field: is('duration'), sec: u32, nsec: u32 }),
    fc.record({ field: is('packet_count'), count: u64 }),
    fc.record({ field: is('byte_count'), count: u64 }),
  ),
);

export function instructionOf(version: number): fc.Arbitrary<Instruction> {
  const actions = actionsOf(version);
  // What ports a protocol has is decided by the flow's match; here it is left open.
  const unresolved = actions.map((list) => list.filter((action) => !action.type.startsWith('set_tp')));
  const withActions = fc.record({
    type: fc.constantFrom('write_actions' as const, 'apply_actions' as const),
    actions: version === 2 ? unresolved : actions,
  });
  const all: fc.Arbitrary<Instruction>[] = [
    fc.record({ type: is('goto_table'), tableId: u8 }),
    fc.record({ type: is('write_metadata'), metadata: u64, metadataMask: u64 }),
    withActions,
    fc.record({ type: is('clear_actions') }),
    fc.record({ type: is('experimenter'), experimenter: u32, data: alignedData(8) }),
  ];
  if (version === 4 || version === 5) all.push(fc.record({ type: is('meter'), meterId: u32 }));
  if (version === 6) all.push(fc.record({ type: is('stat_trigger'), flags: u32, thresholds: anyStats }));
  return fc.oneof(...all);
}

export function instructionsOf(version: number): fc.Arbitrary<readonly Instruction[]> {
  if (version > 1) return fc.array(instructionOf(version), { maxLength: 4 });
  return actionsOf(1).map((list) => {
    const actions = list.filter((action) => !action.type.startsWith('set_tp'));
    return actions.length === 0 ? [] : [{ type: 'apply_actions', actions }];
  });
}

// ---- structures

export const vendorProperty = fc.record({ type: is('experimenter'), experimenter: u32, expType: u32, data: data(20) });

const opticalPort = fc.record({
  type: is('optical'),
  ...{ supported: u32, txMinFreqLmda: u32, txMaxFreqLmda: u32, txGridFreqLmda: u32 },
  ...{ rxMinFreqLmda: u32, rxMaxFreqLmda: u32, rxGridFreqLmda: u32, txPwrMin: u16, txPwrMax: u16 },
});
const features10 = u32.map((value) => (value & 0xf87f) >>> 0);

export function portOf(version: number): fc.Arbitrary<PortDesc> {
  const base = { portNo: portNo(version), hwAddr: bytes(6), name: name(15), config: u32 };
  if (version === 1) {
    const four = { curr: features10, advertised: features10, supported: features10, peer: features10 };
    const state = u32.map((value) => (value & 0x301) >>> 0);
    return fc.record({ ...base, ...four, state, currSpeed: is(0), maxSpeed: is(0) });
  }
  const speeds = { curr: u32, advertised: u32, supported: u32, peer: u32, currSpeed: u32, maxSpeed: u32 };
  const fixed = fc.record({ ...base, ...speeds, state: u32 });
  if (version < 5) return fixed;
  const properties: fc.Arbitrary<PortDescProperty>[] = [opticalPort, vendorProperty];
  if (version === 6) {
    properties.push(
      fc.record({ type: fc.constantFrom('pipeline_input' as const, 'pipeline_output' as const), ids: few(oxmIdOf(6)) }),
      fc.record({ type: is('recirculate'), portNos: few(u32) }),
    );
  }
  return merge(fixed, optionalList(fc.oneof(...properties)));
}

export function bucketOf(version: number): fc.Arbitrary<Bucket> {
  const base = fc.record({ weight: u16, watchPort: u32, watchGroup: u32, actions: actionsOf(version) });
  return version < 6
    ? base
    : fc.tuple(base, u32, optionalList(vendorProperty)).map(([a, bucketId, p]) => ({ ...a, bucketId, ...p }));
}

export function queueOf(version: number, port: fc.Arbitrary<number> = u32): fc.Arbitrary<PacketQueue> {
  const rate = version <= 2 ? is('min_rate' as const) : fc.constantFrom('min_rate' as const, 'max_rate' as const);
  const rates = fc.record({ type: rate, rate: u16 });
  const old = fc.record({ type: is('experimenter'), experimenter: u32, data: alignedData(16) });
  const property = version <= 2 ? rates : version < 5 ? fc.oneof(rates, old) : fc.oneof(rates, vendorProperty);
  return fc.record({ queueId: u32, port, properties: few(property) });
}

export const bands = few(band);
