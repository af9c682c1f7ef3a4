/** Packet-out records. */
import { type RecordWriter, viewOf } from './records-writer.js';

export interface PacketOutRecord {
  readonly inPort: number;
  /** Encoded actions. */
  readonly actions: Uint8Array;
  readonly frame: Uint8Array;
}

export function writePacketOut(writer: RecordWriter, packet: PacketOutRecord): void {
  const at = writer.reserve(16);
  writer.setU32(at, packet.inPort);
  writer.setU32(at + 4, packet.actions.length);
  writer.setU32(at + 8, packet.frame.length);
  writer.bytes(packet.actions);
  writer.bytes(packet.frame);
  writer.pad8();
}

export function decodePacketOut(bytes: Uint8Array): PacketOutRecord | undefined {
  if (bytes.length < 16) return undefined;
  const view = viewOf(bytes);
  const [actions, frame] = [view.getUint32(4, true), view.getUint32(8, true)];
  if (actions % 8 !== 0 || 16 + actions + frame > bytes.length) return undefined;
  return {
    inPort: view.getUint32(0, true),
    actions: bytes.slice(16, 16 + actions),
    frame: bytes.slice(16 + actions, 16 + actions + frame),
  };
}
