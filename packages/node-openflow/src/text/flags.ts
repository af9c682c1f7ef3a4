/** Flags in text: '+syn-ack' (set, not set, the rest whatever), 'syn|ack' (these and no others), or numbers. */
import { TextFailure, unknownWord } from './error.js';
import { parseInteger } from './numbers.js';
import type { Span } from './tokens.js';

/** Names from bit 0 on. */
export type FlagNames = readonly string[];

export const tcpFlagNames: FlagNames = [
  'fin',
  'syn',
  'rst',
  'psh',
  'ack',
  'urg',
  'ece',
  'cwr',
  'ns',
  '[200]',
  '[400]',
  '[800]',
];
export const ctStateNames: FlagNames = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat'];
export const tunFlagNames: FlagNames = ['oam'];

const allOf = (names: FlagNames): number => 2 ** names.length - 1;

function bitOf(name: string, at: number, names: FlagNames): number {
  const index = names.indexOf(name);
  if (index < 0) throw unknownWord('flag', name, at, names);
  return 1 << index;
}

function signed({ text, at }: Span, names: FlagNames): { value: number; mask: number } {
  let value = 0;
  let mask = 0;
  for (const { 0: whole, 1: sign, 2: name, index } of text.matchAll(/([+-]?)([^+-]*)/g)) {
    if (whole === '') continue;
    if (sign === '') throw new TextFailure(`flag "${name}" must be preceded by + or -`, at + index);
    const bit = bitOf(name!, at + index + 1, names);
    if ((mask & bit) !== 0) throw new TextFailure(`flag "${name}" twice`, at + index);
    mask |= bit;
    if (sign === '+') value |= bit;
  }
  return { value, mask };
}

/** `mask` is undefined when all bits are meant, not only those that have names. */
export function parseFlags(text: Span, names: FlagNames): { readonly value: number; readonly mask?: number } {
  const all = allOf(names);
  const limited = (part: string): number | undefined => {
    const number = parseInteger(part);
    if (number === undefined) return undefined;
    if (number > BigInt(all)) throw new TextFailure(`${part} has flags beyond 0x${all.toString(16)}`, text.at);
    return Number(number);
  };
  const slash = text.text.indexOf('/');
  if (slash >= 0) {
    const [value, mask] = [limited(text.text.slice(0, slash)), limited(text.text.slice(slash + 1))];
    if (value === undefined || mask === undefined) throw new TextFailure('flags must be a number and a mask', text.at);
    return { value, mask };
  }
  if (/^[+-]/.test(text.text)) return signed(text, names);
  let value = 0;
  let at = text.at;
  for (const part of text.text.split('|')) {
    value |= limited(part) ?? bitOf(part, at, names);
    at += part.length + 1;
  }
  return { value };
}

/** 'syn|ack', or '0' for none; bits without a name as one number at the end. */
export function flagList(value: number, names: FlagNames, separator = '|'): string {
  if (value === 0) return '0';
  const known = names.filter((_, bit) => ((value >>> bit) & 1) !== 0);
  const rest = (value & ~allOf(names)) >>> 0;
  return [...known, ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])].join(separator);
}

/** '+syn-ack'; the list where the mask is `full`. */
export function maskedFlags(value: number, mask: number, names: FlagNames, full: number): string {
  if (mask === full) return flagList(value, names);
  if (mask === 0) return '0/0';
  let text = '';
  for (let bit = 0; bit < 32; bit++) {
    if (((mask >>> bit) & 1) === 0) continue;
    text += `${((value >>> bit) & 1) !== 0 ? '+' : '-'}${names[bit] ?? '[Unknown]'}`;
  }
  return text;
}
