/** Numbers, ports and tables in text. */

import { OFPP10 } from '../nicira/constants.js';
import { OFPP } from '../of13/constants.js';
import { TextFailure, unknownWord } from './error.js';
import { lookUp, type Span } from './tokens.js';

/** What a text does not say by itself: how names of ports and tables are found, where a number is always understood. */
export interface Names {
  /** OpenFlow port number of a name, or undefined. */
  readonly port?: (name: string) => number | undefined;
  readonly table?: (name: string) => number | undefined;
  /** The version byte of who takes what is read; default: 1.3's, 4. */
  readonly version?: number;
}
/** How ports and tables are called in formatted text; undefined: by number. */
export interface NamesOf {
  readonly port?: (port: number) => string | undefined;
  readonly table?: (table: number) => string | undefined;
}

/** Decimal, 0x hexadecimal or 0 octal, as strtoul(3) has it; undefined for anything else. */
export function parseInteger(text: string): bigint | undefined {
  if (/^0x[0-9a-f]+$/i.test(text) || /^(0|[1-9]\d*)$/.test(text)) return BigInt(text);
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return undefined;
}

/** A number of at most `bits` bits; `what` names it in the error. */
export function integer(value: Span, bits: number, what: string): bigint {
  const number = parseInteger(value.text);
  if (number === undefined) throw new TextFailure(`${what} must be a number, not "${value.text}"`, value.at);
  if (number >> BigInt(bits) !== 0n)
    throw new TextFailure(`${what} ${value.text} does not fit into ${bits} bits`, value.at);
  return number;
}

export const u8 = (value: Span, what: string): number => Number(integer(value, 8, what));
export const u16 = (value: Span, what: string): number => Number(integer(value, 16, what));
export const u32 = (value: Span, what: string): number => Number(integer(value, 32, what));
/** -1 is all ones, as C has it: cookie=0/-1. */
export function u64(value: Span, what: string): bigint {
  return value.text === '-1' ? 0xffff_ffff_ffff_ffffn : integer(value, 64, what);
}

const reserved: Readonly<Record<string, number>> = {
  IN_PORT: OFPP10.IN_PORT,
  TABLE: OFPP10.TABLE,
  NORMAL: OFPP10.NORMAL,
  FLOOD: OFPP10.FLOOD,
  ALL: OFPP10.ALL,
  CONTROLLER: OFPP10.CONTROLLER,
  LOCAL: OFPP10.LOCAL,
  ANY: OFPP10.NONE,
  UNSET: OFPP10.UNSET,
  NONE: OFPP10.NONE,
};
const reservedNames: ReadonlyMap<number, string> = new Map(
  Object.entries(reserved)
    .filter(([name]) => name !== 'NONE')
    .map(([name, port]) => [port, name]),
);

const unquoted = (text: string): string => (/^".*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text);

/** OpenFlow 1.1 has 0xffff0000 more in a reserved port's number. */
const offset11 = 0xffff_0000;
export const toPort11 = (port: number): number => (port < OFPP10.MAX ? port : port + offset11);
/** The 16 bits of a port, or undefined for a number between the two ranges. */
export function fromPort11(port: number): number | undefined {
  if (port < OFPP10.MAX) return port;
  return port >= OFPP.MAX ? port - offset11 : undefined;
}

/** A port's 16-bit number, or undefined. */
export function tryPort(text: string, names: Names): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number <= 0xffff) return number;
    return number <= 0xffff_ffff ? fromPort11(number) : undefined;
  }
  const byName = lookUp(reserved, text.toUpperCase());
  if (byName !== undefined) return byName;
  const resolved = text === '' ? undefined : names.port?.(unquoted(text));
  return resolved === undefined ? undefined : fromPort11(resolved);
}

export function port(value: Span, names: Names): number {
  const number = tryPort(value.text, names);
  if (number === undefined) throw unknownWord('port', value.text, value.at, Object.keys(reserved));
  return number;
}

export function table(value: Span, names: Names): number {
  if (/^\d+$/.test(value.text)) return u8(value, 'table');
  const number = value.text === '' ? undefined : names.table?.(unquoted(value.text));
  if (number === undefined) throw new TextFailure(`unknown table "${value.text}"`, value.at);
  return number;
}

/** Letters that need no quotes in a name. */
const plainName = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const quoted = (name: string): string => (plainName.test(name) ? name : JSON.stringify(name));

/** A 16-bit port: reserved ones by name, others by theirs or by number. */
export function portText(number: number, names: NamesOf = {}): string {
  const name = reservedNames.get(number);
  if (name !== undefined) return name;
  const given = names.port?.(number);
  return given === undefined ? String(number) : quoted(given);
}

/** The same of a 32-bit port. */
export function port11Text(number: number, names: NamesOf = {}): string {
  const short = fromPort11(number);
  return short === undefined ? String(number) : portText(short, names);
}

export function tableText(number: number, names: NamesOf = {}): string {
  const given = names.table?.(number);
  return given === undefined ? String(number) : quoted(given);
}
