/** The values a match may have for a field, each as the text that ovs-ofctl has for it; ranges become masks. */
import { isIPv6 } from 'node:net';
import { formatIpv4, formatIpv6 } from 'node-openflow';
import { type OvsField, parseInteger } from 'node-openflow/text';
import { parseIpv4, parseIpv6 } from '../../base/ip-address.js';
import { say } from '../at.js';
import { RANGE_VALUES_MAX, RULE_FLOWS_MAX } from '../limits.js';
import { ones, prefixBits, rangeToMasks } from '../number-ranges.js';
import type { Scope, Value } from '../scope.js';

/** What is written behind `field=`. */
export interface Choice {
  readonly text: string;
  readonly value: Value;
  /** The text is the value's own, letter by letter. */
  readonly exact: boolean;
}

const rangeFormats = new Set(['dec', 'hex', 'ipv4', 'ipv6']);
const RANGE = /^\s*([0-9A-Fa-fx:.]+)\s*-\s*([0-9A-Fa-fx:.]+)\s*$/;

export const familyOf = ({ text }: Value): 4 | 6 => (text.includes(':') || isIPv6(text) ? 6 : 4);

/** Of a list of values. Empty, and said, where they are more than all that a rule may become. */
export function allChoices(field: OvsField, values: readonly Value[], scope: Scope): Choice[] {
  const found: Choice[] = [];
  for (const value of values) {
    for (const choice of choicesOf(field, value, scope)) found.push(choice);
    if (found.length <= RULE_FLOWS_MAX) continue;
    const message = `lists and ranges of ${field.name} alone make more than ${RULE_FLOWS_MAX} flows of this rule`;
    say(scope.diagnostics, value.at, 'expansion', message);
    return [];
  }
  return found;
}

/** Empty, and said, where the value is wrong in a way that the parser of ovs-ofctl's text would not see. */
function choicesOf(field: OvsField, value: Value, scope: Scope): Choice[] {
  if (field.format === 'port') {
    const number = scope.portNumber(value);
    return number === undefined ? [] : [{ text: String(number), value, exact: false }];
  }
  const range = rangeFormats.has(field.format) ? RANGE.exec(value.text) : null;
  if (range === null) return [{ text: value.text, value, exact: value.exact }];
  const bounds = [range[1]!, range[2]!].map((text) => numberOf(field, text));
  const [low, high] = bounds;
  const complain = (message: string): Choice[] => {
    say(scope.diagnostics, value.at, 'value', message);
    return [];
  };
  if (low === undefined || high === undefined) return complain(`"${value.text}" is no range for ${field.name}`);
  if (low > high) return complain(`the range ${value.text} ends before it begins`);
  if (high >> BigInt(field.bits) !== 0n)
    return complain(`${range[2]} does not fit into ${field.name}, which has ${field.bits} bits`);
  if (!field.maskable) {
    if (high - low >= BigInt(RANGE_VALUES_MAX)) {
      return complain(
        `the range ${value.text} has more than ${RANGE_VALUES_MAX} values, and ${field.name} has no masks`,
      );
    }
    const count = Number(high - low) + 1;
    return Array.from({ length: count }, (_, i) => ({ text: String(low + BigInt(i)), value, exact: false }));
  }
  return rangeToMasks(low, high, field.bits).map((masked) => ({
    text: maskedText(field, masked),
    value,
    exact: false,
  }));
}

function numberOf({ format }: OvsField, text: string): bigint | undefined {
  if (format === 'ipv4') return parseIpv4(text);
  return format === 'ipv6' ? parseIpv6(text) : parseInteger(text);
}

function maskedText(
  { format, bits }: OvsField,
  { value, mask }: { readonly value: bigint; readonly mask: bigint },
): string {
  const bytes = (length: number) =>
    Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
  if (format === 'ipv4') return `${formatIpv4(bytes(4))}/${prefixBits(mask, bits)}`;
  if (format === 'ipv6') return `${formatIpv6(bytes(16))}/${prefixBits(mask, bits)}`;
  return mask === ones(bits) ? String(value) : `0x${value.toString(16)}/0x${mask.toString(16)}`;
}
