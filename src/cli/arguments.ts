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

/** Seconds, with a fraction if need be, as milliseconds. */
export function seconds(text: string): number {
  if (!/^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(text)) throw new InvalidArgumentError('expected seconds, like 1 or 0.2.');
  return Math.round(Number(text) * 1000);
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
