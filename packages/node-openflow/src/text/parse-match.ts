/** Matches: the words before `actions=` that are not about the flow itself (ovs-ofctl(8), ovs-fields(7)). */
import type { Match } from '../types/oxm.js';
import { parsing, TextFailure, type TextResult, unknownWord } from './error.js';
import { allOnes, parseField } from './field-values.js';
import { matchOf, slotsOf } from './match-wire.js';
import { type Names, parseInteger } from './numbers.js';
import { fieldsByName, type OvsField } from './ovs-fields.js';
import { Slots } from './slots.js';
import { parseSubfield } from './subfields.js';
import { type KeyValue, keyValues, span } from './tokens.js';

/** Words for an ethertype, and for some a protocol. */
export const protocolWords: ReadonlyMap<string, readonly [ethertype: number, protocol?: number]> = new Map([
  ['ip', [0x0800]],
  ['ipv4', [0x0800]],
  ['ip4', [0x0800]],
  ['arp', [0x0806]],
  ['icmp', [0x0800, 1]],
  ['tcp', [0x0800, 6]],
  ['udp', [0x0800, 17]],
  ['sctp', [0x0800, 132]],
  ['ipv6', [0x86dd]],
  ['ip6', [0x86dd]],
  ['icmp6', [0x86dd, 58]],
  ['tcp6', [0x86dd, 6]],
  ['udp6', [0x86dd, 17]],
  ['sctp6', [0x86dd, 132]],
  ['rarp', [0x8035]],
  ['mpls', [0x8847]],
  ['mplsm', [0x8848]],
]);

export const matchWords: readonly string[] = [...protocolWords.keys(), 'eth', ...fieldsByName.keys()];

function setBits(slots: Slots, { key, value }: KeyValue): void {
  const { field, offset, bits } = parseSubfield(key);
  const number = parseInteger(value.text);
  if (number === undefined) throw new TextFailure(`"${value.text}" is no number`, value.at);
  if (number >> BigInt(bits) !== 0n) throw new TextFailure(`${value.text} does not fit into ${bits} bits`, value.at);
  const before = slots.field(field);
  const where = allOnes(bits) << BigInt(offset);
  slots.set(field, {
    value: (before.value & ~where) | (number << BigInt(offset)),
    mask: fullMask(field, before.mask | where),
  });
}

const fullMask = ({ bits, bytes }: OvsField, mask: bigint): bigint =>
  mask === allOnes(bits) ? allOnes(8 * bytes) : mask;

/** Takes one word into the match; false if it is none of a match. */
export function takeMatch(word: KeyValue, slots: Slots, names: Names): boolean {
  const { key, value } = word;
  const protocol = protocolWords.get(key.text);
  if (protocol !== undefined) {
    slots.setEthertype(protocol[0]);
    if (protocol[1] !== undefined) slots.setProtocol(protocol[1]);
    return true;
  }
  if (key.text === 'eth') {
    slots.setPacketType(0);
    return true;
  }
  const field = fieldsByName.get(key.text);
  if (field !== undefined) {
    // A field without a value matches on nothing of it.
    slots.set(field, value.text === '' ? { value: 0n, mask: 0n } : parseField(value, field, names));
    return true;
  }
  if (!key.text.includes('[')) return false;
  setBits(slots, word);
  return true;
}

/** Says which fields were written and do not apply, as `tp_src` without a protocol. */
export function warnIgnored(written: Slots, match: Match, warn: (text: string) => void): void {
  const { slots } = slotsOf(match);
  if (!written.names.some((slot) => written.mask(slot) !== 0n && slots.mask(slot) === 0n)) return;
  for (const field of fieldsByName.values()) {
    if (written.mask(field.slot) !== 0n && slots.mask(field.slot) === 0n && field.slot === field.name) {
      if (field.name !== 'packet_type')
        warn(`${field.name} does not apply to the packets that are matched and is ignored`);
    }
  }
}

/** 'tcp,nw_src=10.0.0.0/8,tp_dst=80' as the match of OpenFlow 1.3. */
export function parseMatch(text: string, names: Names = {}): TextResult<Match> {
  return parsing((warn) => {
    const slots = new Slots();
    for (const word of keyValues(span(text))) {
      if (!takeMatch(word, slots, names)) throw unknownWord('field', word.key.text, word.key.at, matchWords);
    }
    const match = matchOf(slots);
    warnIgnored(slots, match, warn);
    return match;
  });
}
