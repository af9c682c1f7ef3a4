/** Random matches, and actions and instructions that make sense on what they match. */
import fc from 'fast-check';
import { type Action, type Instruction, type Match, type MatchSpec, match, of13, oxm } from '../../src/index.js';
import { bytes, u8, u16, u32, u64 } from './arbitraries.js';

export const is = <const T>(type: T) => fc.constant(type);
const { OFPP } = of13;

const ipv4 = fc
  .tuple(bytes(4), fc.oneof(fc.integer({ min: 1, max: 32 }), bytes(4)))
  .map(([ip, mask]) => (typeof mask === 'number' ? `${ip.join('.')}/${mask}` : `${ip.join('.')}/${mask.join('.')}`));
const mac = fc.tuple(bytes(6), fc.option(bytes(6))).map(([value, mask]) => (mask === null ? value : { value, mask }));
const ipv6 = fc
  .tuple(bytes(16), fc.oneof(fc.integer({ min: 1, max: 128 }).map(String), bytes(16)))
  .map(([value, mask]) => ({ value, mask }));
export const number = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const masked64 = fc.tuple(u64, fc.option(u64)).map(([value, mask]) => (mask === null ? value : { value, mask }));
export const opt = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

type Fields = { readonly [K in keyof MatchSpec]?: fc.Arbitrary<NonNullable<MatchSpec[K]> | undefined> };

const everywhere: Fields = {
  in_port: opt(fc.oneof(fc.integer({ min: 1, max: 0xfeff }), is(OFPP.LOCAL), is(OFPP.CONTROLLER))),
  metadata: opt(masked64),
  tunnel_id: opt(masked64),
  eth_dst: opt(mac),
  eth_src: opt(mac),
};
const vlan: Fields = {
  vlan_vid: opt(
    fc.oneof(
      number(12).map((vid) => vid | 0x1000),
      is(0),
      is('0x1000/0x1000'),
      fc.tuple(number(12), number(12)).map(([vid, mask]) => ({ value: vid | 0x1000, mask: mask | 0x1000 })),
    ),
  ),
};
const tagged: Fields = {
  vlan_vid: fc.oneof(
    number(12).map((vid) => vid | 0x1000),
    is('0x1000/0x1000'),
  ),
  vlan_pcp: opt(number(3)),
};
const ip: Fields = { ip_dscp: opt(number(6)), ip_ecn: opt(number(2)) };
const ip4: Fields = { eth_type: is(0x0800), ...ip, ipv4_src: opt(ipv4), ipv4_dst: opt(ipv4) };
const ip6: Fields = {
  eth_type: is(0x86dd),
  ...ip,
  ipv6_src: opt(ipv6),
  ipv6_dst: opt(ipv6),
  ipv6_flabel: opt(
    fc.oneof(
      number(20),
      fc.tuple(number(20), number(20)).map(([value, mask]) => ({ value, mask })),
    ),
  ),
};
const family = (type: string, protocol: number): Fields => ({
  ip_proto: is(protocol),
  [`${type}_src`]: opt(u16),
  [`${type}_dst`]: opt(u16),
});

/** What a packet can be, and what may be set in it. */
const kinds: readonly { readonly fields: Fields; readonly settable: readonly string[] }[] = [
  { fields: { eth_type: opt(fc.constantFrom(0x88cc, 0x8035, 0x1234, 0x86de)) }, settable: ['eth_dst', 'eth_src'] },
  { fields: { ...ip4, ip_proto: opt(fc.constantFrom(2, 47, 58, 200)) }, settable: ['ipv4_src', 'ipv4_dst', 'ip_dscp'] },
  { fields: { ...ip4, ...family('tcp', 6) }, settable: ['tcp_src', 'tcp_dst', 'ip_ecn'] },
  { fields: { ...ip4, ...family('udp', 17) }, settable: ['udp_src', 'udp_dst'] },
  { fields: { ...ip4, ...family('sctp', 132) }, settable: ['sctp_src', 'sctp_dst'] },
  {
    fields: { ...ip4, ip_proto: is(1), icmpv4_type: opt(u8), icmpv4_code: opt(u8) },
    settable: ['icmpv4_type', 'icmpv4_code'],
  },
  { fields: { ...ip6, ip_proto: opt(fc.constantFrom(1, 2, 89)) }, settable: ['ipv6_src', 'ipv6_dst', 'ipv6_flabel'] },
  { fields: { ...ip6, ...family('tcp', 6) }, settable: ['tcp_src', 'tcp_dst'] },
  { fields: { ...ip6, ...family('udp', 17) }, settable: ['udp_src', 'udp_dst'] },
  { fields: { ...ip6, ...family('sctp', 132) }, settable: ['sctp_src', 'sctp_dst'] },
  {
    fields: { ...ip6, ip_proto: is(58), icmpv6_type: opt(fc.integer({ min: 0, max: 134 })), icmpv6_code: opt(u8) },
    settable: ['icmpv6_type', 'icmpv6_code'],
  },
  {
    fields: {
      ...ip6,
      ip_proto: is(58),
      icmpv6_type: is(135),
      icmpv6_code: is(0),
      ipv6_nd_target: opt(bytes(16)),
      ipv6_nd_sll: opt(bytes(6)),
    },
    settable: ['ipv6_nd_target', 'ipv6_nd_sll'],
  },
  {
    fields: {
      ...ip6,
      ip_proto: is(58),
      icmpv6_type: is(136),
      icmpv6_code: is(0),
      ipv6_nd_target: opt(bytes(16)),
      ipv6_nd_tll: opt(bytes(6)),
    },
    settable: ['ipv6_nd_target', 'ipv6_nd_tll'],
  },
  {
    fields: {
      eth_type: is(0x0806),
      arp_op: opt(u8),
      arp_spa: opt(ipv4),
      arp_tpa: opt(ipv4),
      arp_sha: opt(mac),
      arp_tha: opt(mac),
    },
    settable: ['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha'],
  },
  {
    fields: {
      eth_type: fc.constantFrom(0x8847, 0x8848),
      mpls_label: opt(number(20)),
      mpls_tc: opt(number(3)),
      mpls_bos: opt(number(1)),
    },
    settable: ['mpls_label', 'mpls_tc'],
  },
];

