/** Building, checking and printing matches; addresses. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkPrerequisites,
  formatActions,
  formatFlow,
  formatInstructions,
  formatIpv6,
  formatMac,
  formatMatch,
  type Match,
  type MatchSpec,
  match,
  normalizeMatch,
  of13,
  oxm,
  parseIpv4,
  parseIpv6,
  parseMac,
  prefixLength,
  prefixMask,
} from '../src/index.js';
import { hex, toHex } from './support/wire.js';

const text = (built: Match): string[] =>
  built.map((tlv) => {
    if (tlv.field === 'raw' || tlv.field === 'experimenter') return tlv.field;
    return `${tlv.field}=${toHex(tlv.value)}${tlv.mask === undefined ? '' : `/${toHex(tlv.mask)}`}`;
  });

describe('match()', () => {
  it('takes numbers, addresses, prefixes, masks, bytes', () => {
    const built = match({
      tunnel_id: 0x1_0000_0000n,
      ipv6_src: 'fe80::/10',
      ipv4_src: '10.1.2.3/8',
      ipv4_dst: '10.1.2.3/255.0.255.0',
      eth_dst: '01:00:00:00:00:00/01:00:00:00:00:00',
      eth_src: hex('020000000001'),
      metadata: '0x5/0xff',
      in_port: 3,
      ip_proto: '6',
      vlan_vid: { value: 0x1000, mask: 0x1000 },
    });
    expect(text(built)).toEqual([
      'in_port=00000003',
      'metadata=0000000000000005/00000000000000ff',
      'eth_dst=010000000000/010000000000',
      'eth_src=020000000001',
      'vlan_vid=1000/1000',
      'ip_proto=06',
      'ipv4_src=0a000000/ff000000',
      'ipv4_dst=0a000200/ff00ff00',
      `ipv6_src=fe80${'00'.repeat(14)}/ffc0${'00'.repeat(14)}`,
      'tunnel_id=0000000100000000',
    ]);
  });
  it('leaves masks of all ones away', () => {
    expect(text(match({ ipv4_src: '10.0.0.1/32', vlan_vid: '0x1005/0x1fff', in_port: '1/0xffffffff' }))).toEqual([
      'in_port=00000001',
      'vlan_vid=1005',
      'ipv4_src=0a000001',
    ]);
  });
  it.each([
    { eth_type: 0x10000 },
    { vlan_vid: 0x2000 },
    { ip_dscp: 64 },
    { ipv4_src: '10.0.0.256' },
    { ipv4_src: '10.0.0.0/33' },
    { ipv6_src: '1::2::3' },
    { eth_dst: '02:00:00:00:00' },
    { ip_proto: '6/0xf' },
    { in_port: -1 },
    { in_port: 1.5 },
    { in_port: 'LOCAL' },
    { eth_src: new Uint8Array(5) },
    { nonsense: 1 } as MatchSpec,
  ])('refuses %j', (spec) => expect(() => match(spec)).toThrow(RangeError));

  it('normalizeMatch: one form for what means the same', () => {
    const odd: Match = [
      { field: 'ipv4_src', value: hex('0a000001'), mask: hex('ffffffff') },
      { field: 'eth_dst', value: new Uint8Array(6), mask: new Uint8Array(6) },
      { field: 'eth_type', value: hex('0800') },
      { field: 'vlan_vid', value: hex('1005'), mask: hex('1fff') },
    ];
    expect(text(normalizeMatch(odd))).toEqual(['eth_type=0800', 'vlan_vid=1005', 'ipv4_src=0a000001']);
  });
});

describe('§7.2.3.6 checkPrerequisites', () => {
  it.each<[MatchSpec]>([
    [{}],
    [{ in_port: 1, in_phy_port: 1 }],
    [{ vlan_vid: 0x1005, vlan_pcp: 3 }],
    [{ vlan_vid: '0x1000/0x1000', vlan_pcp: 3 }],
    [{ eth_type: 0x0800, ip_proto: 6, ipv4_src: '10.0.0.1', tcp_dst: 80 }],
    [{ eth_type: 0x86dd, ip_proto: 17, udp_dst: 53, ip_dscp: 1, ip_ecn: 1 }],
    [{ eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 135, ipv6_nd_target: '::1', ipv6_nd_sll: 1 }],
    [{ eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 136, ipv6_nd_target: '::1', ipv6_nd_tll: 1 }],
    [{ eth_type: 0x0806, arp_op: 1, arp_spa: '1.2.3.4', arp_tha: 1 }],
    [{ eth_type: 0x8847, mpls_label: 1, mpls_tc: 1, mpls_bos: 1 }],
    [{ eth_type: 0x88e7, pbb_isid: 1 }],
  ])('met: %j', (spec) => expect(checkPrerequisites(match(spec))).toBeUndefined());

  it.each<[MatchSpec]>([
    [{ in_phy_port: 1 }],
    [{ vlan_pcp: 3 }],
    [{ vlan_vid: 0, vlan_pcp: 3 }],
    [{ vlan_vid: '0x0005/0x0fff', vlan_pcp: 3 }],
    [{ ip_proto: 6 }],
    [{ eth_type: 0x0800, ipv6_src: '::1' }],
    [{ eth_type: 0x86dd, ipv4_src: '1.2.3.4' }],
    [{ eth_type: 0x0800, ip_proto: 17, tcp_dst: 80 }],
    [{ eth_type: 0x0800, tcp_dst: 80 }],
    [{ eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 135, ipv6_nd_tll: 1 }],
    [{ eth_type: 0x0800, arp_op: 1 }],
    [{ eth_type: 0x0800, mpls_label: 1 }],
  ])('not met: %j', (spec) => {
    expect(checkPrerequisites(match(spec))).toMatchObject({ type: 4, code: of13.OFPBMC.BAD_PREREQ });
  });
  it('the order counts', () => {
    const reversed = match({ eth_type: 0x0800, ipv4_src: '1.2.3.4' }).slice().reverse();
    expect(checkPrerequisites(reversed)?.reason).toBe('ipv4_src needs eth_type');
  });
  it('the table names only fields it has, and each stands before what needs it', () => {
    const names: string[] = of13.oxmFields.map((facts) => facts.name);
    for (const facts of of13.oxmFields) {
      if (!('requires' in facts) || facts.requires === undefined) continue;
      expect(names.indexOf(facts.requires.field)).toBeGreaterThanOrEqual(0);
      expect(names.indexOf(facts.requires.field)).toBeLessThan(names.indexOf(facts.name));
    }
  });
});

describe('text', () => {
  it.each<[MatchSpec, string]>([
    [{}, ''],
    [
      { in_port: 1, eth_type: 0x800, ip_proto: 6, ipv4_src: '10.0.0.0/8', tcp_dst: 80 },
      'tcp,in_port=1,nw_src=10.0.0.0/8,tp_dst=80',
    ],
    [{ in_port: of13.OFPP.LOCAL, eth_type: 0x88cc }, 'in_port=LOCAL,dl_type=0x88cc'],
    [{ vlan_vid: 0x1005, vlan_pcp: 3 }, 'dl_vlan=5,dl_vlan_pcp=3'],
    [{ vlan_vid: 0 }, 'vlan_tci=0x0000/0x1fff'],
    [{ vlan_vid: '0x1000/0x1000' }, 'vlan_tci=0x1000/0x1000'],
    [{ eth_type: 0x800, ip_dscp: 10 }, 'ip,nw_tos=40'],
    [{ eth_type: 0x86dd, ipv6_dst: '2001:db8::/32', ipv6_flabel: 5 }, 'ipv6,ipv6_dst=2001:db8::/32,ipv6_label=0x00005'],
  ])('%j', (spec, wanted) => expect(formatMatch(match(spec))).toBe(wanted));
  it('a field with a mask of zeros is not shown, unknown fields are', () => {
    const odd: Match = [
      { field: 'eth_dst', value: new Uint8Array(6), mask: new Uint8Array(6) },
      { field: 'experimenter', experimenter: 0x4f4e4600, oxmField: 42, hasMask: false, data: hex('0002') },
      { field: 'raw', oxmClass: 1, oxmField: 5, hasMask: true, data: hex('01ff') },
    ];
    expect(formatMatch(odd)).toBe('experimenter:0x4f4e4600:42=0002,oxm:0x1:5w=01ff');
  });
  it('flows', () => {
    const flow = {
      priority: 10,
      match: match({ eth_type: 0x800, ipv4_dst: '10.0.0.1' }),
      instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 2, maxLen: 0 }] }],
    } as const;
    expect(formatFlow(flow)).toBe('priority=10,ip,nw_dst=10.0.0.1 actions=output:2');
    expect(formatFlow({ priority: 0, match: [], instructions: [] })).toBe('priority=0 actions=drop');
  });
  it('actions ovs-ofctl has no words for', () => {
    expect(
      formatActions([
        { type: 'copy_ttl_out' },
        { type: 'push_pbb', ethertype: 0x88e7 },
        { type: 'experimenter', experimenter: 0x2320, data: hex('0001') },
        { type: 'unknown', code: 99, data: hex('00000000') },
        { type: 'set_field', oxm: oxm('pbb_isid', 5) },
        { type: 'set_field', oxm: { field: 'raw', oxmClass: 1, oxmField: 0, hasMask: false, data: hex('05') } },
      ]),
    ).toBe(
      'copy_ttl_out,push_pbb:0x88e7,experimenter:0x2320:0001,unknown:99:00000000,set_field:0x5->pbb_isid,set_field:oxm:0x1:0=05',
    );
  });
  it('instructions stand in the order they are carried out', () => {
    expect(
      formatInstructions([
        { type: 'goto_table', tableId: 2 },
        { type: 'experimenter', experimenter: 1, data: hex('00') },
        { type: 'unknown', code: 9, data: hex('01') },
        { type: 'apply_actions', actions: [] },
        { type: 'meter', meterId: 1 },
      ]),
    ).toBe('meter:1,experimenter:0x1:00,unknown:9:01,goto_table:2');
  });
});

describe('addresses', () => {
  it('IPv6 in the form of RFC 5952', () => {
    const pairs = {
      '::': '::',
      '::1': '::1',
      '1::': '1::',
      '2001:DB8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
      '1:0:2:0:3:0:4:0': '1:0:2:0:3:0:4:0',
      '0:0:1:0:0:0:1:1': '0:0:1::1:1',
      '::ffff:10.0.0.1': '::ffff:a00:1',
    };
    for (const [input, wanted] of Object.entries(pairs)) expect(formatIpv6(parseIpv6(input)!)).toBe(wanted);
  });
  it('what is no address', () => {
    for (const bad of ['', ':', '1', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '::12345', '1::2::3', 'g::', '::1.2.3']) {
      expect(parseIpv6(bad)).toBeUndefined();
    }
    for (const bad of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.x']) expect(parseIpv4(bad)).toBeUndefined();
    for (const bad of ['', '00:00', '0g:00:00:00:00:00', '00-00-00-00-00-00']) expect(parseMac(bad)).toBeUndefined();
  });
  it('text and bytes are inverse', () => {
    const of = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(of(16), of(6), fc.nat(128), (ip, mac, length) => {
        expect(parseIpv6(formatIpv6(ip))).toEqual(ip);
        expect(parseMac(formatMac(mac))).toEqual(mac);
        expect(prefixLength(prefixMask(length, 16))).toBe(length);
      }),
    );
    expect(prefixLength(hex('ff00ff00'))).toBeUndefined();
  });
});
