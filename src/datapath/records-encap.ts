/** Records of headers around a packet: encap, decap, and the TTL of the service header (docs/native-boundary.md). */
import { type RecordWriter, viewOf } from './records-writer.js';

/** `packetType`: namespace in the upper 16 bits, type in the lower. */
export type EncapRecord =
  | {
      readonly kind: 'encap';
      readonly packetType: number;
      /** Of a service header; 0: the default, 1. */
      readonly mdType: number;
      /** Context headers of MD type 2 as on the wire (RFC 8300 §2.5.1). */
      readonly context: Uint8Array;
    }
  | { readonly kind: 'decap'; readonly packetType: number }
  | { readonly kind: 'dec_nsh_ttl' };

/** Fills in what follows code and length of the 8 bytes at `at`, and appends the rest. */
export function writeEncap(writer: RecordWriter, at: number, action: EncapRecord): void {
  if (action.kind === 'dec_nsh_ttl') return;
  writer.setU32(at + 4, action.packetType);
  if (action.kind === 'decap') return;
  const body = writer.reserve(8);
  writer.setU8(body, action.mdType);
  writer.setU16(body + 2, action.context.length);
  writer.bytes(action.context);
  writer.pad8();
}

/** Undefined: malformed. */
export function decodeEncap(kind: EncapRecord['kind'], record: Uint8Array): EncapRecord | undefined {
  if (kind === 'dec_nsh_ttl') return { kind };
  const view = viewOf(record);
  const packetType = view.getUint32(4, true);
  if (kind === 'decap') return { kind, packetType };
  if (record.length < 16 || record.length < 16 + view.getUint16(10, true)) return undefined;
  return { kind, packetType, mdType: record[8]!, context: record.slice(16, 16 + view.getUint16(10, true)) };
}
