/** Arguments of the command line: text → value, or commander's complaint, which ends with exit code 2. */
import { InvalidArgumentError } from 'commander';
import { parseDecimal } from '../base/decimal.js';

/** For commander: a whole number within min..max. */
export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = parseDecimal(text, min, max);
    if (value === undefined) throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Timers take no more than 2^31 ms. */
const DURATION_MAX_MS = 1_000_000_000;

/** A time as milliseconds: 500ms, 30s, 2m, 1h, with a fraction if need be; without a unit it is seconds. */
export function duration(text: string): number {
  const [, digits, unit = 's'] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Math.round(Number(digits) * unitMs[unit]!);
  if (digits === undefined) throw new InvalidArgumentError('expected a time, like 30s, 0.2s, 500ms or 2m.');
  if (ms > DURATION_MAX_MS) throw new InvalidArgumentError('expected a time of at most 277 h.');
  return ms;
}

export function macAddress(text: string): string {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new InvalidArgumentError('expected a MAC address like 00:16:3e:00:00:01.');
  }
  if ((Number.parseInt(text.slice(0, 2), 16) & 1) === 1) {
    throw new InvalidArgumentError('expected the address of one station; this is a multicast address.');
  }
  return text.toLowerCase();
}

/** An IPv4 address with its prefix length. */
export function ipv4WithPrefix(text: string): string {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text)?.slice(1);
  const fits = parts?.every((part, index) => parseDecimal(part, 0, index === 4 ? 32 : 255) !== undefined) ?? false;
  if (!fits) throw new InvalidArgumentError('expected an address with its prefix length, like 10.0.0.1/24.');
  return text;
}
