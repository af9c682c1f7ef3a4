/** ofp_packet_out (OpenFlow 1.3.5 §7.3.7). */
import { decodeActions, encodeActions } from '../../codec/lists.js';
import type { MessageCodec } from '../../codec/protocol.js';
import type { PacketOut } from '../../types/message.js';
import { EncodeError } from '../../wire/error.js';
import { OFPBRC, OFPET } from '../errors.js';

export const packetOut: MessageCodec<PacketOut> = {
  code: 13,
  type: 'packet_out',
  decode(r, { version, xid }, ctx) {
    const bufferId = r.u32();
    const inPort = r.u32();
    const actionsLength = r.u16();
    r.skip(6);
    // A length that overruns the message is the message's fault; what is wrong inside the list is an action's.
    if (actionsLength > r.remaining) throw r.lengthError(`${actionsLength} bytes of actions`);
    const actions = decodeActions(r.sub(actionsLength, OFPET.BAD_REQUEST, OFPBRC.BAD_LEN), ctx);
    return { version, xid, type: 'packet_out', bufferId, inPort, actions, data: r.rest() };
  },
  encode(w, message, ctx) {
    w.u32(message.bufferId);
    w.u32(message.inPort);
    const lengthAt = w.mark();
    w.u16(0);
    w.zero(6);
    const start = w.mark();
    encodeActions(w, message.actions, ctx);
    const length = w.mark() - start;
    if (length > 0xffff) throw new EncodeError(`${length} bytes of actions`);
    w.patchU16(lengthAt, length);
    w.bytes(message.data);
  },
};