const port = fc.oneof(
  fc.integer({ min: 1, max: 0xfeff }),
  fc.constantFrom(OFPP.IN_PORT, OFPP.NORMAL, OFPP.FLOOD, OFPP.ALL, OFPP.CONTROLLER, OFPP.LOCAL),
);

export const freeAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: is('output'), port, maxLen: u16 }),
  fc.record({ type: is('group'), groupId: fc.integer({ min: 0, max: 0xffffff00 }) }),
  fc.record({ type: is('set_queue'), queueId: u32 }),
);

export function setField(name: string): fc.Arbitrary<Action> {
  const facts = of13.oxmFields.find((row) => row.name === name)!;
  // Open vSwitch keeps eight bits of the ARP operation.
  const bits = name === 'arp_op' ? 8 : facts.bits;
  const value = fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
  return value.map((input) => ({ type: 'set_field', oxm: oxm(facts.name, input) }));
}

function extraActions(spec: MatchSpec): fc.Arbitrary<Action>[] {
  const tag = (ethertype: number) => is({ type: 'push_vlan', ethertype } as const);
  if (spec.eth_type === 0x0800 || spec.eth_type === 0x86dd) {
    return [is({ type: 'dec_nw_ttl' } as const), fc.record({ type: is('set_nw_ttl'), ttl: u8 }), tag(0x8100)];
  }
  if (spec.eth_type === 0x8847 || spec.eth_type === 0x8848) {
    return [is({ type: 'dec_mpls_ttl' } as const), fc.record({ type: is('set_mpls_ttl'), ttl: u8 })];
  }
  return [tag(0x88a8)];
}

interface Meaning {
  readonly match: Match;
  readonly actions: readonly Action[];
}

/** A match, and actions that make sense on what it matches. */
export const meaning: fc.Arbitrary<Meaning> = fc
  .tuple(fc.constantFrom(...kinds), fc.constantFrom(vlan, tagged))
  .chain(([kind, tag]) => {
    const fields = fc.record({ ...everywhere, ...tag, ...kind.fields } as Record<string, fc.Arbitrary<unknown>>);
    return fields.chain((record) => {
      const spec = Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as MatchSpec;
      const built = match(spec);
      const actions = fc.array(
        fc.oneof(
          freeAction,
          ...extraActions(spec).filter((one) => one !== undefined),
          ...kind.settable.filter((name) => legalToSet(name, spec)).map(setField),
          setField('tunnel_id'),
          setField('eth_src'),
        ),
        { maxLength: 4 },
      );
      // More than two tags are more than Open vSwitch takes.
      const onePush = (list: readonly Action[]): Action[] =>
        list.filter((one, i) => one.type !== 'push_vlan' || list.findIndex((other) => other.type === one.type) === i);
      return actions.map((list) => ({ match: built, actions: onePush(list) }));
    });
  });

/** ovs-ofctl wants the fields a set_field needs to be matched on. */
function legalToSet(name: string, spec: MatchSpec): boolean {
  return name.startsWith('eth_') || spec.eth_type !== undefined;
}

export const instructions = (actions: readonly Action[]): fc.Arbitrary<Instruction[]> =>
  fc
    .record({
      meter: opt(fc.integer({ min: 1, max: 0xffff0000 })),
      apply: fc.boolean(),
      clear: fc.boolean(),
      write: opt(fc.array(fc.record({ type: is('output'), port, maxLen: u16 }), { maxLength: 1 })),
      metadata: opt(fc.tuple(u64, u64)),
      next: opt(fc.integer({ min: 1, max: 254 })),
    })
    .map(({ meter, apply, clear, write, metadata, next }) => {
      const list: Instruction[] = [];
      if (meter !== undefined) list.push({ type: 'meter', meterId: meter });
      if (apply) list.push({ type: 'apply_actions', actions });
      if (clear) list.push({ type: 'clear_actions' });
      if (write !== undefined) list.push({ type: 'write_actions', actions: write });
      if (metadata !== undefined) {
        list.push({ type: 'write_metadata', metadata: metadata[0] & metadata[1], metadataMask: metadata[1] });
      }
      if (next !== undefined) list.push({ type: 'goto_table', tableId: next });
      return list;
    });
