/** Makes frames from descriptions, with right lengths and checksums. */

export type Bytes = readonly number[];

export const u16 = (value: number): Bytes => [(value >> 8) & 0xff, value & 0xff];
export const u32 = (value: number): Bytes => [...u16(value >>> 16), ...u16(value & 0xffff)];
export const mac = (text: string): Bytes => text.split(':').map((part) => Number.parseInt(part, 16));
export const ip4 = (text: string): Bytes => text.split('.').map(Number);

/** An IPv6 address without `::`, or with it at the end only. */
export function ip6(text: string): Bytes {
  const groups = text.split(':').filter((group) => group !== '');
  return Array.from({ length: 8 }, (_, i) => u16(Number.parseInt(groups[i] ?? '0', 16))).flat();
}

function onesSum(bytes: Bytes): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

export function checksum(bytes: Bytes): number {
  return ~onesSum(bytes) & 0xffff;
}

export interface Tag {
  readonly tpid?: number;
  readonly vid: number;
  readonly pcp?: number;
}

export interface Label {
  readonly label: number;
  readonly tc?: number;
  readonly ttl: number;
}

export interface EthernetSpec {
  readonly dst?: string;
  readonly src?: string;
  readonly tags?: readonly Tag[];
  readonly labels?: readonly Label[];
  readonly type: number;
  readonly payload: Bytes;
}

export function ethernet(spec: EthernetSpec): Uint8Array {
  const labels = spec.labels ?? [];
  const bytes: number[] = [...mac(spec.dst ?? '02:00:00:00:00:02'), ...mac(spec.src ?? '02:00:00:00:00:01')];
  for (const tag of spec.tags ?? []) {
    bytes.push(...u16(tag.tpid ?? 0x8100), ...u16(((tag.pcp ?? 0) << 13) | tag.vid));
  }
  bytes.push(...u16(labels.length > 0 ? 0x8847 : spec.type));
  for (const [i, { label, tc = 0, ttl }] of labels.entries()) {
    const bottom = i === labels.length - 1 ? 1 : 0;
    bytes.push(...u32(((label << 12) | (tc << 9) | (bottom << 8) | ttl) >>> 0));
  }
  return Uint8Array.from([...bytes, ...spec.payload]);
}

export interface Ipv4Spec {
  readonly src?: string;
  readonly dst?: string;
  readonly proto: number;
  readonly tos?: number;
  readonly ttl?: number;
  /** Flags and offset. */
  readonly fragment?: number;
  /** Made with the pseudo header. */
  readonly l4: (pseudo: (length: number) => Bytes) => Bytes;
}

export function ipv4(spec: Ipv4Spec): Bytes {
  const addresses = [...ip4(spec.src ?? '10.0.0.1'), ...ip4(spec.dst ?? '10.0.0.2')];
  const l4 = spec.l4((length) => [...addresses, 0, spec.proto, ...u16(length)]);
  const head = [0x45, spec.tos ?? 0, ...u16(20 + l4.length), 0, 1, ...u16(spec.fragment ?? 0), spec.ttl ?? 64];
  const sum = checksum([...head, spec.proto, 0, 0, ...addresses]);
  return [...head, spec.proto, ...u16(sum), ...addresses, ...l4];
}

export interface Ipv6Spec {
  readonly src?: string;
  readonly dst?: string;
  readonly proto: number;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
  readonly hopLimit?: number;
  /** Extension headers: number and the body without next header and length. */
  readonly extensions?: readonly { readonly proto: number; readonly body: Bytes }[];
  readonly l4: (pseudo: (length: number) => Bytes) => Bytes;
}

export function ipv6(spec: Ipv6Spec): Bytes {
  const addresses = [...ip6(spec.src ?? 'fd00::'), ...ip6(spec.dst ?? 'fd00:0:0:1::')];
  const extensions = spec.extensions ?? [];
  const l4 = spec.l4((length) => [...addresses, ...u32(length), 0, 0, 0, spec.proto]);
  const chain = extensions.flatMap(({ proto, body }, i) => {
    const next = extensions[i + 1]?.proto ?? spec.proto;
    const units = proto === 44 ? 0 : proto === 51 ? (body.length + 2) / 4 - 2 : (body.length + 2) / 8 - 1;
    return [next, units, ...body];
  });
  const first = (0x60000000 | ((spec.trafficClass ?? 0) << 20) | (spec.flowLabel ?? 0)) >>> 0;
  const proto = extensions[0]?.proto ?? spec.proto;
  return [...u32(first), ...u16(chain.length + l4.length), proto, spec.hopLimit ?? 64, ...addresses, ...chain, ...l4];
}

type L4 = (pseudo: (length: number) => Bytes) => Bytes;

export function tcp(src: number, dst: number, data: Bytes = [1, 2, 3]): L4 {
  return (pseudo) => {
    const head = [...u16(src), ...u16(dst), ...u32(7), ...u32(9), 0x50, 0x18, ...u16(1000)];
    const sum = checksum([...pseudo(20 + data.length), ...head, 0, 0, 0, 0, ...data]);
    return [...head, ...u16(sum), 0, 0, ...data];
  };
}

export function udp(src: number, dst: number, data: Bytes = [1, 2, 3], withChecksum = true): L4 {
  return (pseudo) => {
    const head = [...u16(src), ...u16(dst), ...u16(8 + data.length)];
    const sum = withChecksum ? checksum([...pseudo(8 + data.length), ...head, 0, 0, ...data]) || 0xffff : 0;
    return [...head, ...u16(sum), ...data];
  };
}

/** With any CRC: the datapath carries changes over, it does not check. */
export function sctp(src: number, dst: number, crc: number, data: Bytes = [0, 0, 0, 4]): L4 {
  return () => [...u16(src), ...u16(dst), 0, 0, 0, 0, ...u32(crc), ...data];
}

export function icmp(type: number, code: number, data: Bytes = [0, 1, 0, 1, 9]): L4 {
  return () => [type, code, ...u16(checksum([type, code, 0, 0, ...data])), ...data];
}

export function icmpv6(type: number, code: number, data: Bytes): L4 {
  return (pseudo) => {
    const sum = checksum([...pseudo(4 + data.length), type, code, 0, 0, ...data]);
    return [type, code, ...u16(sum), ...data];
  };
}

export function neighbour(type: 135 | 136, target: string, link: string): L4 {
  return icmpv6(type, 0, [0, 0, 0, 0, ...ip6(target), type === 135 ? 1 : 2, 1, ...mac(link)]);
}

export interface ArpSpec {
  readonly op: number;
  readonly sha: string;
  readonly spa: string;
  readonly tha: string;
  readonly tpa: string;
}

export function arp(spec: ArpSpec): Bytes {
  const { op, sha, spa, tha, tpa } = spec;
  return [0, 1, 8, 0, 6, 4, ...u16(op), ...mac(sha), ...ip4(spa), ...mac(tha), ...ip4(tpa)];
}

export const tcpFrame = (over: Partial<EthernetSpec> = {}, ip: Partial<Ipv4Spec> = {}): Uint8Array =>
  ethernet({ type: 0x0800, payload: ipv4({ proto: 6, l4: tcp(1000, 80), ...ip }), ...over });
