/** Numbers by which a bridge and its ports are known outside, made from names so that they survive a restart. */
import { createHash } from 'node:crypto';

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

/** Six bytes from the text form. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}
