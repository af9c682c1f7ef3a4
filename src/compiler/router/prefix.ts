/** IP addresses and prefixes as numbers. */
import { formatIpv4, formatIpv6 } from 'node-openflow';
import { parseIpv4, parseIpv6 } from '../../base/ip-address.js';
import { ones } from '../number-ranges.js';

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** An address in a network, or with the bits beyond its length 0, a network. */
export interface Prefix extends Address {
  /** 0..32 or 0..128 */
  readonly length: number;
}

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** Undefined when malformed. */
export function parseAddress(text: string): Address | undefined {
  const family = text.includes(':') ? 6 : 4;
  const value = family === 4 ? parseIpv4(text) : parseIpv6(text);
  return value === undefined ? undefined : { family, value };
}

/** `address/length`; undefined when malformed. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, before, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = before === undefined ? undefined : parseAddress(before);
  if (address === undefined || Number(length) > bitsOf(address.family)) return undefined;
  return { ...address, length: Number(length) };
}

const hostBits = ({ family, length }: Prefix): bigint => ones(bitsOf(family) - length);

/** The first address of the network that it is in. */
export const networkOf = (prefix: Prefix): Prefix => ({ ...prefix, value: prefix.value & ~hostBits(prefix) });
export const lastOf = (prefix: Prefix): bigint => prefix.value | hostBits(prefix);

export const contains = (prefix: Prefix, { family, value }: Address): boolean =>
  family === prefix.family && ((value ^ prefix.value) & ~hostBits(prefix)) === 0n;
export const overlap = (a: Prefix, b: Prefix): boolean => contains(a, b) || contains(b, a);

export function addressText({ family, value }: Address): string {
  const length = bitsOf(family) / 8;
  const bytes = Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
  return family === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
}
export const prefixText = (prefix: Prefix): string => `${addressText(networkOf(prefix))}/${prefix.length}`;

const among = (...texts: readonly string[]): ((address: Address) => boolean) => {
  const prefixes = texts.map((text) => parsePrefix(text)!);
  return (address) => prefixes.some((prefix) => contains(prefix, address));
};
/** No host's: unspecified, loopback, multicast, reserved. */
export const isNoHost = among('0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/127', 'ff00::/8');
export const isLinkLocal = among('fe80::/10');

/** `aa:bb:cc:dd:ee:ff`, a station's: not of a group, and not 0. */
export const isStation = (text: string): boolean =>
  /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/i.test(text) && !/^[0:]+$/.test(text);

/** The link-local address that belongs to a MAC address (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): Address {
  const number = BigInt(`0x${mac.replaceAll(':', '')}`) ^ (1n << 41n);
  return {
    family: 6,
    value: (0xfe80n << 112n) | ((number >> 24n) << 40n) | (0xfffen << 24n) | (number & 0xff_ffffn),
  };
}
