/**
 * Do the fields of a match have what they need (OpenFlow 1.3.5 §7.2.3.6)?
 *
 * Apart from decoding because it is about a match's meaning, not its bytes: a packet-in's fields are a description of
 * the packet and need none of this, and a switch may want to answer another error first.
 */
import { niciraFields } from '../nicira/fields.js';
import { OFPBMC, OFPET } from '../of13/errors.js';
import type { OxmFacts, OxmPrerequisite } from '../of13/oxm-fields.js';
import { allOxmFields } from '../of15/oxm-fields.js';
import type { Match, OxmKnown, OxmTlv } from '../types/oxm.js';

export interface PrerequisiteError {
  /** OFPET.BAD_MATCH */
  readonly type: number;
  /** OFPBMC.BAD_PREREQ */
  readonly code: number;
  readonly reason: string;
}

const factsByName: ReadonlyMap<string, OxmFacts> = new Map(
  [...allOxmFields, ...niciraFields].map((facts) => [facts.name, facts]),
);

/** OFPHTN_ETHERTYPE */
const NAMESPACE_ETHERTYPE = 1;

const toNumber = (bytes: Uint8Array): number => bytes.reduce((value, byte) => value * 256 + byte, 0);

function satisfies(tlv: OxmKnown, wanted: OxmPrerequisite): boolean {
  const value = toNumber(tlv.value);
  const mask = tlv.mask === undefined ? undefined : toNumber(tlv.mask);
  if (wanted.bits !== undefined) {
    return (value & wanted.bits) === wanted.bits && (mask === undefined || (mask & wanted.bits) === wanted.bits);
  }
  // The fields with wanted values cannot be masked, save by a mask of all ones, which says nothing.
  return wanted.anyOf === undefined || wanted.anyOf.includes(value);
}

/** undefined when all is well. A prerequisite that stands behind what needs it does not count. */
export function checkPrerequisites(match: Match): PrerequisiteError | undefined {
  const before = new Map<string, OxmTlv>();
  for (const tlv of match) {
    const facts = factsByName.get(tlv.field);
    const wanted = facts?.requires;
    if (wanted !== undefined) {
      const found = before.get(wanted.field) as OxmKnown | undefined;
      if (found === undefined || !satisfies(found, wanted)) {
        return { type: OFPET.BAD_MATCH, code: OFPBMC.BAD_PREREQ, reason: `${tlv.field} needs ${wanted.field}` };
      }
    }
    before.set(facts?.twin ?? tlv.field, tlv);
    // A packet of this type is what the ethertype says, without an Ethernet header (OpenFlow 1.5.1 §7.2.3.11).
    if (tlv.field === 'packet_type' && toNumber((tlv as OxmKnown).value) >>> 16 === NAMESPACE_ETHERTYPE) {
      before.set('eth_type', { field: 'eth_type', value: (tlv as OxmKnown).value.subarray(2) });
    }
  }
  return undefined;
}
