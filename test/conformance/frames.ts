/** Frames in the words of os-ken's packet library, a header each, as its tester has them. */

type Fields = Record<string, string | number>;

/** One header, in the words of os_ken.lib.packet. */
export const layer = (name: string, fields: Fields) =>
  `${name}(${Object.entries(fields)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? `'${value}'` : value}`)
    .join(', ')})`;

export const [IP4, IP6, ARP, VLAN, QINQ, MPLS, PBB] = [0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x8847, 0x88e7];
export const [ICMP, TCP, UDP, ICMP6, SCTP] = [1, 6, 17, 58, 132];
export const data = `b'${'what is carried, long enough to need no padding'}'`;

export const ether = (ethertype: number, fields: Fields = {}) =>
  layer('ethernet', { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01', ethertype, ...fields });
export const ip4 = (proto: number, fields: Fields = {}) =>
  layer('ipv4', { tos: 0x28, proto, src: '192.0.2.1', dst: '198.51.100.2', ttl: 64, ...fields });
export const ip6 = (nxt: number, fields: Fields = {}) =>
  layer('ipv6', { traffic_class: 0x28, nxt, src: '2001:db8::1', dst: '2001:db8::2', hop_limit: 64, ...fields });
export const ports = (name: string, fields: Fields = {}) => layer(name, { src_port: 1234, dst_port: 80, ...fields });
export const vlan = (fields: Fields = {}) => layer('vlan', { pcp: 3, cfi: 0, vid: 100, ethertype: IP4, ...fields });
export const mpls = (fields: Fields = {}) => layer('mpls', { label: 100, exp: 3, bsb: 1, ttl: 64, ...fields });
export const arp = (fields: Fields = {}) =>
  layer('arp', {
    opcode: 1,
    src_mac: '02:00:00:00:00:01',
    src_ip: '192.0.2.1',
    dst_mac: '00:00:00:00:00:00',
    dst_ip: '192.0.2.2',
    ...fields,
  });

export const tcp4 = [ether(IP4), ip4(TCP), ports('tcp'), data];
export const udp4 = [ether(IP4), ip4(UDP), ports('udp'), data];
export const tcp6 = [ether(IP6), ip6(TCP), ports('tcp'), data];
export const udp6 = [ether(IP6), ip6(UDP), ports('udp'), data];
export const sctp4 = [ether(IP4), ip4(SCTP), ports('sctp'), data];
export const icmp4 = [ether(IP4), ip4(ICMP), `icmp(type_=8, code=0, data=echo(id_=1, seq=1, data=${data}))`];
export const icmp6 = [ether(IP6), ip6(ICMP6), `icmpv6(type_=128, code=0, data=icmpv6echo(id_=1, seq=1, data=${data}))`];
export const arpRequest = [ether(ARP), arp(), data];
export const tagged = [ether(VLAN), vlan(), ip4(TCP), ports('tcp'), data];
export const labelled = [ether(MPLS), mpls(), ip4(TCP), ports('tcp'), data];
