/** MAC and IP addresses between text and network-order bytes. Parsing returns undefined for what is no address. */

const hex2 = (byte: number): string => byte.toString(16).padStart(2, '0');

/** '02:00:00:00:00:01' */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, hex2).join(':');
}

export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

/** '10.0.0.1' */
export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join('.');
}

export function parseIpv4(text: string): Uint8Array | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  return parts.every((part) => part < 256) ? Uint8Array.from(parts) : undefined;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as '::'. */
export function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let [best, bestLength] = [-1, 1];
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > bestLength) [best, bestLength] = [start, end - start];
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best < 0) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}

export function parseIpv6(text: string): Uint8Array | undefined {
  // A dotted tail counts as two groups.
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail !== null) {
    const v4 = parseIpv4(tail[2]!);
    if (v4 === undefined) return undefined;
    const [high, low] = [(v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!];
    return parseIpv6(`${tail[1]}${high.toString(16)}:${low.toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, rest] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = head!.length + (rest?.length ?? 0);
  if (rest === undefined ? given !== 8 : given > 7) return undefined;
  const groups = [...head!, ...new Array<string>(8 - given).fill('0'), ...(rest ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}

/** The mask with `length` leading ones, in `width` bytes. */
export function prefixMask(length: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))) & 0xff);
}

/** Number of leading ones if no other bit is set, else undefined. */
export function prefixLength(mask: Uint8Array): number | undefined {
  let length = 0;
  while (length < mask.length * 8 && ((mask[length >> 3]! >> (7 - (length & 7))) & 1) !== 0) length++;
  return prefixMask(length, mask.length).every((byte, i) => byte === mask[i]) ? length : undefined;
}

/** Bytes whose number a double holds. */
const SAFE_BYTES = 6;

export function bytesToBigint(bytes: Uint8Array): bigint {
  if (bytes.length <= SAFE_BYTES) {
    let small = 0;
    for (const byte of bytes) small = small * 256 + byte;
    return BigInt(small);
  }
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** Network order, `width` bytes; undefined if it does not fit. */
export function bigintToBytes(value: bigint, width: number): Uint8Array | undefined {
  if (value < 0n || value >> BigInt(width * 8) !== 0n) return undefined;
  const bytes = new Uint8Array(width);
  if (width <= SAFE_BYTES) {
    for (let i = width - 1, rest = Number(value); i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
    return bytes;
  }
  for (let i = width - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}

/** Bytes as hex digits without separators. */
export function formatHex(bytes: Uint8Array): string {
  return Array.from(bytes, hex2).join('');
}
