/** What classifiers of other formats ask of a packet → a match of ours. */
import { isIP } from 'node:net';
import type { At } from '../at.js';
import type { Reading } from './reading.js';

/** Where the parts of a classifier stand; those that a format does not have are absent. */
export interface ClassifierParts {
  readonly family?: At;
  readonly protocol?: At;
  readonly source?: At;
  readonly destination?: At;
  /** A number, a range like "80-90", or a list of the first and last. */
  readonly sourcePort?: At;
  readonly destinationPort?: At;
  readonly sourceMac?: At;
  readonly destinationMac?: At;
  readonly dscp?: At;
  readonly vlan?: At;
}

const protocols: Readonly<Record<string, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'icmp6',
  132: 'sctp',
  icmpv6: 'icmp6',
};
const names = new Set(Object.values(protocols));
const families: Readonly<Record<string, 4 | 6>> = {
  ipv4: 4,
  ipv6: 6,
  '0x0800': 4,
  '0x800': 4,
  2048: 4,
  '0x86dd': 6,
  34525: 6,
};

function prefix(at: At | undefined, reading: Reading): string | undefined {
  if (at === undefined) return undefined;
  const text = reading.text(at);
  if (text === undefined || text === '') return undefined;
  const [address, length, more] = text.split('/');
  const family = isIP(address!);
  const right = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 6 ? 128 : 32));
  if (family !== 0 && more === undefined && right) return text;
  return reading.wrong(at, `${JSON.stringify(text)} is no IP address and no prefix`);
}

/** A number or a range, of numbers that are below 65536. */
export function portRange(at: At | undefined, reading: Reading): number | string | undefined {
  if (at === undefined || at.value === undefined || at.value === null) return undefined;
  const parts = Array.isArray(at.value) ? reading.texts(at) : (reading.text(at)?.split('-') ?? []);
  const numbers = parts.map((part) => (/^\s*\d{1,5}\s*$/.test(part) ? Number(part) : Number.NaN));
  const [first, last = first] = numbers;
  if (numbers.length > 2 || first === undefined || !(first <= last!) || last! > 0xffff)
    return reading.wrong(at, `${JSON.stringify(at.value)} is no port and no range of ports from 0 to 65535`);
  if (first === 0 && last === 0xffff) return undefined;
  return first === last ? first : `${first}-${last}`;
}

/** Undefined parts match anything. */
export function matchOf(parts: ClassifierParts, reading: Reading): Record<string, unknown> {
  const match: Record<string, unknown> = {};
  const family = parts.family === undefined ? undefined : familyOf(parts.family, reading);
  const word = parts.protocol === undefined ? undefined : reading.text(parts.protocol)?.toLowerCase();
  const protocol = word === undefined ? undefined : (protocols[word] ?? word);
  if (protocol !== undefined && names.has(protocol))
    match.protocol = family === undefined || protocol.startsWith('icmp') ? protocol : `${protocol}${family}`;
  else {
    if (family !== undefined) match.protocol = `ipv${family}`;
    if (protocol !== undefined && protocol !== 'any') {
      const number = reading.number(parts.protocol!, 0, 255);
      if (number !== undefined && family === undefined) match.protocol = 'ip';
      if (number !== undefined) match.ip_proto = number;
    }
  }
  const [source, destination] = [prefix(parts.source, reading), prefix(parts.destination, reading)];
  if (source !== undefined) match.src_ip = source;
  if (destination !== undefined) match.dst_ip = destination;
  for (const [key, at] of [
    ['src_port', parts.sourcePort],
    ['dst_port', parts.destinationPort],
  ] as const) {
    const range = portRange(at, reading);
    if (range !== undefined) match[key] = range;
  }
  for (const [key, at] of [
    ['src_mac', parts.sourceMac],
    ['dst_mac', parts.destinationMac],
  ] as const) {
    const text = at === undefined ? undefined : reading.text(at);
    if (text === undefined) continue;
    if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) match[key] = text;
    else reading.wrong(at!, `${JSON.stringify(text)} is no MAC address`);
  }
  const dscp = parts.dscp === undefined ? undefined : reading.number(parts.dscp, 0, 63);
  if (dscp !== undefined) match.dscp = dscp;
  const vlan = parts.vlan === undefined ? undefined : reading.number(parts.vlan, 0, 4095);
  if (vlan !== undefined) match.vlan = vlan;
  return match;
}

function familyOf(at: At, reading: Reading): 4 | 6 | undefined {
  const text = reading.text(at)?.toLowerCase();
  if (text === undefined) return undefined;
  if (Object.hasOwn(families, text)) return families[text];
  return reading.wrong(at, `${JSON.stringify(text)} is no ethertype that is understood: IPv4 or IPv6`);
}
