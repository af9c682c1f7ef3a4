/** Numbers in network order, and the checksum of the Internet protocols. Bytes beyond the end are a RangeError: look before. */

export const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

export function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2);

export function setU32(bytes: Uint8Array, at: number, value: number): void {
  setU16(bytes, at, value >>> 16);
  setU16(bytes, at + 2, value & 0xffff);
}

/** `length` bytes as a number. */
export function numberAt(bytes: Uint8Array, at: number, length: number): bigint {
  let value = 0n;
  for (let i = 0; i < length; i += 2) value = (value << 16n) | BigInt(u16(bytes, at + i));
  return value;
}

/** `length` is even. */
export function setNumber(bytes: Uint8Array, at: number, length: number, value: bigint): void {
  let rest = value;
  for (let i = length - 2; i >= 0; i -= 2) {
    setU16(bytes, at + i, Number(rest & 0xffffn));
    rest >>= 16n;
  }
}

/** Ones' complement sum of 16 bits each, before it is complemented (RFC 1071). */
export function sum16(bytes: Uint8Array, start = 0): number {
  let sum = start;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += u16(bytes, i);
  if (even !== bytes.length) sum += bytes[even]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}

/** As it stands in a header. A header that has its right checksum gives 0. */
export const checksum = (bytes: Uint8Array, start = 0): number => ~sum16(bytes, start) & 0xffff;

/** `aa:bb:cc:dd:ee:ff` → six bytes. */
export const macBytes = (mac: string): Uint8Array =>
  Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
export const macText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
