/** Numbers by which a bridge and its ports are known outside, made from names so that they survive a restart. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const LOCALLY_ADMINISTERED = 0x02;

/** A unicast address of our own making: the same for the same words. */
export function deriveMac(...words: readonly string[]): string {
  const bytes = createHash('sha256').update(words.join('\0')).digest().subarray(0, 6);
  bytes[0] = (bytes[0]! & 0xfc) | LOCALLY_ADMINISTERED;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** OpenFlow 1.3.5 §7.3.1: the lower 48 bits are a MAC address, the upper 16 are ours to choose; we leave them zero. */
export function deriveDatapathId(mac: string): bigint {
  return BigInt(`0x${mac.replaceAll(':', '')}`);
}

/** The address of a kernel interface; undefined when there is no such interface or it has none. */
export function deviceMac(device: string): string | undefined {
  if (device.includes('/')) return undefined;
  let text: string;
  try {
    text = readFileSync(`/sys/class/net/${device}/address`, 'ascii').trim();
  } catch {
    return undefined;
  }
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text) && text !== '00:00:00:00:00:00' ? text : undefined;
}
