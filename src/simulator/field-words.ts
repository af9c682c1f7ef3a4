/** Fields of packets in words: 10.0.0.0/8, 00:16:3e:00:00:01, 80. */
import { bigintToBytes, formatIpv4, formatIpv6, formatMac } from 'node-openflow';
import { type FieldName, fields } from '../datapath/schema.gen.js';

type Form = 'mac' | 'ipv4' | 'ipv6' | 'port' | 'vlan' | 'hex' | 'number';

const forms: Readonly<Partial<Record<FieldName, Form>>> = {
  in_port: 'port',
  in_phy_port: 'port',
  actset_output: 'port',
  metadata: 'hex',
  tunnel_id: 'hex',
  eth_dst: 'mac',
  eth_src: 'mac',
  eth_type: 'hex',
  vlan_vid: 'vlan',
  ipv4_src: 'ipv4',
  ipv4_dst: 'ipv4',
  tcp_flags: 'hex',
  arp_spa: 'ipv4',
  arp_tpa: 'ipv4',
  arp_sha: 'mac',
  arp_tha: 'mac',
  ipv6_src: 'ipv6',
  ipv6_dst: 'ipv6',
  ipv6_nd_target: 'ipv6',
  ipv6_nd_sll: 'mac',
  ipv6_nd_tll: 'mac',
  ipv6_flabel: 'hex',
  ipv6_exthdr: 'hex',
  pbb_isid: 'hex',
};

const isRegister = (name: string): boolean => /^x*reg\d+$/.test(name);
const hex = (value: bigint): string => `0x${value.toString(16)}`;
const PRESENT = 0x1000n;

function plain(form: Form, value: bigint, portName: (port: number) => string): string {
  switch (form) {
    case 'mac':
      return formatMac(bigintToBytes(value, 6)!);
    case 'ipv4':
      return formatIpv4(bigintToBytes(value, 4)!);
    case 'ipv6':
      return formatIpv6(bigintToBytes(value, 16)!);
    case 'port':
      return portName(Number(value));
    case 'vlan':
      return (value & PRESENT) === 0n ? 'none' : String(value & ~PRESENT);
    case 'hex':
      return hex(value);
    case 'number':
      return String(value);
  }
}

/** Length of the prefix that a mask is; undefined: it is none. */
function prefixOf(mask: bigint, bits: number): number | undefined {
  const text = mask.toString(2).padStart(bits, '0');
  return /^1*0*$/.test(text) ? text.lastIndexOf('1') + 1 : undefined;
}

export const fieldName = (field: number): string => fields[field]!.name;

export function fieldWords(
  field: number,
  value: bigint,
  mask: bigint | undefined,
  portName: (port: number) => string,
): string {
  const { name, bits } = fields[field]!;
  const form = forms[name] ?? (isRegister(name) ? 'hex' : 'number');
  if (mask === undefined || mask === (1n << BigInt(bits)) - 1n) return plain(form, value, portName);
  if (form === 'vlan' && mask === PRESENT) return value === 0n ? 'none' : 'any';
  const prefix = form === 'ipv4' || form === 'ipv6' ? prefixOf(mask, bits) : undefined;
  if (prefix !== undefined) return `${plain(form, value, portName)}/${prefix}`;
  const isAddress = form === 'mac' || form === 'ipv4' || form === 'ipv6';
  const [shown, shownMask] = isAddress
    ? [plain(form, value, portName), plain(form, mask, portName)]
    : [hex(value), hex(mask)];
  return `${shown}/${shownMask}`;
}
