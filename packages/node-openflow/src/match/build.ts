/**
 * Building matches from values a person writes: `match({ eth_type: 0x0800, ipv4_src: '10.0.0.0/8', in_port: 3 })`.
 *
 * The fields come out in the table's order, which puts every prerequisite before what needs it; the prerequisites
 * themselves are the caller's to name. A value that does not fit its field is the caller's bug: EncodeError.
 */
import { isFullMask } from '../codec/oxm.js';
import { niciraFields } from '../nicira/fields.js';
import type { OxmFacts } from '../of13/oxm-fields.js';
import { allOxmFields } from '../of15/oxm-fields.js';
import { bigintToBytes, bytesToBigint, parseIpv4, parseIpv6, parseMac, prefixMask } from '../text/addresses.js';
import type { Match, OxmFieldName, OxmKnown, OxmTlv } from '../types/oxm.js';
import { EncodeError } from '../wire/error.js';

/** A number, the bytes themselves, or text: '10.0.0.0/8', '02:00:00:00:00:01', '::1/64', '0x10/0xf0', '7'. */
export type OxmInput = number | bigint | string | Uint8Array;
export type OxmInputWithMask = OxmInput | { readonly value: OxmInput; readonly mask: OxmInput };
export type MatchSpec = { readonly [Field in OxmFieldName]?: OxmInputWithMask };

const allFields: readonly OxmFacts[] = [...allOxmFields, ...niciraFields];
const factsByName: ReadonlyMap<string, OxmFacts> = new Map(allFields.map((facts) => [facts.name, facts]));

const ranks: ReadonlyMap<string, number> = new Map(allFields.map(({ name }, rank) => [name, rank]));

/** The facts of a field: width, whether it can be masked, what it needs. */
export function oxmFacts(field: OxmFieldName): OxmFacts {
  const facts = factsByName.get(field);
  if (facts === undefined) throw new EncodeError(`there is no field ${field}`);
  return facts;
}

function parseAddress(text: string, facts: OxmFacts): Uint8Array | undefined {
  if (facts.kind === 'mac') return parseMac(text);
  if (facts.kind === 'ipv4') return parseIpv4(text);
  return facts.kind === 'ipv6' ? parseIpv6(text) : undefined;
}

function toBytes(input: OxmInput, facts: OxmFacts): Uint8Array {
  if (input instanceof Uint8Array) {
    if (input.length !== facts.bytes) throw new EncodeError(`${facts.name} has ${facts.bytes} bytes`);
    return input;
  }
  if (typeof input === 'string') {
    const address = parseAddress(input, facts);
    if (address !== undefined) return address;
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(input)) throw new EncodeError(`'${input}' is no value of ${facts.name}`);
  }
  if (typeof input === 'number' && !Number.isSafeInteger(input)) throw new EncodeError(`${input} is no integer`);
  const bytes = bigintToBytes(BigInt(input), facts.bytes);
  if (bytes === undefined) throw new EncodeError(`${input} is too large for ${facts.name}`);
  return bytes;
}

/** A mask may also be a prefix length, where the field is an address. */
function maskToBytes(input: OxmInput, facts: OxmFacts): Uint8Array {
  const isAddress = facts.kind === 'ipv4' || facts.kind === 'ipv6';
  if (!isAddress || typeof input !== 'string' || !/^\d+$/.test(input)) return toBytes(input, facts);
  const length = Number(input);
  if (length > facts.bits) throw new EncodeError(`/${input} is no prefix of ${facts.name}`);
  return prefixMask(length, facts.bytes);
}

/** One field; the value's bits outside the mask are cleared, and a mask of all ones is left away. */
export function oxm(field: OxmFieldName, input: OxmInputWithMask): OxmKnown {
  const facts = oxmFacts(field);
  let value: OxmInput;
  let mask: OxmInput | undefined;
  if (typeof input === 'object' && !(input instanceof Uint8Array)) {
    ({ value, mask } = input);
  } else if (typeof input === 'string' && input.includes('/')) {
    const slash = input.indexOf('/');
    [value, mask] = [input.slice(0, slash), input.slice(slash + 1)];
  } else {
    value = input;
  }
  const bytes = toBytes(value, facts);
  if (facts.bits < facts.bytes * 8 && bytesToBigint(bytes) >> BigInt(facts.bits) !== 0n) {
    throw new EncodeError(`${String(value)} is too large for ${field}`);
  }
  if (mask === undefined) return { field, value: bytes };
  const maskBytes = maskToBytes(mask, facts);
  if (isFullMask(maskBytes, facts)) return { field, value: bytes };
  if (!facts.maskable) throw new EncodeError(`${field} cannot be masked`);
  return { field, value: bytes.map((byte, i) => byte & maskBytes[i]!), mask: maskBytes };
}

export function match(spec: MatchSpec): Match {
  for (const name of Object.keys(spec)) oxmFacts(name as OxmFieldName);
  return allFields.flatMap(({ name }) => {
    const input = spec[name as OxmFieldName];
    return input === undefined ? [] : [oxm(name as OxmFieldName, input)];
  });
}

/** The same match in one form: masks of all ones left away, fields with a mask of all zeros too, in table order. */
export function normalizeMatch(input: Match): Match {
  const known = new Map<OxmFieldName, OxmKnown>();
  const others: OxmTlv[] = [];
  for (const tlv of input) {
    if (tlv.field === 'raw' || tlv.field === 'experimenter') others.push(tlv);
    else if (!known.has(tlv.field)) known.set(tlv.field, tlv as OxmKnown);
  }
  const sorted = [...known.values()]
    .filter(({ field, mask }) => ranks.has(field) && !mask?.every((byte) => byte === 0))
    .sort((a, b) => ranks.get(a.field)! - ranks.get(b.field)!);
  const plain = sorted.map((tlv) => {
    const whole = tlv.mask !== undefined && isFullMask(tlv.mask, oxmFacts(tlv.field));
    return whole ? { field: tlv.field, value: tlv.value } : tlv;
  });
  return [...plain, ...others];
}
