/** A packet for the controllers, as the record that goes up. */
import type { ControllerData, Origin } from './model-journey.js';
import { fieldId } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import type { PacketInRecord } from './records.js';
import { localController } from './schema.gen.js';

/** Cookie of what goes up without a flow. */
const NO_COOKIE = 0xffff_ffff_ffff_ffffn;

/** `told`: the packet as its meter has left it. */
export const packetInRecord = (
  packet: ModelPacket,
  told: ModelPacket,
  reason: number,
  maxLen: number,
  origin: Origin,
  data: ControllerData,
): PacketInRecord => ({
  kind: 'packet_in',
  reason,
  table: origin.table,
  cookie: origin.flow?.cookie ?? NO_COOKIE,
  inPort: packet.seenPort,
  maxLen,
  controllerId: data.id,
  userdata: data.userdata,
  registers: packet.registersSet(),
  frameTotal: packet.own.length,
  metadata: packet.metadata,
  tunnelId: packet.tunnelId,
  inPhyPort: packet.inPort,
  packetType: Number(packet.field(fieldId.packet_type)),
  // An agent says how much of the packet it needs.
  frame: data.id === localController ? told.own.subarray(0, maxLen) : told.own,
});
