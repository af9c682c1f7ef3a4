/** IP addresses in text, as numbers. */
import { isIPv4, isIPv6 } from 'node:net';

/** 32 bits; undefined when malformed. */
export function parseIpv4(text: string): bigint | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** 128 bits; undefined when malformed, and with a zone. */
export function parseIpv6(text: string): bigint | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [before, after] = text.split('::').map(groupsOf);
  const missing = new Array<bigint>(8 - before!.length - (after?.length ?? 0)).fill(0n);
  return [...before!, ...missing, ...(after ?? [])].reduce((value, group) => (value << 16n) | group, 0n);
}

/** Groups of 16 bits; an IPv4 address at the end is two of them. */
function groupsOf(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    const ipv4 = parseIpv4(group);
    return ipv4 === undefined ? [BigInt(`0x${group}`)] : [ipv4 >> 16n, ipv4 & 0xffffn];
  });
}
