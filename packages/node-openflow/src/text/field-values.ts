/** A field's value and mask between text and number. */
import {
  bigintToBytes,
  bytesToBigint,
  formatIpv4,
  formatIpv6,
  formatMac,
  parseIpv4,
  parseIpv6,
  parseMac,
  prefixLength,
  prefixMask,
} from './addresses.js';
import { TextFailure } from './error.js';
import { ctStateNames, type FlagNames, maskedFlags, parseFlags, tcpFlagNames, tunFlagNames } from './flags.js';
import { type Names, type NamesOf, parseInteger, port, port11Text, portText, toPort11 } from './numbers.js';
import type { OvsField } from './ovs-fields.js';
import { type Span, slice } from './tokens.js';

export interface Masked {
  readonly value: bigint;
  readonly mask: bigint;
}

const onesOf = Array.from({ length: 129 }, (_, bits) => (1n << BigInt(bits)) - 1n);
export const allOnes = (bits: number): bigint => onesOf[bits] ?? (1n << BigInt(bits)) - 1n;
const isAll = (mask: bigint, { bits }: OvsField): boolean => (mask & allOnes(bits)) === allOnes(bits);

const fragments: readonly (readonly [name: string, value: bigint, mask: bigint])[] = [
  ['no', 0n, 3n],
  ['first', 1n, 3n],
  ['later', 3n, 3n],
  ['no', 0n, 1n],
  ['yes', 1n, 1n],
  ['not_later', 0n, 2n],
  ['later', 2n, 2n],
];

function number(text: Span, field: OvsField): bigint {
  const value = parseInteger(text.text);
  if (value === undefined) throw new TextFailure(`"${text.text}" is no number for ${field.name}`, text.at);
  if (value >> BigInt(8 * field.bytes) !== 0n) {
    throw new TextFailure(`${text.text} is too large for ${field.name}, which has ${field.bytes} bytes`, text.at);
  }
  return value;
}

function address(text: Span, field: OvsField): bigint {
  const parse = field.format === 'mac' ? parseMac : field.format === 'ipv4' ? parseIpv4 : parseIpv6;
  const bytes = parse(text.text);
  if (bytes === undefined) throw new TextFailure(`"${text.text}" is no address for ${field.name}`, text.at);
  return bytesToBigint(bytes);
}

function addressMask(text: Span, field: OvsField): bigint {
  if (field.format === 'mac' || !/^\d+$/.test(text.text)) return address(text, field);
  if (Number(text.text) > field.bits) {
    throw new TextFailure(`/${text.text} is no prefix of ${field.name}, which has ${field.bits} bits`, text.at);
  }
  return bytesToBigint(prefixMask(Number(text.text), field.bytes));
}

const flagsOf: Partial<Record<OvsField['format'], FlagNames>> = {
  tcp_flags: tcpFlagNames,
  tun_flags: tunFlagNames,
  ct_state: ctStateNames,
};

function packetType({ text, at }: Span): bigint {
  const parts = /^\((0x[0-9a-f]+|\d+),(0x[0-9a-f]+|\d+)\)$/i.exec(text);
  const [space, type] = [Number(parts?.[1]), Number(parts?.[2])];
  if (parts === null || space > 0xffff || type > 0xffff) {
    throw new TextFailure(`a packet type is written (name space,number), not "${text}"`, at);
  }
  return BigInt(space * 0x10000 + type);
}

function parseUnchecked(text: Span, field: OvsField, names: Names): Masked {
  const all = allOnes(8 * field.bytes);
  if (text.text === '*') return { value: 0n, mask: 0n };
  const flags = flagsOf[field.format];
  if (flags !== undefined) {
    const { value, mask } = parseFlags(text, flags);
    return { value: BigInt(value), mask: mask === undefined ? all : BigInt(mask) };
  }
  switch (field.format) {
    case 'port': {
      const number16 = port(text, names);
      return { value: BigInt(field.bytes === 4 ? toPort11(number16) : number16), mask: all };
    }
    case 'frag': {
      const found = fragments.find(([name]) => name === text.text.toLowerCase());
      if (found === undefined) {
        throw new TextFailure(`fragments are no, yes, first, later or not_later, not "${text.text}"`, text.at);
      }
      return { value: found[1], mask: found[2] };
    }
    case 'packet_type':
      return { value: packetType(text), mask: all };
  }
  const one = field.format === 'dec' || field.format === 'hex' ? number : address;
  const slash = text.text.indexOf('/');
  if (slash < 0) return { value: one(text, field), mask: all };
  const maskText = slice(text, slash + 1);
  return {
    value: one(slice(text, 0, slash), field),
    mask: one === number ? number(maskText, field) : addressMask(maskText, field),
  };
}

/** 'value', 'value/mask' or '*', by the field's format. A mask of all ones has all `8 * bytes` bits set. */
export function parseField(text: Span, field: OvsField, names: Names): Masked {
  const parsed = parseUnchecked(text, field, names);
  if (!field.maskable && parsed.mask !== 0n && parsed.mask !== allOnes(8 * field.bytes)) {
    throw new TextFailure(`${field.name} cannot be masked`, text.at);
  }
  return parsed;
}

/** Zero is '0', as in '0x1'. */
export const hexText = (value: bigint | number): string => (value ? `0x${value.toString(16)}` : '0');

function addressText(value: bigint, { format, bytes }: OvsField): string {
  const raw = bigintToBytes(value, bytes)!;
  return format === 'mac' ? formatMac(raw) : format === 'ipv4' ? formatIpv4(raw) : formatIpv6(raw);
}

/** The field's value as set_field and learn have it. `mask` absent: exact. */
export function fieldText(field: OvsField, value: bigint, mask?: bigint, names: NamesOf = {}): string {
  const masked = mask !== undefined && !isAll(mask, field) ? mask : undefined;
  if (masked === 0n) return 'ANY';
  const flags = flagsOf[field.format];
  if (flags !== undefined) {
    const full = field.format === 'ct_state' ? 0xffff : Number(allOnes(field.bits));
    const shown = masked ?? (field.format === 'ct_state' ? 0xffff_ffffn : BigInt(full));
    return maskedFlags(Number(value), Number(shown), flags, full);
  }
  switch (field.format) {
    case 'port':
      if (masked !== undefined) return `${value}/${hexText(masked)}`;
      return field.bytes === 4 ? port11Text(Number(value), names) : portText(Number(value), names);
    case 'dec':
      return masked === undefined ? value.toString() : `${value}/${hexText(masked)}`;
    case 'frag':
      return fragments.find(([, v, m]) => v === value && m === (masked ?? 3n))?.[0] ?? '<error>';
    case 'packet_type':
      return packetTypeText(Number(value));
    case 'mac':
    case 'ipv4':
    case 'ipv6':
      return masked === undefined ? addressText(value, field) : maskedAddress(field, value, masked);
    default:
      return masked === undefined ? hexText(value) : `${hexText(value)}/${hexText(masked)}`;
  }
}

/** The mask as a prefix length where it is one; MAC addresses have none. */
export function maskedAddress(field: OvsField, value: bigint, mask: bigint): string {
  const prefix = field.format === 'mac' ? undefined : prefixLength(bigintToBytes(mask, field.bytes)!);
  return `${addressText(value, field)}/${prefix ?? addressText(mask, field)}`;
}

/** '(1,0x894f)' */
export function packetTypeText(type: number): string {
  const part = (value: number): string => (value > 9 ? hexText(value) : String(value));
  return type === 0 ? 'eth' : `packet_type=(${part(type >>> 16)},${part(type & 0xffff)})`;
}
