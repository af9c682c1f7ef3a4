/** Packet-out records. */
import { type RecordWriter, viewOf } from './records-writer.js';

export interface PacketOutRecord {
  readonly inPort: number;
  /** Encoded actions. */
  readonly actions: Uint8Array;
  /** Of a paused packet that goes on, as it was told with it. */
  readonly continuation?: Uint8Array;
  readonly frame: Uint8Array;
}

export function writePacketOut(writer: RecordWriter, packet: PacketOutRecord): void {
  const at = writer.reserve(16);
  writer.setU32(at, packet.inPort);
  writer.setU32(at + 4, packet.actions.length);
  writer.setU32(at + 8, packet.frame.length);
  writer.setU32(at + 12, packet.continuation?.length ?? 0);
  writer.bytes(packet.actions);
  if (packet.continuation !== undefined) writer.bytes(packet.continuation);
  writer.bytes(packet.frame);
  writer.pad8();
}

export function decodePacketOut(bytes: Uint8Array): PacketOutRecord | undefined {
  if (bytes.length < 16) return undefined;
  const view = viewOf(bytes);
  const [actions, frame] = [view.getUint32(4, true), view.getUint32(8, true)];
  const continuation = view.getUint32(12, true);
  const frameAt = 16 + actions + continuation;
  if (actions % 8 !== 0 || continuation % 8 !== 0 || frameAt + frame > bytes.length) return undefined;
  return {
    inPort: view.getUint32(0, true),
    actions: bytes.slice(16, 16 + actions),
    ...(continuation === 0 ? {} : { continuation: bytes.slice(16 + actions, frameAt) }),
    frame: bytes.slice(frameAt, frameAt + frame),
  };
}
