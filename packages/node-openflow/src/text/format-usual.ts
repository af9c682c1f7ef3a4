/**
 * Matches as those of large tables are: whole values of a port, MAC addresses, IPv4 addresses, ports of TCP and UDP. They
 * become the text that format-match.ts makes of any match, many times faster.
 */
import type { Match } from '../types/oxm.js';
import { formatIpv4, formatMac } from './addresses.js';
import { ETHERTYPE, PROTOCOL } from './match-wire.js';
import { type NamesOf, port11Text } from './numbers.js';

/** In the order in which they are printed, behind the protocol's word. */
const order = ['in_port', 'eth_src', 'eth_dst', 'ipv4_src', 'ipv4_dst', 'tp_src', 'tp_dst'] as const;
const places: ReadonlyMap<string, number> = new Map(order.map((name, place) => [name, place]));
const place = (name: (typeof order)[number]): number => places.get(name)!;
const fields: ReadonlyMap<string, number> = new Map([
  ...places,
  ...['tcp', 'udp'].flatMap((word) =>
    ['src', 'dst'].map((side) => [`${word}_${side}`, places.get(`tp_${side}`)!] as const),
  ),
]);
const words: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.tcp, 'tcp'],
  [PROTOCOL.udp, 'udp'],
]);

const [NONE, NO_PROTOCOL] = [-1, -1];
const numberOf = (bytes: Uint8Array): number => {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
};

/** Undefined: it is another kind of match. */
export function usualMatchText(match: Match, names: NamesOf): string | undefined {
  const said: (string | undefined)[] = [];
  let [ethertype, protocol, transport]: [number, number, string | undefined] = [NONE, NO_PROTOCOL, undefined];
  for (const one of match) {
    if (!('value' in one) || one.mask !== undefined) return undefined;
    const { field, value } = one;
    if (field === 'eth_type' && ethertype === NONE) ethertype = numberOf(value);
    else if (field === 'ip_proto' && protocol === NO_PROTOCOL) protocol = numberOf(value);
    else {
      const at = fields.get(field);
      if (at === undefined || said[at] !== undefined) return undefined;
      if (at === place('in_port')) said[at] = `in_port=${port11Text(numberOf(value), names)}`;
      else if (at <= place('eth_dst'))
        said[at] = `${at === place('eth_src') ? 'dl_src' : 'dl_dst'}=${formatMac(value)}`;
      else if (at <= place('ipv4_dst'))
        said[at] = `${at === place('ipv4_src') ? 'nw_src' : 'nw_dst'}=${formatIpv4(value)}`;
      else {
        const word = field.slice(0, 3);
        if (transport !== undefined && transport !== word) return undefined;
        transport = word;
        said[at] = `${order[at]!}=${numberOf(value)}`;
      }
    }
  }
  const word = ethertype === NONE ? '' : protocol === NO_PROTOCOL ? 'ip' : words.get(protocol);
  const ofIp = ethertype === ETHERTYPE.ip;
  const wantsIp = protocol !== NO_PROTOCOL || transport !== undefined || said.length > place('ipv4_src');
  if (word === undefined || (ethertype !== NONE && !ofIp) || (wantsIp && !ofIp)) return undefined;
  if (transport !== undefined && transport !== word) return undefined;
  let text = word;
  for (const part of said) if (part !== undefined) text += text === '' ? part : `,${part}`;
  return text;
}
