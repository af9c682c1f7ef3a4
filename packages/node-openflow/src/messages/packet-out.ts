/** ofp_packet_out (OpenFlow 1.0.2 §5.3.6, 1.3.5 §7.3.7, 1.5.1 §7.3.6). */
import { exact, numberOf } from '../codec/legacy-match.js';
import { decodeActions, encodeActions } from '../codec/lists.js';
import { decodeMatch, encodeMatch } from '../codec/match.js';
import type { Context, MessageCodec } from '../codec/protocol.js';
import { OFPBRC, OFPET } from '../of13/errors.js';
import { versionName } from '../structures/expressible.js';
import type { Action } from '../types/action.js';
import type { PacketOut } from '../types/message.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

function actionsOf(r: WireReader, length: number, ctx: Context): readonly Action[] {
  // A length that overruns the message is the message's fault; what is wrong inside the list is an action's.
  if (length > r.remaining) throw r.lengthError(`${length} bytes of actions`);
  return decodeActions(r.sub(length, OFPET.BAD_REQUEST, OFPBRC.BAD_LEN), ctx);
}

function encodeSized(w: WireWriter, lengthAt: number, actions: readonly Action[], ctx: Context): void {
  const start = w.mark();
  encodeActions(w, actions, ctx);
  const length = w.mark() - start;
  if (length > 0xffff) throw new EncodeError(`${length} bytes of actions`);
  w.patchU16(lengthAt, length);
}

/** 1.0 has a port of 16 bits and no padding behind the length. */
function packetOutOf(padding: number): MessageCodec<PacketOut> {
  return {
    code: 13,
    type: 'packet_out',
    decode(r, { version, xid }, ctx) {
      const bufferId = r.u32();
      const inPort = ctx.protocol.portNumbers.decode(r);
      const actionsLength = r.u16();
      r.skip(padding);
      const actions = actionsOf(r, actionsLength, ctx);
      return { version, xid, type: 'packet_out', bufferId, inPort, actions, data: r.rest() };
    },
    encode(w, message, ctx) {
      const field = message.match?.[0]?.field;
      if (field !== undefined) throw new EncodeError(`a packet-out of ${versionName(ctx)} cannot say ${field}`);
      w.u32(message.bufferId);
      ctx.protocol.portNumbers.encode(w, message.inPort);
      const lengthAt = w.mark();
      w.zero(2 + padding);
      encodeSized(w, lengthAt, message.actions, ctx);
      w.bytes(message.data);
    },
  };
}

export const packetOut10 = packetOutOf(0);
export const packetOut = packetOutOf(6);

/** in_port is a field of a match that may have more pipeline fields. */
export const packetOut15: MessageCodec<PacketOut> = {
  code: 13,
  type: 'packet_out',
  decode(r, { version, xid }, ctx) {
    const bufferId = r.u32();
    const actionsLength = r.u16();
    r.skip(2);
    const whole = decodeMatch(r, ctx);
    const port = whole.find((tlv) => tlv.field === 'in_port');
    if (port?.field !== 'in_port') {
      throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_PORT, 'a packet-out without in_port');
    }
    const match = whole.filter((tlv) => tlv !== port);
    const actions = actionsOf(r, actionsLength, ctx);
    const inPort = numberOf(port.value);
    const rest = match.length === 0 ? {} : { match };
    return { version, xid, type: 'packet_out', bufferId, inPort, actions, data: r.rest(), ...rest };
  },
  encode(w, message, ctx) {
    w.u32(message.bufferId);
    const lengthAt = w.mark();
    w.zero(4);
    encodeMatch(w, [exact('in_port', message.inPort, 4), ...(message.match ?? [])], ctx);
    encodeSized(w, lengthAt, message.actions, ctx);
    w.bytes(message.data);
  },
};
